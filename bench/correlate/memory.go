package correlate

import (
	"runtime"
	"slices"
	"testing"
	"time"
)

// Memory measures what a transaction takes that is held, in bytes of the heap (heap-B/held), and
// how long a cycle of the garbage collector takes while so many are (gc-ms): held=100k and held=1M.
// The keys are the caller's and not counted, unless the core keeps them.
func Memory[K any](b *testing.B, open Open[K]) {
	for _, h := range heights[1:] {
		var f *footprint
		b.Run("held="+h.name, func(b *testing.B) {
			if f == nil { // once, however many iterations are asked for
				f = measureMemory(b, open, h.held)
			}
			b.ReportMetric(0, "ns/op") // says nothing
			b.ReportMetric(f.bytes, "heap-B/held")
			b.ReportMetric(float64(f.cycle)/1e6, "gc-ms")
		})
	}
}

// footprint is what held transactions cost while nothing happens.
type footprint struct {
	bytes float64 // each
	cycle time.Duration
}

const cycles = 5 // of which the median counts

func measureMemory[K any](tb testing.TB, open Open[K], n int) *footprint {
	core := open(tb)
	defer core.Close()
	held := &Held{tally: newTally(0)}
	before := liveHeap()
	for range n {
		core.Begin(held, timeout)
	}
	f := &footprint{bytes: float64(liveHeap()-before) / float64(n)}
	var took [cycles]time.Duration
	for i := range took {
		start := time.Now()
		runtime.GC()
		took[i] = time.Since(start)
	}
	slices.Sort(took[:])
	f.cycle = took[cycles/2]
	return f
}

// liveHeap is how many bytes of the heap are in use, without garbage.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // what the first one has handed to finalizers and pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
