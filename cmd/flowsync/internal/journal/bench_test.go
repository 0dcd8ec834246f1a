package journal

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchmarkPut is what group commit makes of requesters who each wait for their record: 1, and 64
// at a time.
func BenchmarkPut(b *testing.B) {
	for _, requesters := range []int{1, 64, 1024} {
		b.Run(fmt.Sprint(requesters), func(b *testing.B) {
			j, _ := openIn(b, b.TempDir())
			var n atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for range requesters {
				all.Go(func() {
					done := make(chan error, 1)
					for {
						i := n.Add(1)
						if i > int64(b.N) {
							return
						}
						j.Put(record(fmt.Sprint(i)), func(err error) { done <- err })
						if err := <-done; err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			b.StopTimer()
			stats := j.Stats()
			b.ReportMetric(float64(stats.Records)/b.Elapsed().Seconds(), "puts/s")
			b.ReportMetric(float64(stats.Commits)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}
