// Package correlate measures cores: what holds transactions, each with a deadline, and ends them.
// The project's engine is one, a map with a mutex and a timer for each entry is another.
//
// It knows nothing of any of them, not even of package core, so that internal benchmarks there can
// use it. Whoever measures writes an adapter of three methods ([Core]) and calls
//
//	func BenchmarkTableNaive(b *testing.B)  { correlate.Patterns(b, openNaive) }
//	func BenchmarkExpireNaive(b *testing.B) { correlate.Expire(b, openNaive) }
//	func BenchmarkHeldMemoryNaive(b *testing.B) { correlate.Memory(b, openNaive) }
//
// # Words
//
//   - held: begun, and not ended. [Held] is what a core tells of a deadline that has come.
//   - key: what Begin returns and End takes; the core's own type.
//   - now: a transaction is begun and ended at once, while others are held.
//   - fifo: each iteration ends the oldest one that is held and begins another.
//   - random: each iteration ends any one that is held and begins another.
//   - parallel: now, on as many goroutines as there are processors (go test -cpu 1,2).
//
// # What is measured, and how far to trust it
//
// ns/op is one begin and one end by the clock, with all that the machine does meanwhile; cpu-ns/op
// is what the process spent on it, on all processors. On a machine that others use, compare the
// latter. All transactions have the same timeout, as those of one route do. That is kind to timers
// in a heap: a new one is the last of all, and stays where it is put.
//
// A core that allocates pays for it when the collector runs: once in about as many iterations as
// transactions are held, so that with a million of them a short run sees none of it. That is kind to
// cores that allocate. What is missing from an iteration is gc-cpu-ms / held · B/op / heap-B/held,
// all of which [Memory] and [Patterns] tell.
//
// What others hold is built once for all patterns, however often the testing package calls them.
// With -short a thousand are held at most: that shows that a benchmark runs, and measures nothing.
//
// A call of a core is a call of an interface's method, of all cores alike: about 2 ns. The keys of
// those that are held lie in a slice, and fetching one in random order misses the cache as the core
// itself does. BenchmarkHarness tells what all this costs without a core.
//
// Deadlines are real: [Expire] waits for them by the clock. Lateness counts from the deadline as
// the caller knows it, before Begin is called, so that a core is never called early without being so.
package correlate
