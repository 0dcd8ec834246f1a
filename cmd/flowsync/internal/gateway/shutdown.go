package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The bounds of what Shutdown does after the drain. Each part has its own, so that what takes
// long to end leaves the next the time it needs.
const (
	serverWait = time.Second     // for replies to be written; then connections are cut
	relayWait  = time.Second     // for mappings to map what waits for them, all together
	linkWait   = 2 * time.Second // for what is published to be written
)

// ErrStillHeld is returned by Shutdown, perhaps joined with others, when requests were still
// held at the end of its context. They ended as shutdown.
var ErrStillHeld = errors.New("requests were still held when the drain time was over")

// Shutdown refuses what is new, waits for what is held until ctx ends, ends what is still held
// then, and closes everything, which takes some seconds at most. The error is [ErrStillHeld] if
// something was left, joined with whatever could not be closed as it should.
func (g *Gateway) Shutdown(ctx context.Context) error {
	g.draining.Store(true)
	g.announce(ctx)
	var errs []error
	if g.table != nil {
		g.table.Drain() // who waits for a late answer may wait for long, and can ask again later
	}
	if g.engine.Drain(ctx) != nil { // nothing but the end of ctx
		errs = append(errs, ErrStillHeld)
	}
	return errors.Join(append(errs, g.closeAll())...)
}

// announce tells OPC UA clients, which look at the state of their server, how long they have at
// most. HTTP has no such word: its new requests are refused one by one, with the reason.
func (g *Gateway) announce(ctx context.Context) {
	if g.opcua == nil {
		return
	}
	remaining := serverWait
	if end, ok := ctx.Deadline(); ok {
		remaining += max(0, time.Until(end))
	}
	g.opcua.Drain(remaining)
}

// closeAll closes what is open, in the order in which nothing is lost: first whoever asks,
// then what is asked.
func (g *Gateway) closeAll() error {
	if g.engine != nil {
		g.engine.Close()
	}
	if g.bus != nil {
		g.bus.stop()
	}
	g.closeDoors()
	end := time.Now().Add(relayWait)
	for _, r := range g.relays {
		r.close(end)
	}
	for _, r := range g.runs {
		r.Close()
	}
	if g.ends != nil {
		g.ends.close()
	}
	return errors.Join(g.closeLink(), g.closeTable())
}

func (g *Gateway) closeLink() error {
	if g.link == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), linkWait)
	defer cancel()
	if err := g.link.Close(ctx); err != nil {
		return fmt.Errorf("closing the broker: %w", err)
	}
	return nil
}
