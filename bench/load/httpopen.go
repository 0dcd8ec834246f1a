package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// dialAtOnce is how many connections are being made at a time: more than servers let queue up would
// be refused.
const dialAtOnce = 64

// connectTime is how long making a connection may take.
const connectTime = 10 * time.Second

// Open implements [Target].
func (t *HTTP) Open(ctx context.Context, lanes int) ([]Lane, error) {
	if err := enoughDescriptors(lanes); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, connectTime+time.Duration(lanes)*time.Millisecond, errors.New("it takes too long"))
	defer cancel()
	opened := make([]Lane, lanes)
	for i := range opened {
		opened[i] = newHTTPLane(t)
	}
	var next, failed atomic.Int64
	errs := make([]error, min(lanes, dialAtOnce))
	var dialling sync.WaitGroup
	for d := range errs {
		dialling.Go(func() {
			for errs[d] == nil && failed.Load() == 0 {
				i := int(next.Add(1) - 1)
				if i >= lanes {
					return
				}
				if err := opened[i].(*httpLane).connect(ctx); err != nil {
					errs[d] = fmt.Errorf("connection %d of %d: %w", i+1, lanes, err)
					failed.Add(1)
				}
			}
		})
	}
	dialling.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, errors.Join(err, closeAll(opened))
		}
	}
	return opened, nil
}
