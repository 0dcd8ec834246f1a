// Package planted builds gateways that are not what is in the source: with bugs, to prove that the
// checker of histories finds them, and with a wall clock that can be set.
//
// Nothing of that is in the production code. A [Change] replaces a piece of a file that is there exactly
// once; the changed files are given to go build with -overlay. When the source has moved on and a
// piece is not there any more, or more than once, that is an error, and the change must be made anew. All
// bugs are in one program; [Env] tells a process which one it has.
package planted
