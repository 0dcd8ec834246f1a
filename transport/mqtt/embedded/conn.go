package embedded

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	// connectTimeout is how long a client may take from connecting to its CONNECT.
	connectTimeout = 10 * time.Second
	// writeTimeout is how long a client may take nothing of what waits for him.
	writeTimeout = 10 * time.Second
	// lingerTimeout is how long what was written last may take after Close.
	lingerTimeout = time.Second
	// maxSpare keeps single large backlogs from staying in memory.
	maxSpare = 256 << 10
)

var errSlow = errors.New("the client does not read")

// conn is a client's connection whose Write never waits: the broker writes under a lock that
// publishers need. What is written gathers in a buffer, and a goroutine writes it out.
type conn struct {
	net.Conn
	limit int
	slow  func(waiting int) // called once, when limit or writeTimeout has been reached
	wake  chan struct{}     // one token: there is something to do

	mu      sync.Mutex // guards all below; leaf: no I/O but deadlines, no callback
	pending []byte
	spare   []byte
	closing bool
	failed  error // why nothing can be written any more
}

func newConn(inner net.Conn, limit int, slow func(waiting int)) *conn {
	c := &conn{Conn: inner, limit: limit, slow: slow, wake: make(chan struct{}, 1)}
	_ = inner.SetReadDeadline(time.Now().Add(connectTimeout)) // fails only if it is closed
	return c
}

// Write copies p into the buffer.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if err := c.refusalLocked(); err != nil {
		c.mu.Unlock()
		return 0, err
	}
	waiting := len(c.pending)
	if waiting+len(p) > c.limit {
		c.failed, c.pending = errSlow, nil
		c.mu.Unlock()
		c.slow(waiting)
		_ = c.Conn.Close() // ends a write under way and the read
		c.signal()
		return 0, errSlow
	}
	c.pending = append(c.pending, p...)
	c.mu.Unlock()
	c.signal()
	return len(p), nil
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
	now := time.Now()
	err := errors.Join(c.Conn.SetReadDeadline(now), c.Conn.SetWriteDeadline(now.Add(lingerTimeout)))
	c.signal()
	return err
}

// run writes what gathers, until Close or until the client is given up, and closes the
// connection. Until it returns, run is the only one that writes.
func (c *conn) run() {
	defer c.Conn.Close()
	for {
		batch, more := c.take()
		switch {
		case len(batch) > 0:
			if err := c.write(batch); err != nil {
				c.fail(err)
				return
			}
			c.giveBack(batch)
		case !more:
			return
		default:
			<-c.wake
		}
	}
}

// take returns all that waits, and whether more can come.
func (c *conn) take() (batch []byte, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	batch = c.pending
	c.pending, c.spare = c.spare[:0], nil
	if len(batch) > 0 && !c.closing { // after Close the deadline is that of lingering
		_ = c.Conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	}
	return batch, !c.closing && c.failed == nil
}

func (c *conn) giveBack(batch []byte) {
	if cap(batch) > maxSpare {
		return
	}
	c.mu.Lock()
	c.spare = batch[:0]
	c.mu.Unlock()
}

// write writes a batch in pieces, each with its own time: a large backlog may take long, as long
// as something of it is taken.
func (c *conn) write(batch []byte) error {
	for len(batch) > 0 {
		n, err := c.Conn.Write(batch[:min(len(batch), maxSpare)])
		if err != nil {
			return err
		}
		if batch = batch[n:]; len(batch) > 0 {
			c.extend()
		}
	}
	return nil
}

func (c *conn) extend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		_ = c.Conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	}
}

// fail lets later writes fail too.
func (c *conn) fail(err error) {
	c.mu.Lock()
	waiting := len(c.pending)
	first := c.failed == nil && !c.closing
	if first {
		c.failed = fmt.Errorf("embedded: %w", err)
	}
	c.pending = nil
	c.mu.Unlock()
	var timeout net.Error
	if first && errors.As(err, &timeout) && timeout.Timeout() {
		c.slow(waiting)
	}
}
