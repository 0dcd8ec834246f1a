package gateway

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// The protocols of doors.
const (
	httpProtocol  = "HTTP"
	opcuaProtocol = "OPC UA"
)

// door is a server with what it listens on: where requesters of one protocol come in.
type door struct {
	protocol string // as the log and errors call it
	server   server
	listener net.Listener
}

// server is what the servers of all protocols have.
type server interface {
	// Serve returns nil after Shutdown or Close. It closes the listener.
	Serve(net.Listener) error
	// Shutdown waits until what is owed is written, or ctx ends.
	Shutdown(ctx context.Context) error
	// Close cuts what is left.
	Close() error
}

// serve serves until the server is closed, or fails.
func (g *Gateway) serve(d *door) {
	err := d.server.Serve(d.listener)
	if err == nil || g.draining.Load() {
		return
	}
	select {
	case g.failed <- fmt.Errorf("%s server on %s: %w", d.protocol, d.listener.Addr(), err):
	default: // one failure is told, which ends everything
	}
}

// closeDoors lets the connections write what they owe, and cuts those that do not end: a client
// that has sent half a request may keep its connection open as long as it likes.
func (g *Gateway) closeDoors() {
	var closing sync.WaitGroup
	for _, d := range g.doors {
		closing.Go(func() { g.closeDoor(d) })
	}
	closing.Wait()
	g.serving.Wait()
}

func (g *Gateway) closeDoor(d *door) {
	ctx, cancel := context.WithTimeout(context.Background(), serverWait)
	defer cancel()
	if d.server.Shutdown(ctx) != nil { // nothing but the end of ctx
		g.settings.Logger.Info("connections that did not end were cut", "protocol", d.protocol, "after", serverWait)
		_ = d.server.Close() // never fails
	}
	d.listener.Close() // the server has closed it, unless it never served
}
