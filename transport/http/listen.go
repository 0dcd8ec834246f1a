package http

import (
	"context"
	"net"

	"github.com/flowsync-go/flowsync/transport/internal/accept"
)

// Serve accepts connections from ln and serves them until Shutdown or Close, and returns nil
// then. It may be called for several listeners, after all routes were added. An accept that
// fails is tried again, later and later up to a second: a gateway that is out of descriptors
// must come back by itself. Serve closes ln.
func (s *Server) Serve(ln net.Listener) error {
	if !s.addListener(ln) {
		_ = ln.Close()
		return ErrClosed
	}
	loopback := isLoopback(ln.Addr())
	loop := accept.Loop{
		Places: s.places, Stop: s.draining, Logger: s.options.Logger,
		Start: func(raw net.Conn) { s.start(newConn(raw, s.tls, loopback)) },
	}
	return loop.Run(ln)
}

func (s *Server) addListener(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.serving = true
	s.listeners = append(s.listeners, ln)
	return true
}

// start serves a connection on a goroutine of its own. The caller has taken a place.
func (s *Server) start(c based) {
	if !s.track(c) {
		<-s.places
		c.base().abort()
		return
	}
	go func() {
		defer s.untrack(c)
		_ = s.fast.ServeConn(c) // how a connection ends is the requester's affair
	}()
}

func (s *Server) track(c based) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.conns[c.base()] = struct{}{}
	s.running.Add(1)
	return true
}

func (s *Server) untrack(c based) {
	c.base().watch.stop()
	s.mu.Lock()
	delete(s.conns, c.base())
	s.mu.Unlock()
	<-s.places
	s.running.Done()
}

// Shutdown stops accepting, closes idle connections, and waits until the others have written
// the reply they owe, which says "Connection: close". It ends no held request: the engine
// does, at the latest at their deadlines. If ctx ends first its error is returned, and Close
// ends what is left.
func (s *Server) Shutdown(ctx context.Context) error {
	s.drain(func(c *conn) bool { return c.state.CompareAndSwap(connIdle, connTaken) })
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close stops accepting, closes all connections, so that what they hold is cancelled, and
// returns when their goroutines have ended. It may be called more than once.
func (s *Server) Close() error {
	s.stopOnce.Do(func() { close(s.stopped) })
	s.drain(func(*conn) bool { return true })
	s.running.Wait()
	return nil
}

// drain stops accepting and aborts the connections that which picks.
func (s *Server) drain(which func(*conn) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.closing = true
		close(s.draining)
	}
	for _, ln := range s.listeners {
		_ = ln.Close() // it is gone either way
	}
	for c := range s.conns {
		if which(c) {
			c.abort()
		}
	}
}

func (s *Server) isDraining() bool {
	select {
	case <-s.draining:
		return true
	default:
		return false
	}
}
