package correlate

import (
	"runtime"
	"slices"
	"testing"
	"time"
)

// Memory measures what a transaction takes that is held, in bytes of the heap (heap-B/held), and
// what a cycle of the garbage collector takes while so many are, by the clock (gc-ms) and in CPU time
// of all processors (gc-cpu-ms): held=100k and held=1M. The keys are the caller's and not counted,
// unless the core keeps them.
func Memory[K any](b *testing.B, open Open[K]) {
	for _, h := range heights()[1:] {
		memory(b, open, h)
	}
}

func memory[K any](b *testing.B, open Open[K], h height) {
	var f *footprint
	b.Run("held="+h.name, func(b *testing.B) {
		if f == nil { // once, however many iterations are asked for
			f = measureMemory(b, open, h.held)
		}
		b.ReportMetric(0, "ns/op") // says nothing
		b.ReportMetric(f.bytes, "heap-B/held")
		b.ReportMetric(float64(f.cycle)/1e6, "gc-ms")
		b.ReportMetric(float64(f.cpu)/1e6, "gc-cpu-ms")
	})
}

// footprint is what held transactions cost while nothing happens.
type footprint struct {
	bytes      float64       // each
	cycle, cpu time.Duration // of one cycle
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
	var took, spent [cycles]time.Duration
	for i := range took {
		start, cpu := time.Now(), processTime(tb)
		runtime.GC()
		took[i], spent[i] = time.Since(start), processTime(tb)-cpu
	}
	slices.Sort(took[:])
	slices.Sort(spent[:])
	f.cycle, f.cpu = took[cycles/2], spent[cycles/2]
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
