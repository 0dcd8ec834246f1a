// Package logging is what the gateway writes about itself: the logger that all parts share,
// and an observer of the engine that turns ends and stray answers into lines.
//
// # Words
//
//   - line: one structured log record. A transaction has at most one, at its end; an answer
//     that completed nothing has one of its own.
//   - kind: an outcome or a kind of answer; what lines are counted by.
//   - excerpt: the first 256 bytes of something that came from outside, quoted if it is not
//     plain text. Nothing longer from outside is written, and no control character.
//   - summary: the line that says how many lines of a node and kind were suppressed.
//
// # How much is written
//
// At most ten lines a second for each node and kind, whatever happens, and a summary for each
// second in which there were more, written when that second is over. Seconds are counted from
// the start of the observer.
//
// # Who may block
//
// The engine calls an observer from whatever goroutine ended the transaction, its driver
// included, so the observer only queues; one goroutine of its own writes. If the log's reader
// stalls, lines are suppressed and counted, and no transaction waits. Close writes what is
// queued and ends the goroutine.
//
// # What is never written
//
// Tokens, passwords, keys and header lines do not get here. Payloads do, as excerpts, but only
// those of answers that completed nothing.
package logging
