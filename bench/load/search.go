package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// Search is a search for the highest rate that a target bears.
type Search struct {
	// Workload is one step. Its Rate is where the search begins; it may not be 0. Its Duration should
	// be such that its p99 means something: less than 100 requests have none.
	Workload
	// P99 is what the p99 of the right answers must be below.
	P99 time.Duration
	// MaxSteps bounds the search; 0: 30.
	MaxSteps int
	// OnStep, if not nil, is called with each step that is done, one after the other.
	OnStep func(Step)
}

// Step is one run of a search.
type Step struct {
	Rate   float64 `json:"rate_per_second"`
	Passed bool    `json:"passed"`
	Reason string  `json:"reason,omitempty"` // why it has not
	Report Report  `json:"report"`
}

// Capacity is what a search has found.
type Capacity struct {
	PerSecond float64 `json:"capacity_per_second"` // the highest rate that passed; 0: none
	P99Bound  float64 `json:"p99_bound_ms"`
	// Limit says what stopped the search, if it was not a rate that the target does not bear.
	Limit string `json:"limit,omitempty"`
	Steps []Step `json:"steps"` // in the order in which they were run
}

const (
	defaultMaxSteps = 30
	interrupted     = "it was interrupted"
	// closeEnough is how much higher the lowest rate that fails may be than the highest that passes.
	closeEnough = 1.05
	// minAnswered is how much of what started must be answered, in percent.
	minAnswered = 99
	// minRequests is how many requests it takes to speak of their p99.
	minRequests = 100
)

// FindCapacity doubles the rate until a step fails (or halves it until one passes), and halves the
// interval between then. A step passes if its p99 is below the bound, nothing was lost, wrong or
// duplicate, 99 % were answered, and the generator could start what it was to offer. One that fails
// is run once more before it is believed, and twice if the generator itself was late: machines have
// their moments.
//
// The error says why a step could not be run; what was found before is returned with it. When ctx
// ends, the capacity says so in Limit.
func FindCapacity(ctx context.Context, s Search) (Capacity, error) {
	if s.P99 <= 0 {
		return Capacity{}, fmt.Errorf("load: a bound of %v for the p99, want more than 0", s.P99)
	}
	if !(s.Rate > 0) {
		return Capacity{}, errors.New("load: a search begins with a rate, which is more than 0")
	}
	if s.MaxSteps == 0 {
		s.MaxSteps = defaultMaxSteps
	}
	f := finder{Search: s, capacity: Capacity{P99Bound: millis(s.P99)}}
	err := f.find(ctx)
	return f.capacity, err
}

// finder is a search under way.
type finder struct {
	Search
	capacity Capacity
	failed   float64 // the lowest rate that failed; 0: none
}

func (f *finder) find(ctx context.Context) error {
	for rate := max(1, math.Round(f.Rate)); ; {
		passed, err := f.try(ctx, rate)
		if err != nil || f.capacity.Limit != "" {
			return err
		}
		if passed {
			f.capacity.PerSecond = rate
		} else {
			f.failed = rate
		}
		if rate = f.next(); rate == 0 {
			return nil
		}
	}
}

// next is the rate to try now; 0: it is found, or there is no sense in going on.
func (f *finder) next() float64 {
	passed := f.capacity.PerSecond
	switch {
	case f.failed == 0 && passed >= MaxRate:
		f.capacity.Limit = fmt.Sprintf("more than %.0f requests a second are not offered", MaxRate)
		return 0
	case f.failed == 0:
		return min(2*passed, MaxRate)
	case passed == 0 && f.failed/2*f.Duration.Seconds() < minRequests:
		f.capacity.Limit = fmt.Sprintf("with less than %.0f requests a second there are too few in %v to have a p99: make --duration longer", f.failed, f.Duration)
		return 0
	case passed == 0:
		return math.Ceil(f.failed / 2)
	case f.failed <= passed*closeEnough || f.failed-passed <= 1:
		return 0
	}
	return math.Round((passed + f.failed) / 2)
}

// try runs a step, and again if it fails.
func (f *finder) try(ctx context.Context, rate float64) (passed bool, err error) {
	again := true
	for attempts := 2; attempts > 0; attempts-- {
		if len(f.capacity.Steps) >= f.MaxSteps {
			f.capacity.Limit = fmt.Sprintf("it ended after %d steps", f.MaxSteps)
			return false, nil
		}
		w := f.Workload
		w.Rate, w.Progress = rate, nil // there is a step every few seconds
		report, err := Run(ctx, w)
		if err != nil {
			if ctx.Err() != nil {
				f.capacity.Limit = interrupted
			}
			return false, fmt.Errorf("at %s requests a second: %w", number(rate), err)
		}
		step := Step{Rate: rate, Report: report, Reason: f.judge(&report)}
		step.Passed = step.Reason == ""
		f.capacity.Steps = append(f.capacity.Steps, step)
		if f.OnStep != nil {
			f.OnStep(step)
		}
		if report.Interrupted {
			f.capacity.Limit = interrupted
			return false, nil
		}
		if step.Passed {
			return true, nil
		}
		if again && report.late() {
			attempts, again = attempts+1, false
		}
	}
	return false, nil
}

// judge says why a step has not passed; empty: it has.
func (f *finder) judge(r *Report) string {
	switch bound := millis(f.P99); {
	case r.Interrupted:
		return "interrupted"
	case r.Lost > 0 || r.Wrong > 0 || r.Duplicate > 0:
		return fmt.Sprintf("lost %d, wrong %d, duplicate %d", r.Lost, r.Wrong, r.Duplicate)
	case !r.Reached():
		return fmt.Sprintf("%d requests not started", r.Unstarted)
	case r.AnsweredPerCent < minAnswered:
		return fmt.Sprintf("only %s %% answered", number(r.AnsweredPerCent))
	case r.Latency.P99 >= bound && r.late():
		return fmt.Sprintf("p99 %s ms; the generator itself was late, p99 %s ms", number(r.Latency.P99), number(r.Lag.P99))
	case r.Latency.P99 >= bound:
		return fmt.Sprintf("p99 %s ms", number(r.Latency.P99))
	}
	return ""
}

// OK says whether a rate was found, and nothing was lost, wrong or duplicate at any.
func (c *Capacity) OK() bool {
	for i := range c.Steps {
		if r := &c.Steps[i].Report; r.Lost > 0 || r.Wrong > 0 || r.Duplicate > 0 || r.Interrupted {
			return false
		}
	}
	return c.PerSecond > 0
}
