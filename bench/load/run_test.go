package load

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Requests start when they are to: at a rate that rises, then at constant spacing.
func TestIntendedStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(fake)
		w := workload(f, 10, 3, time.Second)
		w.Ramp, w.WarmUp = 2*time.Second, time.Second
		began := time.Now().Add(Lead)
		report, err := Run(t.Context(), w)
		require.NoError(t, err)
		require.Len(t, f.asked, 10+10+10, "the ramp has half of what its time could have")
		for n, at := range f.asked {
			want := math.Sqrt(2 * float64(n) * 2 / 10) // √(2·n·ramp/rate)
			if n >= 10 {
				want = 2 + float64(n-10)/10
			}
			assert.InDelta(t, want, at.Sub(began).Seconds(), 1e-6, "request %d", n)
		}
		assert.EqualValues(t, 10, report.Requests, "of these, those after ramp and warm-up count")
		assert.Equal(t, 10.0, report.ReachedPerSecond)
		assert.Equal(t, 10.0, report.GoodputPerSecond)
		assert.Equal(t, 100.0, report.AnsweredPerCent)
		assert.Zero(t, report.Latency.Max)
		assert.Zero(t, report.Lag.Max)
		assert.Zero(t, report.WaitedForLane)
		assert.True(t, report.OK())
		assert.True(t, report.Reached())
		assert.Equal(t, 3, report.Reconnects)
		assert.Equal(t, 3, f.closed)
	})
}

// A lane that stalls makes those wait that were to start meanwhile, and their latency says so.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(seq uint64, _ time.Time) Verdict {
			if seq == firstSeq {
				pass(time.Second)
			}
			return Verdict{Outcome: Answered}
		}}
		report, err := Run(t.Context(), workload(f, 10, 1, 2*time.Second))
		require.NoError(t, err)
		assert.EqualValues(t, 20, report.Requests)
		assert.Equal(t, 1000.0, report.Latency.Max)
		// 1000, 900, … 100 ms, then ten times nothing
		assert.InDelta(t, 900, report.Latency.P90, 101)
		assert.InDelta(t, 500, report.Latency.P75, 1)
		assert.EqualValues(t, 9, report.WaitedForLane)
		assert.Zero(t, report.Lag.Max, "the generator is not to blame")
		assert.Zero(t, report.Unstarted)
	})
}

// What no lane was free for is said not to have been started, and is not lost.
func TestUnstarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(uint64, time.Time) Verdict {
			pass(700 * time.Millisecond)
			return Verdict{Outcome: Answered}
		}}
		w := workload(f, 10, 2, time.Second)
		w.WarmUp = time.Second
		report, err := Run(t.Context(), w)
		require.NoError(t, err)
		assert.Len(t, f.asked, 6, "at 0, 0.1, 0.7, 0.8, 1.4, 1.5 s")
		assert.EqualValues(t, 0, report.Requests, "all of the warm-up")
		assert.Equal(t, 10, report.Unstarted, "of those that count")
		assert.False(t, report.Reached())
		assert.Zero(t, report.Lost)
		assert.False(t, report.OK(), "nothing that counts was answered")
		assert.Equal(t, 2.0, report.GoodputPerSecond, "what was answered while counting")
	})
}

// Every kind of fault is caught: in the counts, in words, and in OK.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		v                      Verdict
		lost, wrong, duplicate uint64
		outcome, fault         string
		ok                     bool
	}{
		"right":     {v: Verdict{Outcome: Answered}, outcome: Answered, ok: true},
		"lost":      {v: Verdict{Outcome: Lost, Err: errors.New("EOF")}, lost: 1, outcome: Lost, fault: "request 1000000003, after 300ms: lost: EOF"},
		"wrong":     {v: Verdict{Outcome: Answered, Wrong: true, Err: errors.New("want 3")}, wrong: 1, outcome: Wrong, fault: "request 1000000003, after 300ms: wrong: want 3"},
		"duplicate": {v: Verdict{Outcome: Answered, Duplicates: 2}, duplicate: 2, outcome: Answered},
		"truthful":  {v: Verdict{Outcome: "timeout"}, outcome: "timeout", ok: true},
		"nameless":  {v: Verdict{}, outcome: otherOutcomes, ok: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{answer: func(seq uint64, _ time.Time) Verdict {
					if seq == firstSeq+3 {
						return c.v
					}
					return Verdict{Outcome: Answered}
				}}
				report, err := Run(t.Context(), workload(f, 10, 4, time.Second))
				require.NoError(t, err)
				assert.Equal(t, c.lost, report.Lost)
				assert.Equal(t, c.wrong, report.Wrong)
				assert.Equal(t, c.duplicate, report.Duplicate)
				assert.Equal(t, c.ok, report.OK())
				assert.EqualValues(t, 10, report.Requests)
				if c.outcome != Answered {
					assert.EqualValues(t, 9, report.count(Answered))
					assert.EqualValues(t, 1, report.count(c.outcome))
					assert.Equal(t, 9.0, report.GoodputPerSecond)
				}
				if c.fault != "" {
					assert.Equal(t, []string{c.fault}, report.Faults)
				} else {
					assert.Empty(t, report.Faults)
				}
			})
		})
	}
}

