package load

import (
	"iter"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// times is a distribution of times: to three digits, from a microsecond on, in some 200 KB.
type times struct {
	*hdrhistogram.Histogram
	most time.Duration // exactly
}

func newTimes() times {
	return times{Histogram: hdrhistogram.New(int64(time.Microsecond), int64(2*MaxTimeout), 3)}
}

// put records a time. What is longer than the histogram reaches, which takes a queue of hours in
// front of the lanes, counts as the longest there.
func (t *times) put(d time.Duration) {
	d = max(0, d)
	t.most = max(t.most, d)
	_ = t.RecordValue(min(int64(d), t.HighestTrackableValue()))
}

// at is the time that so many of a hundred do not exceed; 0: there are none.
func (t *times) at(percentile float64) time.Duration {
	n := float64(t.TotalCount())
	if n == 0 {
		return 0
	}
	// The histogram rounds to the nearest rank there is, which may be one that fewer do not exceed.
	const noise = 1e-6 // of floating point, in ranks
	rank := max(1, math.Ceil(n*percentile/100-noise))
	return min(t.most, time.Duration(t.ValueAtQuantile(100*rank/n)))
}

func (t *times) merge(other times) {
	t.Merge(other.Histogram)
	t.most = max(t.most, other.most)
}

func (t *times) latency() Latency {
	at := func(percentile float64) float64 { return millis(t.at(percentile)) }
	return Latency{P50: at(50), P75: at(75), P90: at(90), P99: at(99), P999: at(99.9), Max: millis(t.most)}
}

// all gives the times at percentiles that come closer and closer to 100.
func (t times) all() iter.Seq2[float64, time.Duration] {
	return func(yield func(percentile float64, d time.Duration) bool) {
		if t.Histogram == nil {
			return
		}
		for _, b := range t.CumulativeDistributionWithTicks(5) {
			if !yield(b.Quantile, min(t.most, time.Duration(b.ValueAt))) {
				return
			}
		}
	}
}
