// Package load offers load to a flowsync, checks every answer against its request, and says how
// long requesters waited. `flowsync load` is its command; the benchmarks of the whole path use it too.
//
// # Words
//
//   - lane: one requester that asks one request at a time ([Lane]): a connection over HTTP, a place
//     in flight on a session over OPC UA. target: what is asked, and opens lanes ([Target]).
//   - open loop: requests have intended starts at a constant rate, whether or not those before have
//     been answered. Latency is counted from the intended start: a requester that had to wait for
//     a free lane waited, though nobody had sent anything for him (what is left out otherwise is
//     called coordinated omission: Gil Tene, "How NOT to Measure Latency", 2013).
//   - closed loop: each lane asks again as soon as it was answered. It says what a request costs,
//     and how many there may be, not how long one waits at a given rate.
//   - verdict: what became of one request ([Verdict]). lost: no answer, or none in time. wrong: an
//     answer that is not that of its request. duplicate: an answer that nobody waits for.
//   - goodput: requests answered, right and in time, a second.
//
// # Who owns what
//
// A run has a goroutine for each lane, and none is left when it returns. A lane is used by one
// goroutine; it has its own deadline for each request, so that nothing waits for ever. Everything
// is bounded: lanes, rate, duration, and the memory of what is recorded, which does not grow with
// the number of requests.
package load
