package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// example is a run with something of everything.
func example(t *testing.T) (report Report) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(seq uint64, _ time.Time) Verdict {
			pass(time.Duration(seq%7) * time.Millisecond)
			switch seq % 100 {
			case 7:
				return Verdict{Outcome: "timeout"}
			case 8:
				return Verdict{Outcome: Lost, Err: errors.New("no answer: EOF")}
			case 9:
				return Verdict{Outcome: Answered, Wrong: true, Err: errors.New("the answer is 8, want 9")}
			}
			return Verdict{Outcome: Answered, Duplicates: int(seq%100) / 99}
		}}
		w := workload(f, 400, 2, time.Second)
		w.Ramp, w.WarmUp = 500*time.Millisecond, 250*time.Millisecond
		var err error
		report, err = Run(t.Context(), w)
		require.NoError(t, err)
	})
	report.Go, report.CPUs, report.Version = "go1.26 linux/amd64", 2, "flowsync 1.0"
	report.Expectation, report.PayloadBytes = "echo", 64
	return report
}

func TestReport(t *testing.T) {
	report := example(t)
	var text, plot bytes.Buffer
	require.NoError(t, report.WriteText(&text))
	golden(t, "report.txt", text.String())
	b, err := json.MarshalIndent(report, "", "  ")
	require.NoError(t, err)
	golden(t, "report.json", string(b)+"\n")
	require.NoError(t, report.Plot(&plot))
	assert.Contains(t, plot.String(), "Latency at 400 requests a second, from the intended start")
	assert.NotContains(t, plot.String(), "lag of the generator", "there was none")
	plot.Reset()
	report.lags.put(time.Millisecond)
	require.NoError(t, report.Plot(&plot))
	assert.Contains(t, plot.String(), "lag of the generator")

	units := map[string]float64{}
	for unit, value := range report.Metrics() {
		units[unit] = value
	}
	assert.Equal(t, report.GoodputPerSecond, units["requests/s"])
	assert.Equal(t, report.Latency.P999, units["p99.9-ms"])
	assert.EqualValues(t, report.Lost, units["lost"])
	for range report.Metrics() {
		break
	}
	for range report.Distribution() {
		break
	}
}

func TestWarnings(t *testing.T) {
	for want, r := range map[string]Report{
		"interrupted; 3 requests were in flight":          {Interrupted: true, Abandoned: 3},
		"NOT reached: 5 requests were not started":        {Unstarted: 5},
		"a wrong one would not have been noticed":         {},
		"does a responder run":                            {Checked: true, Loop: "open"},
		"2 requests waited for a free connection before ": {WaitedForLane: 2},
		"Connected anew 9 times":                          {Reconnects: 9},
		"The generator itself was late (p99 3 ms)":        {Lag: Latency{P99: 3}, Latency: Latency{P99: 4}},
		"(not checked)":                                   {},
		"closed loop, 0 connections":                      {Loop: "closed"},
		"lag of the generator            0         –":     {Loop: "open"},
	} {
		var b bytes.Buffer
		require.NoError(t, r.WriteText(&b))
		assert.Contains(t, b.String(), want)
	}
	var b bytes.Buffer
	assert.ErrorContains(t, new(Report).Plot(&b), "nothing to plot")
	assert.ErrorContains(t, new(Capacity).Plot(&b), "nothing to plot")
	assert.Empty(t, b.String())
}

func TestCapacityText(t *testing.T) {
	r := example(t)
	c := Capacity{PerSecond: 400, P99Bound: 20, Steps: []Step{{Rate: 400, Passed: true, Report: r}, {Rate: 800, Reason: "p99 70 ms", Report: r}}}
	var b bytes.Buffer
	require.NoError(t, c.WriteText(&b))
	golden(t, "capacity.txt", b.String())
	b.Reset()
	require.NoError(t, c.Plot(&b))
	assert.Contains(t, b.String(), "p99 where it failed")
	assert.Contains(t, b.String(), "bound of p99: 20 ms")
	b.Reset()
	passed := Capacity{PerSecond: 400, P99Bound: 20, Steps: []Step{{Rate: 400, Reason: "only 98 % answered", Report: r}, {Rate: 400, Passed: true, Report: r}}}
	require.NoError(t, passed.Plot(&b))
	assert.NotContains(t, b.String(), "where it failed", "the second time it passed")
	b.Reset()
	c.PerSecond, c.Limit = 0, "it was interrupted"
	require.NoError(t, c.WriteText(&b))
	assert.Equal(t, "800 requests/s: 387 right answers/s, p50 3 ms, p99 6 ms: failed: p99 70 ms", c.Steps[1].String())
	assert.Contains(t, b.String(), "no rate was found")
	assert.True(t, strings.HasSuffix(b.String(), "The search was not finished: it was interrupted.\n"))
}
