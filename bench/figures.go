package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Figures are what a workload came to in one round.
type Figures struct {
	Answers int           // in the window
	Window  time.Duration // as it was
	CPU     time.Duration // of the server's process in the window
	Others  []PartCPU     // of other processes that took part in the work
	More    []Figure      // of this kind of workload only
	Times
	Faults
}

// Figure is one more figure.
type Figure struct {
	Unit  string
	Value float64
}

// PartCPU is the CPU time of a process in the window.
type PartCPU struct {
	Part string // what it does: broker, responder
	CPU  time.Duration
}

// Times is how long requesters waited: percentiles, from sending a request to its answer.
type Times struct{ P50, P90, P99, P999, Max time.Duration }

// Faults are what must not be, in the whole round.
type Faults struct {
	Lost      int // requests without an answer
	Wrong     int // answers that are not what was to be answered
	Duplicate int // answers to what was answered, or never asked
}

func (f *Faults) add(more Faults) {
	f.Lost += more.Lost
	f.Wrong += more.Wrong
	f.Duplicate += more.Duplicate
}

// CPUEach is the CPU time of the server by answer.
func (f Figures) CPUEach() time.Duration { return f.CPU / time.Duration(max(1, f.Answers)) }

// Rate is answers a second.
func (f Figures) Rate() float64 { return float64(f.Answers) / f.Window.Seconds() }

func (f Figures) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%7.1f µs of CPU, ", micros(f.CPUEach()))
	for _, o := range f.Others {
		fmt.Fprintf(&b, "%s %.1f, ", o.Part, micros(o.CPU)/float64(max(1, f.Answers)))
	}
	for _, m := range f.More {
		fmt.Fprintf(&b, "%s %.4g, ", m.Unit, m.Value)
	}
	fmt.Fprintf(&b, "%6.0f/s, ", f.Rate())
	if f.Times != (Times{}) {
		fmt.Fprintf(&b, "%v, ", f.Times)
	}
	fmt.Fprintf(&b, "lost %d, wrong %d, duplicate %d", f.Lost, f.Wrong, f.Duplicate)
	return b.String()
}

func (t Times) String() string {
	round := func(d time.Duration) time.Duration { return d.Round(time.Microsecond) }
	return fmt.Sprintf("p50 %v, p99 %v, p99.9 %v, max %v", round(t.P50), round(t.P99), round(t.P999), round(t.Max))
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// timesOf sorts times and gives percentiles (nearest rank).
func timesOf(times []time.Duration) Times {
	if len(times) == 0 {
		return Times{}
	}
	slices.Sort(times)
	rank := func(perMille int) time.Duration { return times[(len(times)*perMille+999)/1000-1] }
	return Times{P50: rank(500), P90: rank(900), P99: rank(990), P999: rank(999), Max: times[len(times)-1]}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func each[T, V any](of []T, f func(T) V) []V {
	values := make([]V, len(of))
	for i, v := range of {
		values[i] = f(v)
	}
	return values
}
