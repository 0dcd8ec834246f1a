package http

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// The stash: what fits into the first size costs a connection no allocation of its own; beyond
// the largest the connection is not read until the held request has ended.
const (
	smallStash = 1 << 10
	maxStash   = 16 << 10
)

// The end of a connection that may have unread input: it is discarded for a while, because to
// close at once would reset the connection and take the reply away from the requester
// (RFC 9112 section 9.6).
const (
	lingerTime  = time.Second
	lingerBytes = 2 << 20
)

// Where a connection is in its life. The drain takes idle ones only.
const (
	connIdle int32 = iota
	connActive
	connTaken
)

// conn is an accepted connection, above TLS. fasthttp reads and writes it like any other. It
// adds three things.
//
// It reads ahead: fasthttp asks for the first byte of a request alone, so that it needs no
// buffers while it waits; conn answers that with a whole small request.
//
// It notices that a requester leaves while his request is held, without a second goroutine: see
// watch.
//
// It is read later when it was shed: see rest.
type conn struct {
	net.Conn
	timed    *timed // below it, and below TLS
	loopback bool
	state    atomic.Int32
	aborted  atomic.Bool
	watch    watch
	// Everything below belongs to the connection's goroutine.
	stash  []byte // small or a larger one; unread is stash[from:to]
	from   int
	to     int
	small  [smallStash]byte
	gone   bool // the requester has left: nothing is written any more
	linger bool // there may be unread input when the connection is closed
	rest   rest
	tls    bool
}

// tlsConn is a conn over TLS: fasthttp tells by these methods.
type tlsConn struct{ conn }

func (c *tlsConn) Handshake() error { return c.Conn.(*tls.Conn).Handshake() }

func (c *tlsConn) ConnectionState() tls.ConnectionState {
	return c.Conn.(*tls.Conn).ConnectionState()
}

// based is implemented by conn and tlsConn.
type based interface {
	net.Conn
	base() *conn
}

func (c *conn) base() *conn { return c }

// newConn wraps a connection, in TLS if config is set.
func newConn(raw net.Conn, config *tls.Config, loopback bool) based {
	t := newTimed(raw)
	if config == nil {
		c := &conn{Conn: t, timed: t, loopback: loopback}
		c.init()
		return c
	}
	c := &tlsConn{conn{Conn: tls.Server(t, config), timed: t, loopback: loopback, tls: true}}
	c.init()
	return c
}

func (c *conn) init() {
	c.stash = c.small[:]
	c.watch.init()
}

// Read returns what was read ahead first.
func (c *conn) Read(p []byte) (int, error) {
	c.rest.take(c.timed)
	if c.from == c.to {
		if len(p) >= len(c.small) {
			return c.Conn.Read(p)
		}
		c.reset()
		n, err := c.Conn.Read(c.stash)
		c.to = n
		if n == 0 {
			return 0, err
		}
	}
	n := copy(p, c.stash[c.from:c.to])
	c.from += n
	if c.from == c.to {
		c.reset()
	}
	return n, nil
}

func (c *conn) reset() { c.stash, c.from, c.to = c.small[:], 0, 0 }

// Write writes nothing once the requester has left. The error is one that nobody logs.
func (c *conn) Write(p []byte) (int, error) {
	if c.gone {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(p)
}

var errStashFull = errors.New("stash is full")

// readAhead reads once into the stash.
func (c *conn) readAhead() error {
	if c.from == c.to {
		c.reset()
	}
	if c.to == len(c.stash) {
		if c.from == 0 && len(c.stash) == maxStash {
			return errStashFull
		}
		larger := make([]byte, maxStash)
		c.to = copy(larger, c.stash[c.from:c.to])
		c.stash, c.from = larger, 0
	}
	n, err := c.Conn.Read(c.stash[c.to:])
	c.to += n
	if n > 0 {
		return nil
	}
	return err
}

var never time.Time

// Close ends the connection so that the last reply arrives. abort does not care.
func (c *conn) Close() error {
	if c.linger && !c.gone {
		c.drainInput()
	}
	return c.Conn.Close()
}

func (c *conn) drainInput() {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if c.Conn.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	_, _ = io.CopyBuffer(io.Discard, io.LimitReader(onlyReader{c.Conn}, lingerBytes), c.small[:])
}

// onlyReader keeps io.CopyBuffer from finding WriteTo and with it another buffer.
type onlyReader struct{ io.Reader }
