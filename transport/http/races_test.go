package http_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// stagedConn stops a connection at the places where races are decided. nil hooks do nothing.
type stagedConn struct {
	net.Conn
	beforeRead  func()
	afterRead   func()
	beforeWrite func()
	interrupted func()
	beforeClose func()
}

func (c *stagedConn) Read(p []byte) (int, error) {
	if c.beforeRead != nil {
		c.beforeRead()
	}
	n, err := c.Conn.Read(p)
	if c.afterRead != nil && n > 0 {
		c.afterRead()
	}
	return n, err
}

func (c *stagedConn) Write(p []byte) (int, error) {
	if c.beforeWrite != nil {
		c.beforeWrite()
	}
	return c.Conn.Write(p)
}

func (c *stagedConn) Close() error {
	if hook := c.beforeClose; hook != nil {
		c.beforeClose = nil
		hook()
	}
	return c.Conn.Close()
}

func (c *stagedConn) SetReadDeadline(at time.Time) error {
	if c.interrupted != nil && !at.IsZero() && at.Before(time.Now()) {
		c.interrupted()
	}
	return c.Conn.SetReadDeadline(at)
}

// stage runs a scene on one connection of a server on invented time.
func stage(t *testing.T, engine *fakeEngine, scene func(t *testing.T, s *http.Server, c *stagedConn, client *client)) {
	n := node(t, core.NodeOptions{})
	synctest.Test(t, func(t *testing.T) {
		server, err := http.New(http.Options{Engine: engine, Logger: quiet()})
		require.NoError(t, err)
		require.NoError(t, server.Add(transaction("POST", "/x", n)))
		ln := newMemoryListener()
		served := make(chan error, 1)
		go func() { served <- server.Serve(ln) }()
		near, far := net.Pipe()
		defer near.Close()
		c := &stagedConn{Conn: far}
		scene(t, server, c, newClient(t, near).on(ln, c))
		require.NoError(t, server.Close())
		require.NoError(t, <-served)
	})
}

// on is the client once it is to be served; hooks are set before.
func (c *client) on(ln *memoryListener, far net.Conn) *client {
	c.start = func() { ln.conns <- far }
	return c
}

// watched is longer than a request is held before its requester is watched.
const watched = time.Second

// 1. A request has been held for so long that its requester is watched; 2. the completer is about
// to interrupt that; 3. the next request arrives, and the connection looks whether it may go on: it
// may not, or the interrupt would hit the reading of that request.
func TestInterruptBeforeSignal(t *testing.T) {
	engine := newFakeEngine(nil)
	stage(t, engine, func(t *testing.T, _ *http.Server, c *stagedConn, client *client) {
		engine.begun = make(chan *begun, 2) // of this bubble
		release, wrote := make(chan struct{}), false
		c.interrupted = func() { <-release }
		c.beforeWrite = func() { wrote = true }
		client.start()
		client.send(post("/x", "", "1"))
		first := <-engine.begun
		<-time.After(watched)
		go engine.end(first.ID, answered("1"))
		synctest.Wait()
		client.send(post("/x", "", "2"))
		synctest.Wait()
		require.False(t, wrote, "the connection went on before the completer had finished")
		close(release)
		require.Equal(t, "1", client.receive().Text)
		second := <-engine.begun
		go engine.end(second.ID, answered("2"))
		require.Equal(t, "2", client.receive().Text)
	})
}

// Answers come at the very moments at which the watch over a requester begins, or would: each
// ends its request, whoever is first, and none harms the next request.
func TestAnswerWhenWatchBegins(t *testing.T) {
	engine := newFakeEngine(nil)
	stage(t, engine, func(t *testing.T, _ *http.Server, _ *stagedConn, client *client) {
		engine.begun = make(chan *begun, 1)
		client.start()
		require.NoError(t, client.SetDeadline(time.Time{}))
		for i := range 2000 {
			client.send(post("/x", "", itoa(i)))
			b := <-engine.begun
			<-time.After(time.Duration(i%5) * watched / 4) // a divisor of when it begins
			go engine.end(b.ID, answered(b.Value))
			require.Equal(t, itoa(i), client.receive().Text)
		}
	})
}

// Requests that come one after the other without pause are none that is held for long.
func TestManyShortRequestsAreNotWatched(t *testing.T) {
	engine := newFakeEngine(nil)
	stage(t, engine, func(t *testing.T, _ *http.Server, c *stagedConn, client *client) {
		engine.begun = make(chan *begun, 1)
		reads := 0
		c.beforeRead = func() { reads++ }
		client.start()
		require.NoError(t, client.SetDeadline(time.Time{}))
		for range 50 {
			client.send(post("/x", "", "1"))
			b := <-engine.begun
			<-time.After(watched / 10)
			go engine.end(b.ID, answered("1"))
			require.Equal(t, "1", client.receive().Text)
		}
		synctest.Wait()
		require.Equal(t, 51, reads)
	})
}

// 1. The reply is made; 2. the drain begins and finds the connection active; 3. the connection
// goes idle. It must close itself.
func TestIdleAfterDrainLooked(t *testing.T) {
	engine := newFakeEngine(echo)
	stage(t, engine, func(t *testing.T, server *http.Server, c *stagedConn, client *client) {
		shut := make(chan error, 1)
		c.beforeWrite = func() {
			c.beforeWrite = nil
			go func() { shut <- server.Shutdown(context.Background()) }()
			synctest.Wait()
		}
		client.start()
		begin := time.Now()
		client.send(post("/x", "", "1"))
		got := client.receive()
		require.Equal(t, "1", got.Text)
		require.False(t, got.Close, "the drain came too early for this test")
		require.NoError(t, <-shut)
		require.Zero(t, time.Since(begin))
	})
}

// 1. A request arrives; 2. the drain finds the connection idle still and takes it; 3. the
// request is read; 4. the drain closes the connection. The request must not be begun.
func TestRequestAfterDrainTook(t *testing.T) {
	engine := newFakeEngine(echo)
	stage(t, engine, func(t *testing.T, server *http.Server, c *stagedConn, client *client) {
		shut, release := make(chan error, 1), make(chan struct{})
		let := sync.OnceFunc(func() { close(release) })
		defer let() // a failure must not leave the drain where it is
		c.beforeClose = func() { <-release }
		c.afterRead = func() {
			c.afterRead = nil
			go func() { shut <- server.Shutdown(context.Background()) }()
			synctest.Wait()
		}
		client.start()
		client.send(post("/x", "", "1"))
		_, err := client.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		let()
		require.NoError(t, <-shut)
		total, _, _ := engine.counts()
		require.Zero(t, total)
	})
}
