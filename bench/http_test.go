package bench_test

import (
	"testing"

	"github.com/flowsync-go/flowsync/bench"
)

// What a request over HTTP costs, by what carries it. QoS 1 over mochi as it comes is not among
// them, see [bench.External].
func BenchmarkHTTP(b *testing.B) {
	var workloads []bench.Workload
	for _, p := range []*bench.Path{bench.Mem(), bench.Embedded(0), bench.Embedded(1), bench.External(0)} {
		for _, connections := range []int{64, 512} {
			workloads = append(workloads, bench.StandardHTTP(p, connections))
		}
	}
	bench.Compare(b, nil, workloads...)
}
