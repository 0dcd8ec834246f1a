//go:build linux

package main

import (
	"context"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
)

// noise is what a machine does that is shared with others: it stands still now and then. Nobody
// keeps deadlines then.
const noise = "noise"

// stillFor is how long the machine must have stood still for it to be told.
const stillFor = 150 * time.Millisecond

// hearing listens until the function that it returns is called.
func (r *running) hearing(ctx context.Context) (stop func()) {
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

// listen records when this process did not get to run, until ctx ends.
func (r *running) listen(ctx context.Context) {
	const beat = 10 * time.Millisecond
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		before := time.Now()
		over := r.site.history().Fault(noise, "the machine stood still", history.DelaysReplies|history.LosesAnswers)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if still := time.Since(before); still > stillFor {
			over()
			r.mu.Lock()
			r.verdict.still += still
			r.mu.Unlock()
		}
	}
}
