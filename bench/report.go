package bench

import (
	"flag"
	"os"
	"slices"
	"testing"
	"time"
)

var (
	rounds   = flag.Int("bench.rounds", 5, "rounds of each workload")
	window   = flag.Duration("bench.window", 2*time.Second, "in which is measured, each round")
	inFlight = flag.Int("bench.inflight", 64, "requests in flight on the session")
	profile  = flag.String("bench.profile", "", "a folder: profile each server in one more round")
)

// Prepare is the first thing in TestMain. In the process of a server it runs the server, and does
// not return. Else it sees to it that one iteration of each benchmark is run if no flag says otherwise.
func Prepare(servers Servers) {
	if config, child := os.LookupEnv(childEnv); child {
		if err := serveChild(servers, config, os.Stdin, os.Stdout); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n") // nobody is there to hear of more
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.benchtime" })
	if !given {
		_ = flag.Set("test.benchtime", "1x") // which it takes
	}
}

// Standard is a workload as flags have it: one session, 64 in flight, texts of 32 bytes.
func Standard(name, server, security string, request Request) Workload {
	return Workload{
		Name: name, Server: server, Security: security, Request: request,
		InFlight: *inFlight, Payload: 32, WarmUp: *window / 4, Window: *window,
	}
}

// Compare runs workloads in alternating rounds and reports each as a benchmark of its name: medians,
// and the cost as a part of that of the workload of the name against, which is one of them.
func Compare(b *testing.B, against string, workloads ...Workload) {
	b.Helper()
	c, err := NewCampaign(workloads...)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	}()
	figures, err := c.Run(b.Context(), *rounds)
	if err == nil && *profile != "" {
		err = c.Profile(b.Context(), *profile)
	}
	if err != nil {
		b.Fatal(err)
	}
	base := slices.IndexFunc(workloads, func(w Workload) bool { return w.Name == against })
	for i, w := range workloads {
		b.Run(w.Name, func(b *testing.B) {
			report(b, figures[i])
			if base >= 0 && base != i {
				middle, least, most := ratio(figures[i], figures[base])
				b.ReportMetric(middle, "cpu-of-"+against)
				b.Logf("CPU is %.2f of that of %s; from %.2f to %.2f by round", middle, against, least, most)
			}
		})
	}
}

// report gives the medians of rounds.
func report(b *testing.B, rounds []Figures) {
	b.Helper()
	for _, f := range rounds {
		b.Log(f)
	}
	costs := each(rounds, func(f Figures) float64 { return micros(f.CPUEach()) })
	b.ReportMetric(0, "ns/op") // of a campaign: nobody wants to know
	b.ReportMetric(median(costs), "cpu-µs/request")
	b.ReportMetric(slices.Min(costs), "cpu-µs-min")
	b.ReportMetric(slices.Max(costs), "cpu-µs-max")
	b.ReportMetric(median(each(rounds, Figures.Rate)), "requests/s")
	b.ReportMetric(median(each(rounds, func(f Figures) float64 { return millis(f.P50) })), "p50-ms")
	b.ReportMetric(median(each(rounds, func(f Figures) float64 { return millis(f.P99) })), "p99-ms")
	var faults Faults
	for _, f := range rounds {
		faults.Lost += f.Lost
		faults.Wrong += f.Wrong
		faults.Duplicate += f.Duplicate
	}
	faults.report(b)
}

func (f Faults) report(b *testing.B) {
	b.Helper()
	b.ReportMetric(float64(f.Lost), "lost")
	b.ReportMetric(float64(f.Wrong), "wrong")
	b.ReportMetric(float64(f.Duplicate), "duplicate")
	if f != (Faults{}) {
		b.Errorf("lost %d, wrong %d, duplicate %d: the figures are worth nothing", f.Lost, f.Wrong, f.Duplicate)
	}
}

// ratio is what one costs as a part of the other: of the medians, and by round the least and the most.
func ratio(one, other []Figures) (middle, least, most float64) {
	costs := func(f Figures) float64 { return micros(f.CPUEach()) }
	byRound := make([]float64, len(one))
	for i := range one {
		byRound[i] = costs(one[i]) / costs(other[i])
	}
	return median(each(one, costs)) / median(each(other, costs)), slices.Min(byRound), slices.Max(byRound)
}

func each[T any](of []T, f func(T) float64) []float64 {
	values := make([]float64, len(of))
	for i, v := range of {
		values[i] = f(v)
	}
	return values
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// ReportHeld has a workload's server hold n requests and reports what that takes.
func ReportHeld(b *testing.B, w Workload, n int) {
	b.Helper()
	c, err := NewCampaign(w)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	}()
	const reads = 500
	h, err := c.Hold(b.Context(), 0, n, reads)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(h.Bytes, "heap-B/held")
	b.ReportMetric(float64(h.Goroutines), "goroutines")
	b.ReportMetric(float64(h.Before), "goroutines-before")
	b.ReportMetric(millis(h.P50), "read-p50-ms")
	b.ReportMetric(millis(h.P99), "read-p99-ms")
	b.ReportMetric(millis(h.Max), "read-max-ms")
	b.ReportMetric(millis(h.AloneP50), "read-alone-p50-ms")
	b.ReportMetric(millis(h.AloneP99), "read-alone-p99-ms")
	h.report(b)
}
