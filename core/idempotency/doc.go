// Package idempotency keeps a request that is sent again from being carried out again.
//
// A [Table] stands between the servers and the engine: it is what servers call Begin and Cancel
// of. A call without a [core.Key], or of a node that was not added, goes straight on to the engine.
//
// # Words
//
//   - key: what tells a request that is sent again from a new one; its scope is node and user.
//   - identity: a hash of a request's value, byte for byte, and its parameters. The same key with
//     another identity is a conflict: nothing is done.
//   - entry: what the table knows of a key, for a window of time from the first request on.
//   - first: the request that made the entry; it is the one transaction of the engine. Those that
//     come later are none, and are counted by the table ([NodeStats]).
//   - in flight: the entry's transaction is held by the engine. Requests with the same key join it.
//   - replayed: the entry has the reply, which is given again.
//   - in doubt: the request may have been published, and its transaction ended without a reply. It
//     may have been carried out, so the key never publishes again within its window. Who asks
//     again waits for the late answer until his own deadline, and ends as timeout, in doubt, if
//     none comes.
//   - free: the request never left, or the broker refused it: the entry is forgotten at once.
//   - intent: the record of a key on disk before its request is published; [Store].
//
// # How those who wait end
//
// The first one ends as his transaction does. Those who have joined end with him, in the same way
// (Joined), if it was answered, if the answer was unusable, or if the key is free. If it ended
// without an answer they wait on, as if they had come a moment later. Each has a deadline of his
// own, the node's timeout or his own limit from when he asked; extensions are for the first one
// only. Whoever leaves is detached, and only when the last one leaves is the transaction cancelled.
//
// # Who owns what, what may block
//
// Nothing blocks: the store is told of what happens by a queue, and calls back when a record is
// on disk. The table sits on the bus's side too ([Table.Bus]): a request is held by the engine, its
// deadline armed, while its intent is written, and is published only then. So the engine knows
// what left, as ever, and a slow disk costs time, not truth. Requests of a node leave in the order in
// which they came: those without a key wait behind those whose intent is being written.
//
// One goroutine, the scribe, tells the store what happens, in the order in which it happens, and
// publishes what has been written; without a store there is none. Waiters have timers. What is over
// is forgotten a few at a time when something else happens. All is bounded, see [Options].
//
// The lock of the table is a leaf: under it nobody is called.
//
// # What a crash can lose
//
// With a store, no key that may have been published is forgotten while its files survive. The
// reply is written after the requester has it: a crash in between leaves the key in doubt. So does
// one between the end of a request that never left and the deletion of its intent. Such a key is
// answered truthfully, and never published again. Without a store all keys are forgotten.
//
// While the process lives windows are measured by a clock that nobody can set. Across a restart
// they go by the wall clock: set forward, it ends them early; set back, it cannot make them longer
// than they are.
package idempotency
