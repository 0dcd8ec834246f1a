//go:build linux

package main

import (
	"context"
	"os"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/process"
)

// noise is what a machine does that is shared with others: it stands still now and then, or has no
// time for us. Nobody keeps deadlines then.
const noise = "noise"

// The machine was noisy if one thread of the gateway or of this process was ready to run for half of a while
// and did not get to, or if a while took twice as long as it should have.
const while = 200 * time.Millisecond

// hearing listens until the function that it returns is called.
func (r *running) hearing(ctx context.Context) (stop func()) {
	if r.deaf {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.listen(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// listen records noise until ctx ends.
func (r *running) listen(ctx context.Context) {
	ticker := time.NewTicker(while)
	defer ticker.Stop()
	self, gateway := process.Waited(os.Getpid()), map[string]time.Duration(nil)
	for ctx.Err() == nil {
		before := time.Now()
		// It began now at the latest, if it turns out to be noise.
		over := r.site.history().Fault(noise, "the machine stood still, or had no time", history.DelaysReplies|history.LosesAnswers)
		select {
		case <-ctx.Done(): // what was until now is looked at, too
		case <-ticker.C:
		}
		took := time.Since(before)
		selfNow, gatewayNow := process.Waited(os.Getpid()), process.Waited(r.site.current().PID())
		if took > 2*while || longest(self, selfNow) > took/2 || longest(gateway, gatewayNow) > took/2 {
			over()
			r.mu.Lock()
			r.verdict.still += took
			r.mu.Unlock()
		}
		self, gateway = selfNow, gatewayNow
	}
}

// longest is how long the thread that has waited longest has, between two times.
func longest(before, after map[string]time.Duration) (most time.Duration) {
	for thread, waited := range after {
		if was, ok := before[thread]; ok {
			most = max(most, waited-was)
		}
	}
	return most
}
