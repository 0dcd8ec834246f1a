package bench

import (
	"slices"
	"strings"
	"testing"
)

// Relation is a figure of one workload as a part of that of another.
type Relation struct {
	Metric   string // its name in the report of the one
	Of, Over string // their names
	Figure   func(Figures) float64
}

// CPU is the figure of what an answer costs.
func CPU(f Figures) float64 { return micros(f.CPUEach()) }

// Rate is the figure of how many answers there are.
func Rate(f Figures) float64 { return f.Rate() }

// Against are the relations of the costs of workloads to that of the one of the name.
func Against(name string, workloads ...Workload) (relations []Relation) {
	for _, w := range workloads {
		if w.Title() != name {
			relations = append(relations, Relation{"cpu-of-" + name, w.Title(), name, CPU})
		}
	}
	return relations
}

// Compare runs workloads in alternating rounds and reports each as a benchmark of its name: medians,
// and the relations of it.
func Compare(b *testing.B, relations []Relation, workloads ...Workload) {
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
	byName := map[string][]Figures{}
	for i, w := range workloads {
		byName[w.Title()] = figures[i]
	}
	for i, w := range workloads {
		b.Run(w.Title(), func(b *testing.B) {
			report(b, figures[i])
			for _, r := range relations {
				if r.Of == w.Title() && byName[r.Over] != nil {
					r.report(b, figures[i], byName[r.Over])
				}
			}
		})
	}
}

// report gives the median of a relation, and the least and the most by round.
func (r Relation) report(b *testing.B, one, other []Figures) {
	b.Helper()
	middle, least, most := ratio(one, other, r.Figure)
	b.ReportMetric(middle, r.Metric)
	b.Logf("%s is %.2f; from %.2f to %.2f by round", r.Metric, middle, least, most)
}

// ratio is what one is as a part of the other: of the medians, and by round the least and the most.
func ratio(one, other []Figures, figure func(Figures) float64) (middle, least, most float64) {
	byRound := make([]float64, len(one))
	for i := range one {
		byRound[i] = figure(one[i]) / figure(other[i])
	}
	return median(each(one, figure)) / median(each(other, figure)), slices.Min(byRound), slices.Max(byRound)
}

// report gives the medians of rounds.
func report(b *testing.B, rounds []Figures) {
	b.Helper()
	for _, f := range rounds {
		b.Log(f)
	}
	costs := each(rounds, CPU)
	b.ReportMetric(0, "ns/op") // of a campaign: nobody wants to know
	b.ReportMetric(median(costs), "cpu-µs/request")
	b.ReportMetric(slices.Min(costs), "cpu-µs-min")
	b.ReportMetric(slices.Max(costs), "cpu-µs-max")
	for i, o := range rounds[0].Others {
		b.ReportMetric(median(each(rounds, func(f Figures) float64 {
			return micros(f.Others[i].CPU) / float64(max(1, f.Answers))
		})), o.Part+"-cpu-µs/request")
	}
	for i, m := range rounds[0].More {
		b.ReportMetric(median(each(rounds, func(f Figures) float64 { return f.More[i].Value })), m.Unit)
	}
	b.ReportMetric(median(each(rounds, Rate)), "requests/s")
	var faults Faults
	times := make([]Times, len(rounds))
	for i, f := range rounds {
		times[i] = f.Times
		faults.add(f.Faults)
	}
	if rounds[0].Times != (Times{}) {
		reportTimes(b, "", times)
	}
	faults.report(b)
}

// reportTimes gives the medians of percentiles, and the longest time of all.
func reportTimes(b *testing.B, prefix string, rounds []Times) {
	b.Helper()
	b.ReportMetric(median(each(rounds, func(t Times) float64 { return millis(t.P50) })), prefix+"p50-ms")
	b.ReportMetric(median(each(rounds, func(t Times) float64 { return millis(t.P90) })), prefix+"p90-ms")
	b.ReportMetric(median(each(rounds, func(t Times) float64 { return millis(t.P99) })), prefix+"p99-ms")
	b.ReportMetric(median(each(rounds, func(t Times) float64 { return millis(t.P999) })), prefix+"p99.9-ms")
	b.ReportMetric(slices.Max(each(rounds, func(t Times) float64 { return millis(t.Max) })), prefix+"max-ms")
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

// fileName is a title without what has a meaning in names of files.
func fileName(title string) string { return strings.ReplaceAll(title, "/", ",") }
