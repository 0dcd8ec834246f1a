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
