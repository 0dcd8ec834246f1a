// Package core is the engine of flowsync: it holds a requester's transaction open,
// hands its request to a bus, and ends it exactly once: with the responder's answer,
// or with a truthful outcome when no answer comes in time.
//
// It does no I/O and knows no protocol. It imports the standard library, and may import xsync.
//
// # Words
//
//   - requester: whoever asks and waits. responder: whoever answers on the bus.
//   - transaction: one held request, from [Engine.Begin] to the one call of its [Completer].
//   - node: one configured route or method ([Node]); it has a topic, a deadline and counters.
//   - request: what the bus carries to responders on the node's treq topic ([Request]).
//   - answer: a message that arrived on the node's tres topic ([Answer]); its content is a [Reply].
//   - outcome: how a transaction ended, one word of a closed list ([Outcome]).
//   - slot: the 64 bytes that keep one held transaction. shard: one lock, its slots and its
//     timer wheel. The id of a transaction says where its slot is and carries 74 random bits
//     that must match what the slot holds.
//   - late, duplicate, unknown, foreign, malformed, stale, ignored, extended: what an answer is
//     called that completes nothing ([AnswerKind]).
//   - place, turn: a serial node has one place at the bus, and its requests take it in turn.
//   - limit: how long a requester waits himself ([Call]).
//
// # Life of a transaction
//
//  1. Begin checks the limits, takes a slot, arms the deadline, and only then gives the
//     request to [Bus.Publish].
//  2. The bus calls [Sink.Sent] just before the bytes leave the process. From then on a
//     missing answer is a timeout ("it may have been done"), before it not_published
//     ("it was not done").
//  3. Whoever removes the transaction from its shard ends it: answer, deadline, failure,
//     cancel or shutdown. Everyone who comes later gets false, which is the ordinary
//     result for a late or duplicate answer.
//
// Of a serial node one request at a time is published: those that come meanwhile are held and wait,
// and who ends the one before publishes the next (gate.go). Who waits past his deadline, or whose
// turn comes with less than a twentieth of his time left, ends as shed, which says that it was not
// done. A responder may add time to the deadline of what was sent, as far
// as the node and the requester allow (extend.go).
//
// # Invariants
//
// Each has a test that carries its name.
//
//  1. ExactlyOnce: a transaction ends once. Removal from the shard decides who ends it.
//  2. FoundBeforeAnswered: it is in the table before the bus sees it, and out of it on
//     every exit, errors included.
//  3. NeverEarly: a deadline fires at or after its time, at most one tick (1 ms) plus one
//     wake-up of the driver late.
//  4. LeafLock: under the lock of a shard or a gate there is no second lock, channel, callback
//     or I/O.
//  5. TableAndWheelAgree: one lock covers both; begin arms, end disarms.
//  6. NeverAnothersAnswer: an id is never reused; a stale id matches nothing, not even
//     after its slot is reused. An answer counts only on its own node.
//  7. NothingOutlivesClose: after Close, Begin fails, nothing is held, no goroutine runs.
//  8. CountersAddUp: begun (refused ones included) = held + the sum over all outcomes.
//  9. SentAtMostOnce: not_published is said only of what was never handed over, or of what
//     the broker itself refused.
//  10. OneAtATime: of a serial node the bus is given a request only when the one before has ended.
//     If its requester went away after it was sent, it counts as ended when an answer to it has come,
//     or its deadline.
//  11. NeverPastTheLimit: a deadline only ever moves later, and never beyond the node's Timeout and
//     MaxExtend together, nor beyond the requester's limit.
//  12. WallClockIsOnlyShown: times are counted by the monotonic clock; what the wall clock says is
//     in timestamps alone.
//
// # Overload
//
// What cannot be answered in time is better refused at once (shed), while that costs little: a few
// tenths of a microsecond at most, without a slot, a message, or garbage. Four things shed at once:
// a place is missing in all or on a node (MaxInFlight), the values held are too large
// (MaxHeldBytes), the bus has more to send than it keeps ([ErrShed]), or deadlines come late
// ([Options.MaxLate]). The last one is how a machine shows that it is out of processors, whatever
// uses them: the goroutine that ends transactions waits for one as all others do. It sheds only
// while a transaction is held that should have ended, and not because a machine has paused once;
// driver.go tells how.
//
// A server pays more for a refusal than the engine does: to read and refuse a request takes it a
// third of the CPU that an answer takes, all processes counted. So what waits for its turn is held,
// as long as its deadline allows, and while the engine as a whole is full ([Engine.Crowded]) a server
// must not read those whom it has just refused.
//
// # Who owns what
//
// Byte slices given to Begin and Resolve are read during the call and never kept. The Value
// of a [Result] belongs to the engine and is valid only during [Completer.Complete]; [Waiter]
// and [Engine.Do] copy it. Completers run outside every lock, on the goroutine that ended
// the transaction, and must not block. A request that waits for its turn is a copy of the engine's
// own, which counts once against MaxHeldBytes, as it does while it is with the requester.
//
// Where to read on: the golden transcripts under testdata show the semantics line by line,
// shard.go and wheel.go are the heart, gate.go is what serial nodes add, and transport/doc.go tells how
// to write a bus or a server.
package core
