package load

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// server takes a millisecond for each request, one after the other: it bears 1000 a second.
func server() *fake {
	return &fake{answer: func(uint64, time.Time) Verdict {
		pass(time.Millisecond)
		return Verdict{Outcome: Answered}
	}}
}

func TestFindCapacity(t *testing.T) {
	for name, from := range map[string]float64{"from below": 60, "from above": 5000} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var steps []Step
				c, err := FindCapacity(t.Context(), Search{
					Workload: workload(server(), from, 1, 2*time.Second), P99: 20 * time.Millisecond,
					OnStep: func(s Step) { steps = append(steps, s) },
				})
				require.NoError(t, err)
				assert.InDelta(t, 1000, c.PerSecond, 51)
				assert.Empty(t, c.Limit)
				assert.True(t, c.OK())
				assert.Less(t, len(c.Steps), 20)
				assert.Equal(t, len(steps), len(c.Steps))
				failed := 0
				for _, s := range c.Steps {
					assert.Equal(t, s.Rate < 1011, s.Passed, "%v: %s", s.Rate, s.Reason)
					if !s.Passed {
						failed++
					}
				}
				assert.Zero(t, failed%2, "each failure is tried once more")
				var svg bytes.Buffer
				require.NoError(t, c.Plot(&svg))
				assert.Contains(t, svg.String(), "p99.9")
			})
		})
	}
}

// Why steps fail, and what ends a search.
func TestSearchEnds(t *testing.T) {
	answering := func(v Verdict) *fake {
		return &fake{answer: func(uint64, time.Time) Verdict { return v }}
	}
	for name, c := range map[string]struct {
		target *fake
		steps  int
		reason string
		limit  string
		ok     bool
	}{
		"nothing fails": {target: new(fake), steps: 4, limit: "it ended after 4 steps", ok: true},
		"wrong":         {target: answering(Verdict{Outcome: Answered, Wrong: true}), reason: "lost 0, wrong 600, duplicate 0", limit: "too few"},
		"lost":          {target: answering(Verdict{Outcome: Lost}), reason: "lost 600, wrong 0, duplicate 0", limit: "too few"},
		"shed":          {target: answering(Verdict{Outcome: "shed"}), reason: "only 0 % answered", limit: "too few"},
		"slow": {target: &fake{answer: func(uint64, time.Time) Verdict {
			pass(30 * time.Millisecond)
			return Verdict{Outcome: Answered}
		}}, reason: "p99 30 ms", limit: "too few"},
		"busy": {target: &fake{answer: func(uint64, time.Time) Verdict {
			pass(time.Second)
			return Verdict{Outcome: Answered}
		}}, reason: " requests not started", limit: "too few"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := FindCapacity(t.Context(), Search{
					Workload: workload(c.target, 300, 100, 2*time.Second), P99: 20 * time.Millisecond, MaxSteps: c.steps,
				})
				require.NoError(t, err)
				if c.reason != "" {
					assert.Contains(t, got.Steps[0].Reason, c.reason)
				}
				assert.Contains(t, got.Limit, c.limit)
				assert.Equal(t, c.ok, got.OK())
				assert.Equal(t, c.ok, got.PerSecond > 0)
			})
		})
	}
}

func TestSearchStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		got, err := FindCapacity(ctx, Search{Workload: workload(new(fake), 100, 1, 2*time.Second), P99: time.Second})
		require.NoError(t, err)
		assert.Len(t, got.Steps, 2)
		assert.Equal(t, "it was interrupted", got.Limit)
		assert.Equal(t, "interrupted", got.Steps[1].Reason)
		assert.False(t, got.OK())
		assert.Equal(t, 100.0, got.PerSecond, "what was found is kept")
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := FindCapacity(ctx, Search{Workload: workload(&fake{probe: context.Canceled}, 100, 1, time.Second), P99: 1})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, "it was interrupted", got.Limit, "also before a step")
	_, err = FindCapacity(t.Context(), Search{Workload: workload(&fake{probe: errors.New("404")}, 100, 1, time.Second), P99: 1})
	assert.EqualError(t, err, "at 100 requests a second: 404")
	_, err = FindCapacity(t.Context(), Search{Workload: workload(new(fake), 0, 1, time.Second), P99: 1})
	assert.ErrorContains(t, err, "begins with a rate")
	_, err = FindCapacity(t.Context(), Search{Workload: workload(new(fake), 1, 1, time.Second)})
	assert.ErrorContains(t, err, "a bound of 0s")
}

// A rate of less than one a second is no closed loop.
func TestSearchFromNextToNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := FindCapacity(t.Context(), Search{Workload: workload(new(fake), 0.4, 1, 10*time.Second), P99: time.Second, MaxSteps: 2})
		require.NoError(t, err)
		assert.Equal(t, 1.0, got.Steps[0].Rate)
		assert.Equal(t, 2.0, got.PerSecond)
	})
}

// More than the highest rate is not tried.
func TestSearchAtTheHighestRate(t *testing.T) {
	f := finder{Search: Search{P99: time.Second}}
	f.capacity.PerSecond = MaxRate * 3 / 4
	assert.Equal(t, float64(MaxRate), f.next())
	f.capacity.PerSecond = MaxRate
	assert.Zero(t, f.next())
	assert.Contains(t, f.capacity.Limit, "more than 1000000 requests a second")
}

// A step that the generator is to blame for is tried once more than others.
func TestSearchWithALateGenerator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := workload(new(fake), 100, 1, 2*time.Second)
		w.pause = func(d time.Duration) { pass(max(d, 0) + 40*time.Millisecond) }
		got, err := FindCapacity(t.Context(), Search{Workload: w, P99: 20 * time.Millisecond, MaxSteps: 4})
		require.NoError(t, err)
		assert.Contains(t, got.Steps[0].Reason, "; the generator itself was late, p99 ")
		for i, rate := range []float64{100, 100, 100, 50} {
			assert.Equal(t, rate, got.Steps[i].Rate)
		}
	})
}
