package load

import (
	"math"
	"time"
)

// schedule says when each request is to start, counted from the first possible start. It reads no
// clock. The n-th request of a ramp starts when a rate that rises linearly has offered n of them:
// after √(2·n·ramp/rate).
type schedule struct {
	rate    float64 // a second
	ramp    time.Duration
	counted time.Duration // from when on requests count
	end     time.Duration // before which all start
	rising  float64       // requests that the ramp offers
}

func newSchedule(w Workload) schedule {
	s := schedule{rate: w.Rate, ramp: w.Ramp, counted: w.Ramp + w.WarmUp}
	s.end = s.counted + w.Duration
	s.rising = s.rate * s.ramp.Seconds() / 2
	return s
}

// at is the intended start of request n, from 0 on. It never decreases with n.
func (s schedule) at(n int) time.Duration {
	if requests := float64(n); requests >= s.rising {
		return s.ramp + time.Duration((requests-s.rising)/s.rate*1e9)
	}
	return time.Duration(math.Sqrt(2*float64(n)*s.ramp.Seconds()/s.rate) * 1e9)
}

// due is how many requests are to have started at a time, given how many were before.
func (s schedule) due(before int, now time.Duration) int {
	now = min(now, s.end-1)
	for s.at(before) <= now {
		before++
	}
	return before
}
