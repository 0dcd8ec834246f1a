package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/flowsync-go/flowsync/bench/load"
)

// Overload is what becomes of requests when more are asked than can be answered.
type Overload struct {
	Peak    float64       // right answers a second that are possible
	Offered float64       // requests a second, three times as many
	Started float64       // of these, that the connections could start, by the gateway
	Goodput float64       // right answers a second
	Shed    float64       // requests a second that were refused, by the gateway
	Other   float64       // the same, that ended in another way, such as timeouts
	ShedP99 time.Duration // by the gateway's own histogram: the upper bound of the bucket
	P99     time.Duration // of answers, by the same
	Before  int64         // resident memory of the gateway in bytes
	After   int64
	Faults
}

const (
	// overloadFactor is how many times the capacity is offered.
	overloadFactor = 3
	// peakLanes is over how many connections the capacity is looked for, in a closed loop.
	peakLanes = 256
)

// Planned is a path whose flowsync is told to hold no more than twice what it holds when it answers
// as much as it can: that is how many requesters wait then, or the rate by the time an answer takes.
func Planned(p *Path) *Path {
	return &Path{Name: p.Name + "/limit=planned", Open: func(s *Site) (string, error) {
		s.limits = []string{fmt.Sprintf("--max-in-flight=%d", 2*peakLanes)}
		return p.Open(s)
	}}
}

// overload finds what a site can do, and asks for more over so many connections.
func (s *Site) overload(ctx context.Context, lanes int, window time.Duration) (o Overload, err error) {
	w := load.Workload{Lanes: peakLanes, WarmUp: window / 4, Duration: window, Timeout: Patience}
	f, report, err := s.ask(ctx, Echo, w, standardPayload)
	if err != nil {
		return o, err
	}
	o.Peak, o.Offered, o.Faults = Rate(f), math.Round(overloadFactor*Rate(f)), strict(&report)
	// As many connections as will ask for more, so that what these take is there before.
	w.Lanes, w.Rate = lanes, max(1, math.Round(o.Peak/2))
	if _, report, err = s.ask(ctx, Echo, w, standardPayload); err != nil {
		return o, err
	}
	o.Faults.add(faultsOf(&report)) // a limit may be reached for a moment while they all connect
	before, err := s.standing(ctx)
	if err != nil {
		return o, err
	}
	// What is measured is not how it begins, when all connections ask for the first time.
	w.Rate, w.WarmUp = max(1, o.Offered), window
	if _, report, err = s.ask(ctx, Echo, w, standardPayload); err != nil {
		return o, err
	}
	after, err := s.standing(ctx)
	o.Before, o.After = before.rss, after.rss
	o.fill(&report, before.metrics, after.metrics)
	return o, err
}

// fill takes what the load saw, and what the gateway saw between two times. What became of those
// that were to start in the time of measuring the load cannot tell: they wait for those before.
func (o *Overload) fill(r *load.Report, before, after metrics) {
	o.Faults.add(faultsOf(r))
	o.Goodput = r.GoodputPerSecond
	came := func(label string) float64 { return after.sum(ends, label) - before.sum(ends, label) }
	if all, right, shed := came(""), came(answeredLabel), came(shedLabel); right > 0 {
		each := o.Goodput / right
		o.Started, o.Shed, o.Other = all*each, shed*each, (all-right-shed)*each
	}
	o.ShedP99 = quantile(0.99, before.buckets(durations, shedLabel), after.buckets(durations, shedLabel))
	o.P99 = quantile(0.99, before.buckets(durations, answeredLabel), after.buckets(durations, answeredLabel))
}

// faultsOf are those that nothing excuses.
func faultsOf(r *load.Report) Faults {
	return Faults{Lost: int(r.Lost), Wrong: int(r.Wrong), Duplicate: int(r.Duplicate)}
}

// The words of flowsync for how requests end, and for its counter and histogram of them.
const (
	answeredLabel = `outcome="answered"`
	shedLabel     = `outcome="shed"`
	ends          = "flowsync_transactions_total"
	durations     = "flowsync_transaction_duration_seconds"
)

// quantile is the upper bound of the bucket in which the quantile lies of what came between two
// readings of a histogram. 0: nothing came.
func quantile(q float64, before, after map[float64]float64) time.Duration {
	bounds := make([]float64, 0, len(after))
	for bound := range after {
		bounds = append(bounds, bound)
	}
	slices.Sort(bounds)
	if len(bounds) == 0 {
		return 0
	}
	came := func(bound float64) float64 { return after[bound] - before[bound] }
	all := came(bounds[len(bounds)-1])
	for _, bound := range bounds {
		if all > 0 && came(bound) >= q*all {
			return time.Duration(min(bound, 1e6) * float64(time.Second)) // the last bound is infinite
		}
	}
	return 0
}

// ReportOverload asks a path for more than it can do, over so many connections, in rounds, each on
// processes of its own.
func ReportOverload(b *testing.B, p *Path, connections int) {
	b.Helper()
	var all []Overload
	for range *rounds {
		o, err := overloadOnce(b.Context(), p, connections)
		if err != nil {
			b.Fatal(err)
		}
		b.Logf("%+v", o)
		all = append(all, o)
	}
	reportOverload(b, all)
}

func reportOverload(b *testing.B, all []Overload) {
	b.Helper()
	report := func(unit string, f func(Overload) float64) { b.ReportMetric(median(each(all, f)), unit) }
	b.ReportMetric(0, "ns/op")
	report("peak-requests/s", func(o Overload) float64 { return o.Peak })
	report("offered/s", func(o Overload) float64 { return o.Offered })
	report("started/s", func(o Overload) float64 { return o.Started })
	report("requests/s", func(o Overload) float64 { return o.Goodput })
	report("goodput-of-peak", func(o Overload) float64 { return o.Goodput / o.Peak })
	report("shed/s", func(o Overload) float64 { return o.Shed })
	report("shed-of-started", func(o Overload) float64 { return o.Shed / max(1, o.Started) })
	report("shed-p99-ms", func(o Overload) float64 { return millis(o.ShedP99) })
	report("other/s", func(o Overload) float64 { return o.Other })
	report("answer-p99-ms", func(o Overload) float64 { return millis(o.P99) })
	report("rss-before-B", func(o Overload) float64 { return float64(o.Before) })
	report("rss-after-B", func(o Overload) float64 { return float64(o.After) })
	var faults Faults
	for _, o := range all {
		faults.add(o.Faults)
	}
	faults.report(b)
}

// overloadOnce does a round, with the CPUs divided between the site and whoever asks: else the
// asking takes away what the answering needs, and nobody could ask for more than is possible.
func overloadOnce(ctx context.Context, p *Path, connections int) (o Overload, err error) {
	site, asking, restore, err := divideCPUs()
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, restore()) }()
	if err := pin(site); err != nil {
		return o, err
	}
	err = onSite(p, func(s *Site) error {
		if err := pin(asking); err != nil {
			return err
		}
		var err error
		o, err = s.overload(ctx, connections, *window)
		return err
	})
	return o, err
}

// divideCPUs gives one half of the CPUs to a site and the other to whoever asks; restore undoes it.
// GOMAXPROCS stays as it is: who paces requests sleeps in the kernel, and would keep others from
// running if there were but one place to run.
func divideCPUs() (site, asking []int, restore func() error, err error) {
	all, err := allowedCPUs()
	if err == nil && len(all) < 2 {
		err = errors.New("bench: with one CPU nobody can ask for more than is possible")
	}
	if err != nil {
		return nil, nil, nil, err
	}
	half := len(all) / 2
	return all[:half], all[half:], func() error { return pin(all) }, nil
}
