package http_test

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// memoryListener accepts connections that are no sockets.
type memoryListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// exchange sends raw and then the end of the connection, and returns all that comes back.
func (l *memoryListener) exchange(t testing.TB, raw []byte) []byte {
	c := &memoryConn{in: bytes.NewReader(raw), closed: make(chan struct{})}
	l.conns <- c
	select {
	case <-c.closed:
	case <-time.After(patience):
		t.Fatal("the connection does not end")
	}
	return c.out.Bytes()
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *memoryListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// memoryConn reads what it was given and then its end, and keeps what is written.
type memoryConn struct {
	in     *bytes.Reader
	out    bytes.Buffer
	once   sync.Once
	closed chan struct{}
}

func (c *memoryConn) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c *memoryConn) Write(p []byte) (int, error) { return c.out.Write(p) }
func (c *memoryConn) Close() error {
	err := errors.New("closed before")
	c.once.Do(func() { close(c.closed); err = nil })
	return err
}
func (c *memoryConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }
