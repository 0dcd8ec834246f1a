package responder

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"runtime"
	"sync"
	"time"
)

const (
	dialTimeout = 2 * time.Second
	// writeTimeout is how long the broker may take nothing before the connection is given up.
	writeTimeout = 10 * time.Second
	// lastWords is how long closing waits for what was written.
	lastWords = time.Second
	// maxGathered is when writing waits for the socket, in bytes.
	maxGathered = 1 << 20
	readBuffer  = 32 << 10
)

var errConnClosed = errors.New("the connection is closed")

// conn gathers what paho writes and sends it in blocks: at once when idle, many packets in one
// write under load. paho reads byte by byte, so reading is buffered.
type conn struct {
	net.Conn
	reader *bufio.Reader

	mu       sync.Mutex // guards all below; paho holds it while it writes one packet (see Lock)
	gathered []byte
	err      error     // nothing is taken any more
	changed  sync.Cond // of mu: something was gathered, or taken, or err is set
	written  chan struct{}
}

// dial connects, with TLS if config is not nil.
func dial(ctx context.Context, address string, config *tls.Config) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if config != nil {
		config = config.Clone()
		if config.ServerName == "" {
			config.ServerName, _, _ = net.SplitHostPort(address)
		}
		secure := tls.Client(raw, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, err
		}
		raw = secure
	}
	return newConn(raw), nil
}

func newConn(raw net.Conn) *conn {
	c := &conn{Conn: raw, reader: bufio.NewReaderSize(raw, readBuffer), written: make(chan struct{})}
	c.changed.L = &c.mu
	go c.write()
	return c
}

func (c *conn) Read(p []byte) (int, error) { return c.reader.Read(p) }

// Lock and Unlock make it a [sync.Locker], which paho holds for a whole packet.
func (c *conn) Lock() {
	c.mu.Lock()
	for len(c.gathered) > maxGathered && c.err == nil {
		c.changed.Wait()
	}
}

// Unlock hands over the packet that was written since Lock.
func (c *conn) Unlock() {
	c.changed.Broadcast()
	c.mu.Unlock()
}

// Write takes a part of a packet; only between Lock and Unlock.
func (c *conn) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	c.gathered = append(c.gathered, p...)
	return len(p), nil
}

// write is the goroutine that writes, until there is an error and nothing left.
func (c *conn) write() {
	defer close(c.written)
	var block []byte
	for {
		c.mu.Lock()
		for len(c.gathered) == 0 && c.err == nil {
			c.changed.Wait()
		}
		c.mu.Unlock()
		runtime.Gosched() // whoever is ready writes first, and it goes out in one block
		c.mu.Lock()
		block, c.gathered = c.gathered, block[:0]
		ending := c.err != nil
		c.changed.Broadcast()
		c.mu.Unlock()
		if len(block) == 0 {
			return
		}
		if !ending {
			_ = c.SetWriteDeadline(time.Now().Add(writeTimeout)) // a broken connection fails the write
		}
		if _, err := c.Conn.Write(block); err != nil {
			c.stop(err)
			c.Conn.Close() // wakes the reader
			return
		}
	}
}

func (c *conn) stop(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	c.changed.Broadcast()
}

// Close sends what was written, for a short time, and closes the connection.
func (c *conn) Close() error {
	_ = c.SetWriteDeadline(time.Now().Add(lastWords)) // likewise
	c.stop(errConnClosed)
	<-c.written
	return c.Conn.Close()
}
