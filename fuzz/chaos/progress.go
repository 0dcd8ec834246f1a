//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/requester"
)

// progressEvery is how often is told how far it is.
const progressEvery = 5 * time.Second

// longestOutage is how long nothing may be answered at all: faults are shorter, and when they are over
// the gateway connects again. A gateway that says truthfully for ever that nobody answers is of no use.
const longestOutage = 20 * time.Second

// watch tells how far it is until all are done.
func (r *running) watch(ctx context.Context, all *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	asked, answered, since := r.tally.Asked(), r.tally.Answered(), time.Now()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		before := asked
		asked = r.tally.Asked()
		if now := r.tally.Answered(); now > answered || asked == before {
			answered, since = now, time.Now()
		} else if out := time.Since(since); out > longestOutage {
			r.problem(fmt.Errorf("nothing was answered for %v", out.Round(time.Second)))
			since = time.Now()
		}
		r.phase.site.Note("%s %4.0f s: %d asked, %.0f/s, %d under way, %d faults", r.phase.site.Broker, time.Since(r.began).Seconds(),
			asked, float64(asked-before)/progressEvery.Seconds(), r.tally.Open(), r.injected())
	}
}

// recoverWithin is how long after the last fault it may take until half of the requests are answered again.
const recoverWithin = 15 * time.Second

// recovery looks whether the gateway works again when all faults are over.
type recovery struct {
	tally           *requester.Tally
	began, last     time.Time
	asked, answered uint64 // at last
	failed, done    bool
}

func (v *recovery) begin() {
	v.began, v.last = time.Now(), time.Now()
	v.asked, v.answered = v.tally.Asked(), v.tally.Answered()
}

// over says that it works again, or that it took too long. It is to be called every now and then.
func (v *recovery) over() bool {
	if v.began.IsZero() || v.done || time.Since(v.last) < time.Second {
		return v.done
	}
	asked, answered := v.tally.Asked(), v.tally.Answered()
	v.failed = time.Since(v.began) > recoverWithin
	v.done = v.failed || asked > v.asked && 2*(answered-v.answered) > asked-v.asked
	v.last, v.asked, v.answered = time.Now(), asked, answered
	return v.done
}
