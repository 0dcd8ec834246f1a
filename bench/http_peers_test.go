//go:build peers

package bench_test

import (
	"testing"

	"github.com/flowsync-go/flowsync/bench"
)

// What a request costs with the broker mosquitto, which reads and writes packet by packet and ends
// near ten thousand requests a second.
func BenchmarkHTTPMosquitto(b *testing.B) {
	var workloads []bench.Workload
	for _, p := range []*bench.Path{bench.WithMosquitto(0), bench.WithMosquitto(1)} {
		for _, connections := range []int{64, 512} {
			workloads = append(workloads, bench.StandardHTTP(p, connections))
		}
	}
	bench.Compare(b, nil, workloads...)
}
