// Package idempotency keeps a request that is sent again from being carried out again.
//
// A [Table] stands between the servers and the engine: it is what servers call Begin and Cancel
// of. A call without a [core.Key], or of a node that was not added, goes straight on to the engine.
//
// # Words
//
//   - key: what tells a request that is sent again from a new one; its scope is node and user.
//   - identity: a hash of a request's value and parameters. The same key with another identity is
//     a conflict: nothing is done.
//   - entry: what the table knows of a key, for a window of time from the first request on.
//   - in flight: the entry's transaction is held by the engine, or was, by requesters who are all
//     gone. Requests with the same key join it.
//   - replayed: the entry has the reply, which is given again.
//   - in doubt: the request was published and ended without a reply. It may have been carried out,
//     so the key never publishes again within its window. Who asks again waits for the late answer
//     until his own deadline, and ends as timeout, in doubt, if none comes.
//   - intent: the record of a key on disk before its request is published; [Store].
//
// # Who owns what, what may block
//
// Nothing blocks: the store is told of what happens by a queue, and calls back when a record is
// on disk. The table sits on the bus's side too ([Table.Bus]): a request is held by the engine, its
// deadline armed, while its intent is written, and is published only then. So the engine knows
// what left, as ever, and a slow disk costs time, not truth.
//
// The lock of the table is a leaf: under it nobody is called.
//
// # What a crash can lose
//
// With a store, no key that may have been published is forgotten while its files survive. The
// reply is written after the requester has it: a crash in between leaves the key in doubt. It is
// answered truthfully, and never published again. Without a store all keys are forgotten.
package idempotency
