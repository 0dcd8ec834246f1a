package load

import (
	"errors"
	"fmt"
	"time"
)

// Workload is what is asked of a target, and how. Target, Lanes and Duration are required.
type Workload struct {
	Target Target
	// Rate is how many requests start a second. 0: a closed loop, in which each lane asks again as
	// soon as it was answered.
	Rate float64
	// Ramp is how long the rate takes to rise, linearly, from 0 to Rate. What starts in it is not
	// counted. It needs a rate.
	Ramp time.Duration
	// WarmUp is how long is asked at the full rate before requests are counted.
	WarmUp time.Duration
	// Duration is how long requests are counted.
	Duration time.Duration
	// Lanes is how many requests are in flight at most.
	Lanes int
	// Timeout is how long an answer is waited for, from when the request was sent: then it is lost.
	// It should be longer than the gateway's, which else never gets to say that nobody answered.
	// 0: 10 s.
	Timeout time.Duration
	// Progress, if not nil, is called about once a second, on a goroutine of its own. It must not
	// block.
	Progress func(Progress)

	pause func(time.Duration) // how the pacer waits; nil: as precisely as the system can
}

// Progress is how a run stands.
type Progress struct {
	Elapsed, Total time.Duration // since the first start; of all starts
	Counting       bool          // ramp and warm-up are over
	Rate           float64       // right answers a second, since the last call
	P99            time.Duration // of what is counted so far; 0: nothing yet
	Held           int           // asked and not answered
	Waiting        int           // due, and waiting for a free lane

	Lost, Wrong, Duplicate uint64 // since the first start
}

// The bounds of a workload.
const (
	MaxRate     = 1e6
	MaxLanes    = 65_000
	MinDuration = 10 * time.Millisecond
	MaxDuration = 24 * time.Hour
	MaxTimeout  = time.Hour

	defaultTimeout = 10 * time.Second
)

// complete checks a workload and fills in what is missing. The error lists all faults.
func (w Workload) complete() (Workload, error) {
	var errs []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("load: "+format, args...))
		}
	}
	if w.Timeout == 0 {
		w.Timeout = defaultTimeout
	}
	if w.pause == nil {
		w.pause = pause
	}
	fault(w.Target == nil, "no target is given")
	fault(!(w.Rate >= 0 && w.Rate <= MaxRate), "a rate of %v requests a second, want 0 (closed loop) to %.0f", w.Rate, MaxRate)
	fault(w.Lanes < 1 || w.Lanes > MaxLanes, "%d lanes, want 1 to %d", w.Lanes, MaxLanes)
	fault(w.Duration < MinDuration || w.Duration > MaxDuration, "a duration of %v, want %v to %v", w.Duration, MinDuration, MaxDuration)
	fault(w.WarmUp < 0 || w.WarmUp > MaxDuration, "a warm-up of %v, want 0s to %v", w.WarmUp, MaxDuration)
	fault(w.Ramp < 0 || w.Ramp > MaxDuration, "a ramp of %v, want 0s to %v", w.Ramp, MaxDuration)
	fault(w.Ramp > 0 && w.Rate == 0, "a ramp of %v in a closed loop, which has no rate that could rise", w.Ramp)
	fault(w.Timeout < time.Millisecond || w.Timeout > MaxTimeout, "a timeout of %v, want 1ms to %v", w.Timeout, MaxTimeout)
	fault(w.Rate > 0 && w.Rate*w.Duration.Seconds() < 1, "%v requests a second for %v: not one would start", w.Rate, w.Duration)
	return w, errors.Join(errs...)
}
