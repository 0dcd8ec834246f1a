package embedded

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

const (
	// connectTimeout is how long a client may take from connecting to its CONNECT.
	connectTimeout = 10 * time.Second
	// writeTimeout is how long a client may take nothing of what waits for him.
	writeTimeout = 10 * time.Second
	// lingerTimeout is how long what was written last may take after Close.
	lingerTimeout = time.Second
)

var errSlow = errors.New("the client does not read")

// conn is a client's connection whose Write never waits: the broker writes under a lock that
// publishers need. What is written gathers in a backlog, and a goroutine writes it out.
type conn struct {
	net.Conn
	remote  string
	limit   int
	budget  *budget
	unacked ledger
	// established: the client has been told that he is connected, and given what was in his session.
	established atomic.Bool
	unreleased  unreleased        // of the goroutine that reads
	answer      *answerTopic      // what the client is publishing is an answer on it; of the goroutine that reads
	welcomed    func()            // called before the client is told that he is connected; set before he can be given anything
	slow        func(waiting int) // called once, when limit or writeTimeout has been reached
	wake        chan struct{}     // one token: there is something to do
	ended       chan struct{}     // closed when run returns

	mu      sync.Mutex // guards all below; leaf: no I/O but deadlines, no callback
	backlog backlog
	window  window
	waiting int // bytes of the backlog, of the window, and of the piece that is being written
	closing bool
	failed  error // why nothing can be written any more
}

func newConn(inner net.Conn, limit int, all *budget, slow func(waiting int)) *conn {
	c := &conn{
		Conn: inner, remote: inner.RemoteAddr().String(), limit: limit, budget: all, unacked: ledger{budget: all},
		slow: slow, wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	_ = inner.SetReadDeadline(time.Now().Add(connectTimeout)) // fails only if it is closed
	return c
}

// Write copies p, which is one packet, into the backlog.
func (c *conn) Write(p []byte) (int, error) {
	if c.welcomed != nil && p[0]>>4 == packets.Connack {
		c.welcomed()
	}
	c.mu.Lock()
	if err := c.refusalLocked(); err != nil {
		c.mu.Unlock()
		return 0, err
	}
	waiting := c.waiting
	if waiting+len(p) > c.limit {
		c.mu.Unlock()
		if c.giveUp(errSlow) {
			c.slow(waiting)
		}
		return 0, errSlow
	}
	if c.window.pass(p) {
		c.backlog.append(p)
	}
	c.waiting += len(p)
	c.budget.held.Add(int64(len(p)))
	c.mu.Unlock()
	c.signal()
	c.budget.check()
	return len(p), nil
}

// giveUp drops what waits and cuts the connection. False: it was cut or closed before.
func (c *conn) giveUp(why error) bool {
	c.mu.Lock()
	first := c.failed == nil && !c.closing
	if c.failed == nil {
		c.failed = why
	}
	c.discardLocked()
	c.mu.Unlock()
	_ = c.Conn.Close() // ends a write under way and the read
	c.signal()
	return first
}

func (c *conn) discardLocked() {
	c.budget.held.Add(int64(-c.waiting))
	c.backlog, c.waiting = backlog{}, 0
	c.window.discard()
}

// held is what waits for the client, in bytes: to be written and to be acknowledged.
func (c *conn) held() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting + c.unacked.bytes()
}

func (c *conn) refusalLocked() error {
	if c.failed == nil && c.closing {
		return net.ErrClosed
	}
	return c.failed
}

func (c *conn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// SetDeadline is what the broker calls for the keep-alive, which is about reading.
func (c *conn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return net.ErrClosed
	}
	return c.Conn.SetReadDeadline(t)
}

// Close ends reading at once. What was written before, such as the reason of a disconnect, goes
// out first; the connection is closed when run returns.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return net.ErrClosed
	}
	c.closing = true
	unsent := c.window.discard() // nobody is listened to any more who could acknowledge
	c.waiting -= unsent
	c.budget.held.Add(int64(-unsent))
	now := time.Now()
	err := errors.Join(c.Conn.SetReadDeadline(now), c.Conn.SetWriteDeadline(now.Add(lingerTimeout)))
	c.signal()
	return err
}

// run writes what gathers, until Close or until the client is given up, and closes the
// connection. Until it returns, run is the only one that writes.
func (c *conn) run() {
	defer close(c.ended)
	defer c.Conn.Close()
	for {
		piece, more := c.take()
		switch {
		case piece != nil:
			if _, err := c.Conn.Write(piece); err != nil {
				c.fail(err)
				return
			}
			c.giveBack(piece)
		case !more:
			return
		default:
			<-c.wake
			runtime.Gosched() // who is ready to run may have something for this client too
		}
	}
}

// take returns the first piece of what waits, and whether more can come. Each piece has its own
// time: a large backlog may take long, as long as something of it is taken.
func (c *conn) take() (piece []byte, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	piece = c.backlog.next()
	if piece != nil && !c.closing { // after Close the deadline is that of lingering
		_ = c.Conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	}
	return piece, !c.closing && c.failed == nil
}

// giveBack is told that a piece is written.
func (c *conn) giveBack(piece []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != nil {
		return // it was counted as dropped
	}
	c.waiting -= len(piece)
	c.budget.held.Add(int64(-len(piece)))
	c.backlog.spare = piece[:0]
}

// fail lets later writes fail too.
func (c *conn) fail(err error) {
	c.mu.Lock()
	waiting := c.waiting
	first := c.failed == nil && !c.closing
	if c.failed == nil {
		c.failed = fmt.Errorf("embedded: %w", err)
	}
	c.discardLocked()
	c.mu.Unlock()
	var timeout net.Error
	if first && errors.As(err, &timeout) && timeout.Timeout() {
		c.slow(waiting)
	}
}