// A slow answer is late, not lost; one beyond the timeout is lost.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(seq uint64, deadline time.Time) Verdict {
			if seq == firstSeq+1 {
				return Verdict{Outcome: hang}
			}
			if seq == firstSeq+2 {
				pass(time.Second)
			}
			return Verdict{Outcome: Answered}
		}}
		w := workload(f, 10, 4, time.Second)
		w.Timeout = 1500 * time.Millisecond
		report, err := Run(t.Context(), w)
		require.NoError(t, err)
		assert.EqualValues(t, 1, report.Lost)
		assert.InDelta(t, 1000, report.Latency.Max, 1, "of those that are answered")
		assert.InDelta(t, 1500, report.Outcomes[1].Latency.Max, 1)
		assert.False(t, report.OK())
	})
}

func TestClosedLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(uint64, time.Time) Verdict {
			pass(100 * time.Millisecond)
			return Verdict{Outcome: Answered}
		}}
		w := workload(f, 0, 4, time.Second)
		w.WarmUp = 950 * time.Millisecond
		report, err := Run(t.Context(), w)
		require.NoError(t, err)
		assert.Equal(t, "closed", report.Loop)
		assert.InDelta(t, 40, report.GoodputPerSecond, 4)
		assert.InDelta(t, 100, report.Latency.P50, 0.1)
		assert.InDelta(t, 100, report.Latency.Max, 0.1)
		assert.Zero(t, report.Unstarted)
		assert.True(t, report.OK())
	})
}

// An interrupt ends a run early, with what was measured; what is in flight is not lost.
func TestInterrupt(t *testing.T) {
	// in a closed loop one lane asks for 2 s every 50 ms, and one thrice
	for rate, requests := range map[float64]float64{0: 40 + 3, 10: 20} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{answer: func(seq uint64, _ time.Time) Verdict {
				if seq == firstSeq+5 {
					return Verdict{Outcome: hang}
				}
				pass(50 * time.Millisecond)
				return Verdict{Outcome: Answered}
			}}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			w := workload(f, rate, 2, time.Hour)
			w.Timeout = time.Minute
			began := time.Now()
			report, err := Run(ctx, w)
			require.NoError(t, err)
			assert.True(t, report.Interrupted)
			assert.False(t, report.OK())
			assert.EqualValues(t, 1, report.Abandoned)
			assert.Zero(t, report.Lost)
			assert.InDelta(t, 2, report.DurationSeconds, 0.2)
			assert.InDelta(t, requests, float64(report.Requests), 1)
			assert.Less(t, time.Since(began), 4*time.Second)
		})
	}
}

// One that comes while nothing but the last answers is waited for is told, too.
func TestInterruptAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(seq uint64, _ time.Time) Verdict {
			if seq == firstSeq+9 {
				return Verdict{Outcome: hang}
			}
			return Verdict{Outcome: Answered}
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		report, err := Run(ctx, workload(f, 10, 2, time.Second))
		require.NoError(t, err)
		assert.True(t, report.Interrupted)
		assert.Equal(t, 1.0, report.DurationSeconds)
		assert.EqualValues(t, 1, report.Abandoned)
		assert.EqualValues(t, 10, report.Requests)
		assert.Zero(t, report.Lost)
		assert.False(t, report.OK())
	})
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(seq uint64, _ time.Time) Verdict {
			pass(10 * time.Millisecond)
			return Verdict{Outcome: Answered, Wrong: seq == firstSeq, Duplicates: int(seq % 2)}
		}}
		var all []Progress
		w := workload(f, 10, 2, 2*time.Second)
		w.WarmUp = 1500 * time.Millisecond
		w.Progress = func(p Progress) { all = append(all, p) }
		_, err := Run(t.Context(), w)
		require.NoError(t, err)
		require.Len(t, all, 3)
		assert.InDelta(t, 10, all[1].Rate, 1)
		assert.False(t, all[0].Counting)
		assert.True(t, all[2].Counting)
		assert.Zero(t, all[0].P99)
		assert.InDelta(t, float64(10*time.Millisecond), float64(all[2].P99), float64(20*time.Microsecond))
		assert.EqualValues(t, 1, all[0].Wrong)
		assert.Greater(t, all[2].Duplicate, all[1].Duplicate)
		assert.Equal(t, 3500*time.Millisecond, all[0].Total)
		assert.Contains(t, all[0].String(), "right answers/s, warming up, held")
		assert.NotContains(t, all[2].String(), "warming up")
	})
}

