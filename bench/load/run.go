package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Lead is how long after its lanes are open a run begins: they wait for the first start by then.
	Lead = 20 * time.Millisecond
	// lastStart is how long after the end of the schedule lanes that are free, but not given time by
	// their machine, may still take the last requests.
	lastStart = time.Second
	// longestPause is how late an interrupt may be noticed.
	longestPause = 100 * time.Millisecond
	// listening is how long lanes listen, at the end, for answers that nobody waits for.
	listening = 50 * time.Millisecond
	// interruptGrace is how long answers are still waited for after an interrupt.
	interruptGrace = time.Second
)

// Run asks as the workload says, and reports. It returns when all that was asked was answered or is
// lost. When ctx ends it starts no more, waits at most a second for what is in flight, and reports
// what there is: then the report says that it was interrupted. The error says why nothing could be
// measured: a workload that is out of bounds, a target that cannot be reached or refuses.
func Run(ctx context.Context, w Workload) (Report, error) {
	w, err := w.complete()
	if err != nil {
		return Report{}, err
	}
	if p, ok := w.Target.(Prober); ok {
		if err := p.Probe(ctx, w.Timeout); err != nil {
			return Report{}, err
		}
	}
	lanes, err := w.Target.Open(ctx, w.Lanes)
	if err != nil {
		return Report{}, err
	}
	if len(lanes) != w.Lanes {
		return Report{}, errors.Join(fmt.Errorf("load: %s opened %d lanes instead of %d", w.Target, len(lanes), w.Lanes), closeAll(lanes))
	}
	r := newRun(w, lanes)
	r.run(ctx)
	report := r.report()
	_ = closeAll(lanes) // the connections may be gone, and nobody is waited for
	return report, nil
}

func closeAll(lanes []Lane) error {
	var errs []error
	for _, l := range lanes {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// run is one run of a workload.
type run struct {
	Workload
	lanes    []Lane
	schedule schedule
	line     *line // of an open loop
	recorder *recorder
	began    time.Time
	held     atomic.Int64
	// interrupted: what is lost from now on, is so because nobody waits for it.
	interrupted atomic.Bool
	ended       time.Duration // when the last request could start; valid at the end
	unstarted   int           // valid at the end
}

func newRun(w Workload, lanes []Lane) *run {
	return &run{Workload: w, lanes: lanes, schedule: newSchedule(w), line: newLine()}
}

func (r *run) run(ctx context.Context) {
	r.recorder = newRecorder(len(r.lanes), r.schedule)
	starting, cancel := context.WithCancel(ctx)
	defer cancel()
	r.began = time.Now().Add(Lead)
	var asking sync.WaitGroup
	for i, lane := range r.lanes {
		group := r.recorder.group(i)
		asking.Go(func() {
			if r.Rate > 0 {
				r.open(lane, group)
			} else {
				r.closed(starting, lane, group)
			}
			r.listen(lane, group)
		})
	}
	idle := make(chan struct{})
	go func() {
		asking.Wait()
		close(idle)
	}()
	watched := r.watch(idle)
	r.pace(starting)
	cancel() // a closed loop ends with this
	r.await(ctx, idle)
	<-watched
}

// pace makes requests due when it is time, until the end of the schedule or of ctx.
func (r *run) pace(ctx context.Context) {
	due := 0
	for now := time.Since(r.began); ctx.Err() == nil && now < r.schedule.end; now = time.Since(r.began) {
		next := r.schedule.end
		if r.Rate > 0 {
			due = r.schedule.due(due, now)
			r.line.advance(due)
			next = min(next, r.schedule.at(due))
		}
		r.pause(min(next-time.Since(r.began), longestPause))
	}
	r.ended = max(0, min(time.Since(r.began), r.schedule.end))
	if r.Rate > 0 {
		r.finish(ctx, due)
	}
}

// finish lets lanes that are free take the last requests, and counts those that none was free for.
func (r *run) finish(ctx context.Context, due int) {
	if ctx.Err() == nil {
		r.line.advance(r.schedule.due(due, r.schedule.end))
		for late := time.Duration(0); late < lastStart && !r.line.settled(); late += time.Millisecond {
			r.pause(time.Millisecond)
		}
	}
	first, end := r.line.close()
	for ; first < end; first++ { // what only warmed up is not missed
		if r.schedule.at(first) >= r.schedule.counted {
			r.unstarted += end - first
			break
		}
	}
}

// await waits for the lanes, which wait for what they have asked.
func (r *run) await(ctx context.Context, idle <-chan struct{}) {
	select {
	case <-idle:
		return
	case <-ctx.Done():
	}
	grace := time.NewTimer(interruptGrace)
	defer grace.Stop()
	select {
	case <-idle:
		return
	case <-grace.C:
	}
	r.interrupted.Store(true)
	_ = closeAll(r.lanes) // they are closed again at the end, and an error would be told there
	<-idle
}

// open takes what is due. Latency is counted from the intended start.
func (r *run) open(lane Lane, g *group) {
	for {
		free := time.Since(r.began)
		n, busy, ok := r.line.next()
		if !ok {
			return
		}
		intended := r.schedule.at(n)
		r.ask(lane, g, n, sample{busy: busy && free > intended, intended: intended})
	}
}

// closed asks again and again, until ctx ends.
func (r *run) closed(ctx context.Context, lane Lane, g *group) {
	select {
	case <-time.After(time.Until(r.began)):
	case <-ctx.Done():
	}
	for ctx.Err() == nil {
		now := time.Since(r.began)
		r.ask(lane, g, r.recorder.number(), sample{intended: now})
	}
}

// listen counts what comes after all on a lane that has been answered. Without it, an answer that
// comes twice would show only where the next request goes out on the same lane, and of many lanes
// most may ask once.
func (r *run) listen(lane Lane, g *group) {
	l, ok := lane.(Listener)
	if !ok || r.interrupted.Load() {
		return
	}
	if n := l.Stragglers(time.Now().Add(listening)); n > 0 {
		r.recorder.duplicates(g, n)
	}
}

func (r *run) ask(lane Lane, g *group, n int, s sample) {
	s.start = time.Since(r.began)
	r.held.Add(1)
	s.Verdict = lane.Ask(firstSeq+uint64(n), r.began.Add(s.start+r.Timeout))
	s.end = time.Since(r.began)
	r.held.Add(-1)
	s.seq = firstSeq + uint64(n)
	s.abandoned = s.Outcome == Lost && r.interrupted.Load()
	r.recorder.record(g, s)
}
