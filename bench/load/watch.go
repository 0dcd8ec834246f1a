package load

import "time"

// progressEvery is how often progress is reported.
const progressEvery = time.Second

// watch reports progress until idle is closed; then it closes what it returns.
func (r *run) watch(idle <-chan struct{}) <-chan struct{} {
	done := make(chan struct{})
	if r.Progress == nil {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		var before uint64
		last := time.Now()
		for {
			select {
			case <-idle:
				return
			case <-ticker.C:
			}
			p, right := r.progress()
			now := time.Now()
			p.Rate = float64(right-before) / now.Sub(last).Seconds()
			before, last = right, now
			r.Progress(p)
		}
	}()
	return done
}

// progress is how the run stands, and how many right answers there were so far.
func (r *run) progress() (p Progress, right uint64) {
	sum := r.recorder.merged()
	p = Progress{
		Elapsed: time.Since(r.began), Total: r.schedule.end, Held: int(r.held.Load()),
		Lost: sum.lost, Wrong: sum.wrong, Duplicate: sum.duplicate,
	}
	p.Counting = p.Elapsed >= r.schedule.counted
	if r.Rate > 0 {
		p.Waiting = r.line.waiting()
	}
	p.P99 = sum.tallyLocked(Answered).latency.at(99)
	return p, sum.right
}
