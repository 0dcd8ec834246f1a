// Package load offers load to a flowsync, checks every answer against its request, and says how
// long requesters waited. `flowsync load` is its command; the benchmarks of the whole path use it too.
//
// # Words
//
//   - lane: one requester that asks one request at a time ([Lane]): a connection over HTTP, a place
//     in flight on a session over OPC UA. target: what is asked, and opens lanes ([Target]).
//
//   - open loop: requests have intended starts at a constant rate, whether or not those before have
//     been answered. Latency is counted from the intended start: a requester that had to wait for
//     a free lane waited, though nobody had sent anything for him (what is left out otherwise is
//     called coordinated omission: Gil Tene, "How NOT to Measure Latency", 2013).
//
//   - closed loop: each lane asks again as soon as it was answered. It says what a request costs,
//     and how many there may be, not how long one waits at a given rate.
//
//   - verdict: what became of one request ([Verdict]). lost: no answer, or none in time. wrong: an
//     answer that is not that of its request. duplicate: an answer that nobody waits for.
//
//   - goodput: requests answered, right and in time, a second.
//
//   - lag: how late the generator itself started a request for which a lane was free. It is part of
//     the latency, and reported beside it, so that the two can be told apart.
//
// # The way of a request
//
//  1. The schedule (schedule.go) says when it is to start. One goroutine, the pacer (run.go), sleeps
//     until then, as precisely as the system can (pause_linux.go), and makes it due.
//  2. It waits in the line (line.go) for a lane. What still waits at the end was not started, and
//     is reported so: the generator has not offered what it was to offer.
//  3. The lane asks, and compares the answer with what is expected (expect.go). Over HTTP a fault
//     ends the connection: whose answers come over it is not certain any more (httplane.go).
//  4. Its times go into histograms of a fixed size (record.go), three digits exact, of which the
//     report is made. Ramp and warm-up are not counted, but faults in them are.
//
// A [Prober] is asked once before a run, so that a wrong route is told at once. [FindCapacity] is
// runs one after the other.
//
// # Who owns what
//
// A run has a goroutine for each lane, and none is left when it returns. A lane is used by one
// goroutine; it has its own deadline for each request, so that nothing waits for ever. Everything
// is bounded: lanes, rate, duration, and the memory of what is recorded, which does not grow with
// the number of requests.
package load
