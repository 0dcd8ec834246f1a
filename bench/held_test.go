package bench_test

import (
	"testing"

	"github.com/flowsync-go/flowsync/bench"
)

// What ten thousand requests take that are held on connections of their own, and what others wait
// beside them.
func BenchmarkHeldConnections(b *testing.B) {
	n := 10_000
	if testing.Short() {
		n = 500
	}
	bench.ReportHeldConnections(b, bench.Embedded(0), n)
}

// How long it takes from the start of the program to its first answer.
func BenchmarkStart(b *testing.B) {
	bench.ReportStart(b)
}

// How long requesters wait at a constant rate.
func BenchmarkLatency(b *testing.B) {
	bench.ReportLatency(b, bench.Rates(), bench.External(0), bench.Embedded(0))
}

// What becomes of requests of which there are three times as many as can be answered, with the
// limit on held requests as it is, and with one that was planned.
func BenchmarkOverload(b *testing.B) {
	const connections = 4000
	for _, p := range []*bench.Path{bench.External(0), bench.Embedded(0)} {
		for _, p := range []*bench.Path{p, bench.Planned(p)} {
			b.Run(p.Name, func(b *testing.B) { bench.ReportOverload(b, p, connections) })
		}
	}
}
