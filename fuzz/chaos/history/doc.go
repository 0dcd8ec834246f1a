// Package history records what happened in a fault campaign, and checks that nobody was lied to.
//
// A campaign runs gateways, a broker, responders and requesters, and does to them what happens in
// plants: connections are cut, brokers forget, processes are killed. Everybody records what he has
// seen; [Check] then looks for what a gateway must never do, whatever was done to it.
//
// # Words
//
//   - requester, responder, transaction, node, answer, outcome: as in package core.
//   - marker: a number that a requester puts into its value and a responder gives back. It tells
//     whose data a reply carries. Requests that repeat one idempotency key have one marker; one that
//     comes with another's key has its own.
//   - tap: the proxy between gateway and broker, see package tap; package watch lets it record.
//   - life: one gateway process, from its start to its end.
//   - story: all events of one marker. flight: all events of one id.
//   - fault: what was done on purpose, and when. What its [Effect] explains is no violation.
//
// # Order
//
// Every event gets the next number of one counter, while it is recorded. So an event that is
// recorded before something is done has a smaller number than all that this leads to, on any
// goroutine or machine. That is why each event says when it is to be recorded: a request when the
// tap has read its last byte and before it forwards the first; an answer before its first byte is
// forwarded; a question before it is asked; a reply when all of it is there. "Published before
// answered" is then a comparison of two numbers, and cannot be wrong because a machine was slow.
//
// Times come from the monotonic clock and are used for deadlines only, with room where the events
// enclose more than the gateway has seen: a requester waits longer than the gateway holds, so a
// timeout may never be early by its clock, and may be late by [Options.Tolerance].
//
// # Rules
//
//   - recorded: the history is complete, and everything in it was asked for by somebody.
//   - one-reply: a request has exactly one end; without a reply only if a fault explains it.
//   - answered: no success, no responder's error and no unusable answer without such an answer to
//     its own id, forwarded before.
//   - own-data: no reply carries another's marker or id.
//   - one-treq: no id and no request is published twice.
//   - one-treq-per-key: of the requests with one key at most one is published within the window,
//     over all gateways that share a state directory, unless the broker refused it.
//   - conflict: that a key is another request's is said only if one with another value had it before.
//   - retry-safe: who hears not_published, shed, no_subscriber or retrySafe can rely on it: the tap
//     has not seen the whole request, or the broker has refused it.
//   - never-early, in-time: no timeout before the deadline, no reply long after it.
//   - lost-waiter: no timeout although the answer was there well before the deadline.
//   - serial: on a serial node one request at a time.
//   - told: what is published on tend is what the requester got, once.
//   - counters, nothing-held: what a gateway has counted when it has drained is what its requesters
//     have seen, and it holds nothing.
//
// A rule may miss something where events do not tell (which of two requests with one key was
// published); it never reports what is right. Everything is kept in memory until the check, at less
// than 200 bytes an event, up to the limit given to [New].
package history