func TestRunRefuses(t *testing.T) {
	good := workload(new(fake), 10, 2, time.Second)
	for name, c := range map[string]struct {
		change func(*Workload)
		want   []string
	}{
		"target":   {func(w *Workload) { w.Target = nil }, []string{"no target"}},
		"bounds":   {func(w *Workload) { w.Rate, w.Lanes, w.Duration = 1e6+1, MaxLanes+1, 25*time.Hour }, []string{"a rate of", "lanes, want 1 to 65000", "a duration of 25h0m0s"}},
		"negative": {func(w *Workload) { w.Rate, w.Lanes, w.WarmUp, w.Ramp, w.Timeout = -1, 0, -1, -1, -1 }, []string{"a rate of -1", "0 lanes", "a warm-up", "a ramp", "a timeout"}},
		"no rate":  {func(w *Workload) { w.Rate, w.Ramp = 0, time.Second }, []string{"a ramp of 1s in a closed loop"}},
		"not one":  {func(w *Workload) { w.Rate = 0.1 }, []string{"not one would start"}},
		"NaN":      {func(w *Workload) { w.Rate = math.NaN() }, []string{"a rate of NaN"}},
		"probe":    {func(w *Workload) { w.Target = &fake{probe: errors.New("404")} }, []string{"404"}},
		"open":     {func(w *Workload) { w.Target = &fake{refuse: errors.New("refused")} }, []string{"refused"}},
		"fewer":    {func(w *Workload) { w.Target = &fake{fewer: 1} }, []string{"fake opened 1 lanes instead of 2"}},
	} {
		w := good
		c.change(&w)
		_, err := Run(t.Context(), w)
		for _, want := range c.want {
			assert.ErrorContains(t, err, want, name)
		}
	}
}

// Nothing that a target says makes a report grow without bound.
func TestBoundedReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		f := &fake{answer: func(seq uint64, _ time.Time) Verdict {
			word := make([]byte, 10+n.Add(1)%100)
			for i := range word {
				word[i] = 'a' + byte(seq+uint64(i))%26
			}
			return Verdict{Outcome: string(word), Wrong: seq%2 == 0, Err: errors.New(string(make([]byte, 9999)))}
		}}
		report, err := Run(t.Context(), workload(f, 1000, 10, time.Second))
		require.NoError(t, err)
		assert.LessOrEqual(t, len(report.Outcomes), maxOutcomes+1)
		assert.EqualValues(t, 1000, report.Requests)
		assert.Len(t, report.Faults, maxExcerpts)
		for _, fault := range report.Faults {
			assert.LessOrEqual(t, len(fault), maxExcerptSize+len("…"))
		}
	})
}

// The whole of a second at the highest rate, without invented time: nothing blocks or piles up.
func TestHighestRate(t *testing.T) {
	w := Workload{Target: new(quick), Rate: MaxRate, Lanes: 8, Duration: 100 * time.Millisecond}
	report, err := Run(t.Context(), w)
	require.NoError(t, err)
	assert.EqualValues(t, 100_000, report.Requests+uint64(report.Unstarted))
	assert.Positive(t, report.Requests)
}

// quick answers at once, and remembers nothing.
type quick struct{}

func (*quick) Open(_ context.Context, lanes int) ([]Lane, error) {
	opened := make([]Lane, lanes)
	for i := range opened {
		opened[i] = new(quick)
	}
	return opened, nil
}
func (*quick) String() string                { return "quick" }
func (*quick) Ask(uint64, time.Time) Verdict { return Verdict{Outcome: Answered} }
func (*quick) Close() error                  { return nil }
