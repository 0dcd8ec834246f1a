// Package watch writes what a tap between gateway and broker sees into a history.
//
// What the gateway sends is recorded when the tap has read all of it, and before any fault is
// applied: from then on nobody may say that it was not published. What it gets is recorded just
// before it is forwarded, as it is forwarded: what was dropped never existed for the gateway.
package watch
