package load

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	offered := "closed loop"
	if r.Loop == "open" {
		offered = fmt.Sprintf("open loop, %s requests/s", number(r.OfferedPerSecond))
	}
	r.head(&b, offered)
	r.rates(&b)
	r.times(&b)
	r.ends(&b)
	r.warnings(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func field(b *strings.Builder, name, format string, args ...any) {
	fmt.Fprintf(b, "%-12s %s\n", name, fmt.Sprintf(format, args...))
}

func (r *Report) head(b *strings.Builder, offered string) {
	field(b, "target", "%s", r.Target)
	field(b, "load", "%s, %d connections, %s counted, after %s of ramp and %s of warm-up",
		offered, r.Connections, seconds(r.DurationSeconds), seconds(r.RampSeconds), seconds(r.WarmUpSeconds))
	what := ""
	if r.PayloadBytes > 0 {
		what = fmt.Sprintf("%d bytes each; ", r.PayloadBytes)
	}
	field(b, "requests", "%sexpected: %s; lost after %s", what, or(r.Expectation, "the answer to each"), seconds(r.TimeoutSeconds))
	version := r.Version
	if version != "" {
		version += ", "
	}
	field(b, "generator", "%s%s, %d CPUs", version, r.Go, r.CPUs)
}

func (r *Report) rates(b *strings.Builder) {
	b.WriteByte('\n')
	field(b, "started", "%d requests, %s/s", r.Requests, number(r.ReachedPerSecond))
	field(b, "goodput", "%s right answers/s", number(r.GoodputPerSecond))
	checked := ""
	if !r.Checked {
		checked = " (not checked)"
	}
	field(b, "faults", "lost %d, wrong %d%s, duplicate %d", r.Lost, r.Wrong, checked, r.Duplicate)
}

func (r *Report) times(b *strings.Builder) {
	fmt.Fprintf(b, "\n%-22s %10s %9s %9s %9s %9s %9s %9s\n", "ms", "count", "p50", "p75", "p90", "p99", "p99.9", "max")
	row := func(name string, count uint64, l Latency) {
		fmt.Fprintf(b, "%-22s %10d", name, count)
		for _, ms := range []float64{l.P50, l.P75, l.P90, l.P99, l.P999, l.Max} {
			if count == 0 { // which is not 0 ms
				fmt.Fprintf(b, " %9s", "–")
				continue
			}
			fmt.Fprintf(b, " %9.3f", ms)
		}
		b.WriteByte('\n')
	}
	for _, t := range r.Outcomes {
		row(t.Outcome, t.Count, t.Latency)
	}
	if r.Loop == "open" {
		row("lag of the generator", r.Requests-r.WaitedForLane, r.Lag)
	}
}

func (r *Report) ends(b *strings.Builder) {
	from := "from the intended start, so that waiting for a free connection counts; lag is of requests that found one"
	if r.Loop == "closed" {
		from = "from when a request was sent; a closed loop asks less when answers are slow"
	}
	fmt.Fprintf(b, "Counted %s.\n", from)
	if r.Reconnects > 0 {
		fmt.Fprintf(b, "Connected anew %d times.\n", r.Reconnects)
	}
	for _, fault := range r.Faults {
		fmt.Fprintf(b, "  %s\n", fault)
	}
}

// warnings say what a reader must not overlook.
func (r *Report) warnings(b *strings.Builder) {
	var all []string
	warn := func(when bool, format string, args ...any) {
		if when {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	warn(r.Interrupted, "The run was interrupted; %d requests were in flight.", r.Abandoned)
	warn(!r.Reached(), "The offered rate was NOT reached: %d requests were not started, for want of a free connection. The target answers too slowly for %d connections: offer less, or use more.", r.Unstarted, r.Connections)
	warn(r.Reached() && r.WaitedForLane > 0, "%d requests waited for a free connection before they were sent.", r.WaitedForLane)
	warn(r.late(), "The generator itself was late (p99 %s ms), which these times include: its machine is busy, perhaps with the target. Offer less, or run it elsewhere.", number(r.Lag.P99))
	warn(!r.Checked, "Answers were not told apart: a wrong one would not have been noticed.")
	warn(r.count(Answered) == 0, "Not one request was answered: does a responder run, on the topic of this node?")
	if len(all) > 0 {
		b.WriteString("\n" + strings.Join(all, "\n") + "\n")
	}
}

func number(f float64) string {
	if f >= 100 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.3g", f)
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond).String()
}

// WriteText writes what a search has found for people.
func (c *Capacity) WriteText(w io.Writer) error {
	var b strings.Builder
	if len(c.Steps) > 0 {
		c.Steps[0].Report.head(&b, "open loop, step by step")
	}
	fmt.Fprintf(&b, "\n%12s %12s %9s %9s %9s %9s\n", "offered/s", "goodput/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms")
	for _, s := range c.Steps {
		l := s.Report.Latency
		fmt.Fprintf(&b, "%12s %12s %9.3f %9.3f %9.3f %9.3f  %s\n", number(s.Rate), number(s.Report.GoodputPerSecond), l.P50, l.P99, l.P999, l.Max, s.verdict())
	}
	b.WriteByte('\n')
	if c.PerSecond > 0 {
		fmt.Fprintf(&b, "capacity: %s requests a second, with p99 below %s ms\n", number(c.PerSecond), number(c.P99Bound))
	} else {
		fmt.Fprintf(&b, "capacity: no rate was found at which p99 is below %s ms\n", number(c.P99Bound))
	}
	if c.Limit != "" {
		fmt.Fprintf(&b, "The search was not finished: %s.\n", c.Limit)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Step) verdict() string {
	if s.Passed {
		return "passed"
	}
	return "failed: " + s.Reason
}

// String is a step in a line.
func (s Step) String() string {
	return fmt.Sprintf("%s requests/s: %s right answers/s, p50 %s ms, p99 %s ms: %s", number(s.Rate),
		number(s.Report.GoodputPerSecond), number(s.Report.Latency.P50), number(s.Report.Latency.P99), s.verdict())
}

// String is progress in a line.
func (p Progress) String() string {
	p99 := "warming up"
	if p.Counting {
		p99 = "p99 " + p.P99.Round(10*time.Microsecond).String()
	}
	return fmt.Sprintf("%v of %v: %s right answers/s, %s, held %d, waiting %d, lost %d, wrong %d, duplicate %d",
		p.Elapsed.Round(time.Second), p.Total.Round(time.Second), number(p.Rate), p99, p.Held, p.Waiting, p.Lost, p.Wrong, p.Duplicate)
}
