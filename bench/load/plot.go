package load

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/flowsync-go/flowsync/bench/chart"
)

// Plot draws how long requests took, as SVG: latency by percentile, and the generator's lag beside it.
func (r *Report) Plot(w io.Writer) error {
	answers := series("right answers", r.distribution)
	if len(answers.Points) == 0 {
		return errors.New("there is nothing to plot: no request was answered")
	}
	all := []chart.Series{answers}
	if lag := series("lag of the generator", r.lags); len(lag.Points) > 0 {
		all = append(all, lag)
	}
	title := "Latency at " + number(r.GoodputPerSecond) + " requests a second, closed loop"
	if r.Loop == "open" {
		title = "Latency at " + number(r.OfferedPerSecond) + " requests a second, from the intended start"
	}
	return chart.Line(w, chart.Chart{
		Title:  title,
		X:      chart.Axis{Label: "1 request of so many takes longer (100: p99, 1000: p99.9)", Log: true},
		Y:      chart.Axis{Label: "latency", Unit: "ms", Log: true},
		Series: all,
	})
}

func series(name string, of times) chart.Series {
	s := chart.Series{Name: name}
	for percentile, d := range of.all() {
		if percentile < 100 && d >= time.Microsecond && len(s.Points) < chart.MaxPoints {
			s.Points = append(s.Points, chart.Point{X: 100 / (100 - percentile), Y: millis(d)})
		}
	}
	return s
}

// Plot draws latency over rate, as SVG: the bound of the search as a line, and rates that failed with
// a mark of their own. Of a rate that was tried more than once the better run counts, as it does for
// the search.
func (c *Capacity) Plot(w io.Writer) error {
	series := []chart.Series{{Name: "p50"}, {Name: "p99"}, {Name: "p99.9"}, {Name: "max"}}
	failed := chart.Series{Name: "p99 where it failed"}
	steps := c.best()
	for _, step := range steps {
		l := step.Report.Latency
		if !step.Passed && l.P99 > 0 {
			failed.Points = append(failed.Points, chart.Point{X: step.Rate, Y: l.P99})
		}
		for i, ms := range []float64{l.P50, l.P99, l.P999, l.Max} {
			if ms > 0 {
				series[i].Points = append(series[i].Points, chart.Point{X: step.Rate, Y: ms})
			}
		}
	}
	if len(series[0].Points) == 0 {
		return errors.New("there is nothing to plot: no request was answered")
	}
	if len(failed.Points) > 0 {
		series = append(series, failed)
	}
	if c.P99Bound > 0 {
		series = append(series, chart.Series{Name: "bound of p99: " + number(c.P99Bound) + " ms", Points: []chart.Point{
			{X: steps[0].Rate, Y: c.P99Bound}, {X: steps[len(steps)-1].Rate, Y: c.P99Bound},
		}})
	}
	return chart.Line(w, chart.Chart{
		Title:  "Latency over rate",
		X:      chart.Axis{Label: "requests a second, as offered", Log: true},
		Y:      chart.Axis{Label: "from the intended start to the answer", Unit: "ms", Log: true},
		Series: series,
	})
}

// best are the steps by their rate, the best of each: one that passed, or else that of the least p99.
func (c *Capacity) best() []Step {
	failed := map[bool]int{false: 1}
	steps := slices.Clone(c.Steps)
	slices.SortStableFunc(steps, func(a, b Step) int {
		return cmp.Or(cmp.Compare(a.Rate, b.Rate), cmp.Compare(failed[a.Passed], failed[b.Passed]),
			cmp.Compare(a.Report.Latency.P99, b.Report.Latency.P99))
	})
	return slices.CompactFunc(steps, func(a, b Step) bool { return a.Rate == b.Rate })
}
