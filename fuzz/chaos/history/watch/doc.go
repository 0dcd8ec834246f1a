// Package watch writes what a tap between gateway and broker sees into a history.
//
// What the gateway sends is recorded when the tap has read all of it, and before any fault is
// applied: from then on nobody may say that it was not published. What it gets is recorded just
// before it is forwarded, as it is forwarded: what was dropped, or waits in the tap, does not exist
// for the gateway yet. So Drop, Delay, Duplicate, Reorder and CorruptPayload explain themselves.
//
// What the tap cannot know is whether forwarded bytes arrive. Faults that break a stream or slow it
// down (CorruptFraming, DropBytes, CutShort, Reset, HalfClose, Throttle, and Stall and Swallow of
// what goes to the gateway) must be recorded with [history.LosesAnswers], as must everything that
// happens to the gateway's side outside of the tap.
package watch
