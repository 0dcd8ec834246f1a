package http

import (
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// rest keeps shedding cheap. To read, judge and refuse a request costs a third of what an answered
// one costs, all processes counted. So a gateway that refuses as fast as it is asked has soon no time
// left to answer: asked three times as much as it can do, it answered a fifth of that, or less.
//
// A reply that sheds says when to come back (Retry-After), and that is when its connection is read
// again. Whoever comes back then does not notice; who asks at once is slowed down by TCP, while what
// he sent waits in the operating system's buffers. No reply is held back, and no connection that was
// not shed. The first few in a second (Options.FreeSheds) have no rest after them: they cost nothing
// worth saving, and a connection may be a proxy's, whose next request is somebody else's.
//
// What the next request may take (IdleTimeout) begins after the rest. A drain or Close ends a rest.
// It belongs to the connection's goroutine.
type rest struct {
	due   bool            // before the next read
	stop  <-chan struct{} // closed: rest no longer
	timer *time.Timer     // nil until the first rest
}

// rest takes note of how a transaction ended.
func (s *Server) rest(c *conn, o core.Outcome) {
	c.rest.due = o == core.Shed && s.options.Engine.Crowded() && !s.sheds.Allow()
	c.rest.stop = s.draining
}

// take rests, if a rest is due, before a read of c.
func (r *rest) take(c *timed) {
	if !r.due {
		return
	}
	start := time.Now()
	defer func() { c.postponeRead(time.Since(start)) }()
	r.due = false
	if r.timer == nil {
		r.timer = time.NewTimer(retryAfter)
	} else {
		r.timer.Reset(retryAfter)
	}
	select {
	case <-r.timer.C:
	case <-r.stop:
		r.timer.Stop()
	}
}
