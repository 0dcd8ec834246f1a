package http

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// timed is a connection whose deadlines cost nothing as long as they are met. fasthttp sets three
// for each request, and all but the first are later than the one before: to tell the runtime of
// each would take as long as everything else that is done for a deadline. So the runtime knows an
// earlier one than is wanted, and when that passes the wanted one is looked at.
//
// It stands below TLS, for a write that ended in the middle would end a TLS connection.
type timed struct {
	net.Conn
	read, write deadline
	interrupted atomic.Bool
}

// deadline is one direction's, in ns since epoch. Invariant: what the runtime knows is not later
// than what is wanted.
type deadline struct {
	wanted atomic.Int64 // forever: none
	known  atomic.Int64 // what the runtime was told last; 0: it must be told again
}

const forever = int64(1<<63 - 1)

// epoch is what deadlines are counted from: a duration is cheaper to compare and to keep.
var epoch = time.Now()

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return forever
	}
	return int64(t.Sub(epoch))
}

func instant(ns int64) time.Time {
	if ns == forever {
		return never
	}
	return epoch.Add(time.Duration(ns))
}

func newTimed(raw net.Conn) *timed {
	c := &timed{Conn: raw}
	for _, d := range []*deadline{&c.read, &c.write} {
		d.wanted.Store(forever)
		d.known.Store(forever)
	}
	return c
}

// want sets the deadline and says whether the runtime must be told.
func (d *deadline) want(ns int64) bool {
	d.wanted.Store(ns)
	if known := d.known.Load(); known != 0 && known <= ns {
		return false
	}
	d.known.Store(ns)
	return true
}

// early says whether err is a deadline that passed before the wanted one, which the runtime must
// be told of then.
func (d *deadline) early(err error) (wanted time.Time, early bool) {
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return never, false
	}
	ns := d.wanted.Load()
	if ns == d.known.Load() || ns <= int64(time.Since(epoch)) {
		return never, false
	}
	d.known.Store(ns)
	return instant(ns), true
}

// SetReadDeadline implements [net.Conn].
func (c *timed) SetReadDeadline(t time.Time) error {
	if c.read.want(nanos(t)) {
		return c.Conn.SetReadDeadline(t)
	}
	return nil
}

// SetWriteDeadline implements [net.Conn].
func (c *timed) SetWriteDeadline(t time.Time) error {
	if c.write.want(nanos(t)) {
		return c.Conn.SetWriteDeadline(t)
	}
	return nil
}

// SetDeadline implements [net.Conn].
func (c *timed) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// postponeRead moves the read deadline, if there is one.
func (c *timed) postponeRead(by time.Duration) {
	if wanted := c.read.wanted.Load(); wanted != forever {
		c.read.wanted.Store(wanted + int64(by))
	}
}

// Read implements [net.Conn].
func (c *timed) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		wanted, early := c.read.early(err)
		if n > 0 || !early || c.interrupted.Load() {
			return n, err
		}
		if e := c.Conn.SetReadDeadline(wanted); e != nil {
			return 0, e
		}
		if c.interrupted.Load() { // it may have come before the line above, which undid it
			return 0, err
		}
	}
}

// Write implements [net.Conn].
func (c *timed) Write(p []byte) (n int, err error) {
	for {
		m, err := c.Conn.Write(p[n:])
		n += m
		wanted, early := c.write.early(err)
		if !early {
			return n, err
		}
		if err := c.Conn.SetWriteDeadline(wanted); err != nil {
			return n, err
		}
	}
}

// past is a deadline that has passed, whatever the clock says.
var past = time.Unix(1, 0)

// interrupt ends a read that is under way, and every later one until resume.
func (c *timed) interrupt() {
	c.interrupted.Store(true)
	_ = c.Conn.SetReadDeadline(past) // an error shows in the read
}

// resume undoes an interrupt that has returned.
func (c *timed) resume() {
	c.interrupted.Store(false)
	c.read.known.Store(0)
}

// CloseWrite ends our half, if the connection has halves.
func (c *timed) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
