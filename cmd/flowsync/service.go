package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/admin"
)

// consoleWait is how long the console may take to close, after the gateway has.
const consoleWait = time.Second

// gatewayPart is the gateway as far as its console and run need it.
type gatewayPart interface {
	// Ready says why requests cannot be served now; empty: they can.
	Ready() []string
	// Failed and Shutdown are as in service.
	Failed() <-chan error
	Shutdown(ctx context.Context) error
}

// joined is a gateway with its console, as the one service that run knows.
type joined struct {
	gateway  gatewayPart
	console  *console
	overview overview
	failed   chan error
	stop     chan struct{}
	watching sync.WaitGroup
}

// join serves the console of a gateway that is open. On error the caller closes both.
func join(gateway gatewayPart, sources admin.Sources, c *console, o overview) (*joined, error) {
	if err := c.serve(sources, gateway.Ready); err != nil {
		return nil, err
	}
	o.admin = c.addr()
	j := &joined{gateway: gateway, console: c, overview: o, failed: make(chan error, 1), stop: make(chan struct{})}
	j.watching.Go(j.watch)
	return j, nil
}

// watch passes on the first failure of either.
func (j *joined) watch() {
	select {
	case err := <-j.gateway.Failed():
		j.failed <- err
	case err := <-j.console.failed:
		j.failed <- err
	case <-j.stop:
	}
}

// Overview implements service.
func (j *joined) Overview() overview { return j.overview }

// Failed implements service.
func (j *joined) Failed() <-chan error { return j.failed }

// Shutdown implements service. The console closes last: until then it tells that the gateway is
// not ready, and what is held. It is called once.
func (j *joined) Shutdown(ctx context.Context) error {
	close(j.stop)
	j.watching.Wait()
	err := j.gateway.Shutdown(ctx)
	closing, cancel := context.WithTimeout(context.Background(), consoleWait)
	defer cancel()
	return errors.Join(err, j.console.close(closing))
}
