package correlate

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"
)

const (
	sampled  = 16                    // one in so many looks at the clock when it expires
	attempts = 4                     // to begin all of them before the first deadline
	patience = time.Minute           // for the last one, behind its deadline
	grace    = 10 * time.Millisecond // in which one that comes twice is noticed
)

// Expire measures 1 000 000 deadlines: tick/held=1M all at the same time, second/held=1M one
// behind the other, over one second. cpu-ns/expiry is what the process spends on each, p50-ms and
// max-ms are how late they come, by one in 16 that looks at the clock; early is how many of these
// come before their time.
func Expire[K any](b *testing.B, open Open[K]) {
	expire(b, open, highest(), "tick", 0)
	expire(b, open, highest(), "second", time.Second)
}

func expire[K any](b *testing.B, open Open[K], h height, name string, over time.Duration) {
	var l *lateness
	b.Run(name+"/held="+h.name, func(b *testing.B) {
		if l == nil { // once, however many iterations are asked for
			var err error
			l, err = measureExpiry(b, open, h.held, over)
			fatal(b, err)
		}
		l.report(b)
	})
}

// lateness is how late deadlines came, and what they took.
type lateness struct {
	cpu    time.Duration // each
	sorted []int64       // ns
	early  int
}

func (l *lateness) report(b *testing.B) {
	b.ReportMetric(0, "ns/op") // says nothing
	b.ReportMetric(float64(l.cpu), "cpu-ns/expiry")
	b.ReportMetric(float64(l.sorted[len(l.sorted)/2])/1e6, "p50-ms")
	b.ReportMetric(float64(l.sorted[len(l.sorted)-1])/1e6, "max-ms")
	b.ReportMetric(float64(l.early), "early")
}

// measureExpiry begins n transactions that expire together or over a time, and waits for that. The
// first deadline must not come before all are begun; how long that takes depends on the core, so
// it is tried with more time when it was not enough.
func measureExpiry[K any](tb testing.TB, open Open[K], n int, over time.Duration) (*lateness, error) {
	lead := time.Duration(n)*time.Microsecond + 100*time.Millisecond
	for range attempts {
		all := make([]Held, n)
		core := open(tb)
		t := newTally(n)
		first := lead
		for i := range all {
			due := first + over*time.Duration(i)/time.Duration(n)
			all[i].tally = t
			if i%sampled == 0 {
				all[i].due = int64(due)
			}
			core.Begin(&all[i], due-time.Since(t.epoch))
		}
		runtime.GC() // what comes of it is not the deadlines'
		if time.Since(t.epoch) < first {
			return awaitExpiry(tb, core, t, all, first+over+patience)
		}
		core.Close()
		lead = 2 * time.Since(t.epoch)
	}
	return nil, fmt.Errorf("correlate: %d transactions could not be begun before the first deadline; the next try would have had %v", n, lead)
}

// awaitExpiry waits until all have expired, or until the tally is as old as last.
func awaitExpiry[K any](tb testing.TB, core Core[K], t *tally, all []Held, last time.Duration) (*lateness, error) {
	cpu := processTime(tb)
	select {
	case <-t.done:
	case <-time.After(last - time.Since(t.epoch)):
	}
	cpu = processTime(tb) - cpu
	<-time.After(grace) // one that comes twice has come by then
	core.Close()
	if left := t.left.Load(); left != 0 {
		return nil, fmt.Errorf("correlate: of %d deadlines %d did not come, or came again if that is negative", len(all), left)
	}
	l := &lateness{cpu: cpu / time.Duration(len(all))}
	for i := 0; i < len(all); i += sampled {
		l.sorted = append(l.sorted, all[i].late)
		if all[i].late < 0 {
			l.early++
		}
	}
	slices.Sort(l.sorted)
	return l, nil
}
