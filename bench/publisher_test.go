package bench_test

import (
	"testing"

	"github.com/flowsync-go/flowsync/bench"
)

// What it costs to get rid of a request, by connections, size and QoS.
func BenchmarkPublisher(b *testing.B) {
	var workloads []bench.Workload
	for _, p := range bench.Buses([]int{1, 2, 4}, []int{200, 4 << 10, 64 << 10}, []int{0, 1}) {
		workloads = append(workloads, p)
	}
	bench.Compare(b, nil, workloads...)
}
