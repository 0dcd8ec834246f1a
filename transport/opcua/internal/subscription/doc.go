// Package subscription tells clients of changes: subscriptions (OPC 10000-4, 5.14) and their
// monitored items (OPC 10000-4, 5.13). Section numbers alone are of OPC 10000-4.
//
// # Words
//
//   - owner: the queue of Publish requests of one session, and the subscriptions it has.
//   - subscription: a set of items, reported together every publishing interval.
//   - item: one attribute of one node that is watched, with its sampling interval, filter and
//     queue.
//   - tick: the end of a publishing cycle.
//   - sample: a value that holds at an instant of the sampling interval. Values here live in
//     memory, so nothing polls: when a value is replaced, the item notes the new one and when
//     the next sample is due, and what held at an instant that has passed is queued then.
//     Instants are whole intervals from where the ticks began. Only live values are sampled by
//     the clock, at the ticks, and other attributes, which do not change, once.
//   - in line: a subscription that has something to send. One that finds no Publish request is
//     late, and sends as soon as one arrives.
//   - notice: the last word on a subscription, which its owner sends in its place.
//
// # Who owns what, what may block
//
// A Manager is used by all sessions. Methods may be called from many goroutines, do not block, and never
// call the functions they were given (respond) while they hold a lock. Each subscription has one
// timer, its publishing timer; it ends with the subscription. An owner has one more while
// Publish requests with a time limit wait. There are no goroutines but those of the timers'
// functions; a fault in them ends the subscription, not the process.
//
// Locks are taken in this order, each a leaf to those before it: subscription, owner, manager;
// and subscription, node, samples. So a node may tell an item of a change (samples) while a
// service that holds the subscription waits for the node.
//
// # What is bounded
//
// Options: subscriptions, items, room in queues and kept messages are counted for all sessions
// together, as clients multiply what each alone may have. Beyond the total room, a queue is revised
// to one sample, and messages are kept for fewer to fetch again. A client that never publishes
// loses its subscription when its lifetime ends, which is bounded too. Nothing of a request is
// kept: one id of a decoded request would keep the memory of all of it.
//
// # What is left out, and why
//
// Events: there are none, so the attribute EventNotifier cannot be monitored
// (BadMonitoredItemFilterUnsupported: it needs an EventFilter). Aggregates and SetTriggering are
// not offered. A percent deadband needs a node with an EURange, else it is
// BadMonitoredItemFilterUnsupported. Keep-alives and notices carry the next sequence number without
// using it.
//
// Where to read on: cycle.go is the state table, dispatch.go how Publish requests find messages,
// sample.go and item.go how values get into them.
package subscription
