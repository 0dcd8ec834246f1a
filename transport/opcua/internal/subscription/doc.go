// Package subscription tells clients of changes: subscriptions (OPC 10000-4, 5.14) and their
// monitored items (OPC 10000-4, 5.13).
//
// # Words
//
//   - owner: the queue of Publish requests of one session, and the subscriptions it has.
//   - subscription: a set of items, reported together every publishing interval.
//   - item: one attribute of one node that is watched, with its sampling interval, filter and
//     queue.
//   - sample: a value that holds at an instant of the sampling interval. Values here live in
//     memory, so nothing polls: when a value is replaced, the item notes the new one and when
//     the next sample is due, and what held at an instant that has passed is queued then.
//     Only live values are sampled by the clock, at the publishing interval.
//   - notification: what one Publish response carries.
//
// # Who owns what, what may block
//
// A Manager is used by all sessions. Methods may be called from many goroutines, do not block, and never
// call the functions they were given (respond) while they hold a lock. Each subscription has one
// timer, its publishing timer; it ends with the subscription.
package subscription
