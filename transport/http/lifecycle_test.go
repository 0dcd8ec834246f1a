package http_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// While draining, held requests are answered and told that the connection ends, idle
// connections are closed, and nobody is accepted.
func TestShutdown(t *testing.T) {
	engine := newFakeEngine(nil)
	r := serve(t, http.Options{Engine: engine}, transaction("POST", "/x", node(t, core.NodeOptions{})))
	unused := r.dial(t)
	idle := r.dial(t)
	idle.send(post("/x", "", "1"))
	require.True(t, engine.end(engine.next(t).ID, answered("1")))
	require.Equal(t, "1", idle.receive().Text)
	var clients []*client
	var held []*begun
	for i := range 20 {
		c := r.dial(t)
		c.send(post("/x", "", itoa(i)))
		held = append(held, engine.next(t))
		clients = append(clients, c)
	}
	done := make(chan error, 1)
	go func() { done <- r.Shutdown(context.Background()) }()
	idle.ended()
	unused.ended()
	require.NoError(t, <-r.served)
	r.served <- nil // for the cleanup
	_, err := net.Dial("tcp", r.address)
	require.Error(t, err)
	for i, b := range held {
		select {
		case <-done:
			t.Fatal("Shutdown did not wait")
		default:
		}
		require.True(t, engine.end(b.ID, answered(b.Value)))
		got := clients[i].receive()
		require.Equal(t, itoa(i), got.Text)
		require.True(t, got.Close)
		clients[i].ended()
	}
	require.NoError(t, <-done)
	require.ErrorIs(t, r.Serve(nothing{}), http.ErrClosed)
}

type nothing struct{ net.Listener }

func (nothing) Close() error { return nil }

// A shutdown that is given up leaves what is held to Close, which cancels it.
func TestShutdownGivenUp(t *testing.T) {
	engine := newFakeEngine(nil)
	r := serve(t, http.Options{Engine: engine}, transaction("POST", "/x", node(t, core.NodeOptions{})))
	c := r.dial(t)
	c.send(post("/x", "", "1"))
	engine.next(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, r.Shutdown(ctx), context.Canceled)
	_, held, _ := engine.counts()
	require.Equal(t, 1, held)
	require.NoError(t, r.Close())
	_, held, cancelled := engine.counts()
	require.Equal(t, []int{0, 1}, []int{held, cancelled})
	require.NoError(t, r.Close())
}

// failing fails to accept as a process does that has no descriptors left.
type failing struct {
	net.Listener
	errs chan error
}

func (f *failing) Accept() (net.Conn, error) {
	select {
	case err := <-f.errs:
		return nil, err
	default:
		return f.Listener.Accept()
	}
}

func TestAcceptFailures(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ln := &failing{inner, make(chan error, 8)}
	for range 4 {
		ln.errs <- &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	engine := newFakeEngine(nil)
	var log lockedBuffer
	r := serveOn(t, ln, http.Options{Engine: engine, Logger: slog.New(slog.NewTextHandler(&log, nil))}, transaction("GET", "/x", node(t, core.NodeOptions{})))
	c := r.dial(t)
	c.send(get("/x"))
	require.True(t, engine.end(engine.next(t).ID, answered("1")))
	require.Equal(t, "1", c.receive().Text)
	require.Equal(t, 4, strings.Count(log.String(), "cannot accept a connection"))
	require.Contains(t, log.String(), "in=40ms")
}

// A listener that somebody else closed ends Serve with an error; a failing one does not keep
// Close from returning.
func TestListenerGone(t *testing.T) {
	server, err := http.New(http.Options{Logger: quiet()})
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	require.ErrorIs(t, server.Serve(ln), net.ErrClosed)

	stuck := &failing{ln, make(chan error, 1)}
	stuck.errs <- syscall.EMFILE
	served := make(chan error, 1)
	go func() { served <- server.Serve(stuck) }()
	require.Eventually(t, func() bool { return len(stuck.errs) == 0 }, patience, time.Millisecond)
	require.NoError(t, server.Close())
	<-served // net.ErrClosed or nil: either may come first
}

type lockedBuffer struct {
	mu sync.Mutex
	strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Builder.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Builder.String()
}

// Connections above the limit wait until there is a place.
func TestMaxConnections(t *testing.T) {
	engine := newFakeEngine(nil)
	r := serve(t, http.Options{Engine: engine, MaxConnections: 2}, transaction("GET", "/x", node(t, core.NodeOptions{})))
	first, second, third := r.dial(t), r.dial(t), r.dial(t)
	for _, c := range []*client{first, second, third} {
		c.send(get("/x"))
	}
	a, b := engine.next(t), engine.next(t)
	require.Empty(t, engine.begun)
	require.True(t, engine.end(a.ID, answered("1")))
	require.True(t, engine.end(b.ID, answered("1")))
	require.Equal(t, "1", first.receive().Text)
	require.NoError(t, first.Close())
	require.True(t, engine.end(engine.next(t).ID, answered("3")))
	require.Equal(t, "3", third.receive().Text)
}
