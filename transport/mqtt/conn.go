package mqtt

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"github.com/flowsync-go/flowsync/core"
)

const (
	readBuffer = 32 << 10
	// lastWords is how long closing a connection waits for the DISCONNECT to be written.
	lastWords = 500 * time.Millisecond
)

var (
	errNotMQTT    = errors.New("what answered CONNECT is no MQTT broker")
	errConnClosed = errors.New("the connection was closed")
	errNotMQTT5   = errors.New("the broker does not speak MQTT 5: it answered like one of MQTT 3.1.1")
)

// conn is the connection to the broker as paho sees it. It is also what everything that does
// not go through paho is written to.
//
// Writing: whole packets are appended to buffers, and one goroutine writes what has gathered.
// It never lingers: when idle a packet goes out at once, under load a write carries many.
// What paho writes (CONNECT, SUBSCRIBE, PINGREQ …) and acknowledgements overtake requests.
//
// Reading: PUBLISH and its acknowledgements go to incoming, on the goroutine that reads; paho
// sees the rest. Nothing larger than maxPacket is read at all: paho would believe the length.
type conn struct {
	net.Conn
	reader    *bufio.Reader
	maxPacket int
	fresh     func()
	incoming  func(first byte, body []byte) error
	greeted   bool   // the CONNACK has come
	left      int    // bytes of the packet that paho is reading
	body      []byte // of a packet that is longer than the reader's buffer

	assembly sync.Mutex // held by paho while it writes the parts of one packet, see Lock
	parts    []byte     // guarded by assembly

	outbox
	written chan struct{} // closed when the writer has ended
}

// newConn wraps a connection. sink may be nil if it publishes no requests.
func newConn(raw net.Conn, b *broker, sink core.Sink, counters *counters) *conn {
	c := &conn{
		Conn:      raw,
		reader:    bufio.NewReaderSize(raw, readBuffer),
		maxPacket: b.MaxPacket,
		written:   make(chan struct{}),
	}
	c.outbox.init(sink, b, counters)
	return c
}

// start begins to write and to read. fresh is called when the broker accepts the connection and
// has no session for it, before anything else comes in. incoming is called with the first byte
// and the body of each PUBLISH, PUBACK, PUBREC, PUBREL and PUBCOMP; the body is valid during the
// call only. An error of it ends the connection.
func (c *conn) start(fresh func(), incoming func(first byte, body []byte) error) {
	c.fresh, c.incoming = fresh, incoming
	go c.write()
}

// Lock and Unlock make the connection a [sync.Locker]: paho holds it for a whole packet.
func (c *conn) Lock() { c.assembly.Lock() }

// Unlock hands over the packet that was written since Lock.
func (c *conn) Unlock() {
	c.control(c.parts)
	c.parts = c.parts[:0]
	c.assembly.Unlock()
}

// Write takes a part of a packet; only between Lock and Unlock.
func (c *conn) Write(part []byte) (int, error) {
	if err := c.cause(); err != nil {
		return 0, err
	}
	c.parts = append(c.parts, part...)
	return len(part), nil
}

// Read gives paho the packets that are for it.
func (c *conn) Read(p []byte) (int, error) {
	for c.left == 0 {
		if err := c.next(); err != nil {
			c.stop(err)
			return 0, err
		}
	}
	n, err := c.reader.Read(p[:min(len(p), c.left)])
	c.left -= n
	if err != nil {
		c.stop(err)
	}
	return n, err
}

// next looks at the next packet: it is handled here, or left for paho.
func (c *conn) next() error {
	first, header, length, err := c.header()
	if err != nil {
		return err
	}
	switch kind := first >> 4; {
	case !c.greeted && kind != packets.CONNACK && kind != packets.AUTH:
		return fmt.Errorf("%w: its first byte is 0x%02x", errNotMQTT, first)
	case header+length > c.maxPacket:
		return fmt.Errorf("the broker sent a packet of %d bytes (type %d), more than the %d that it was told to keep to", header+length, kind, c.maxPacket)
	case kind == packets.CONNACK && length == 2:
		return errNotMQTT5
	case kind >= packets.PUBLISH && kind <= packets.PUBCOMP:
		_, _ = c.reader.Discard(header) // it is buffered
		return c.handle(first, length)
	case kind == packets.CONNACK && length > 2:
		if err := c.greet(header); err != nil {
			return err
		}
	}
	c.greeted = true
	c.left = header + length
	return nil
}

// greet looks at a CONNACK before paho does: the session that it is about (MQTT 5 §3.2.2.1.1)
// concerns what comes right behind it, and paho reports it on another goroutine. A refusal says
// nothing about the session.
func (c *conn) greet(header int) error {
	b, err := c.reader.Peek(header + 2)
	if err == nil && b[header]&1 == 0 && b[header+1] < reasonFailure {
		c.fresh()
	}
	return err
}

// header peeks at the fixed header of the next packet (MQTT 5 §2.1).
func (c *conn) header() (first byte, size, length int, err error) {
	for size = 2; ; size++ {
		b, err := c.reader.Peek(size)
		if err != nil {
			return 0, 0, 0, err
		}
		digit := b[size-1]
		length |= int(digit&0x7f) << (7 * (size - 2))
		if digit&0x80 == 0 {
			return b[0], size, length, nil
		}
		if size == 5 {
			return 0, 0, 0, errors.New("the broker sent a packet whose length has more than 4 bytes")
		}
	}
}

// handle reads a body, without copying it if it fits into the reader's buffer.
func (c *conn) handle(first byte, length int) error {
	if length <= c.reader.Size() {
		body, err := c.reader.Peek(length)
		if err == nil {
			err = c.incoming(first, body)
			_, _ = c.reader.Discard(length) // it is buffered
		}
		return err
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	body := c.body[:length]
	for n := 0; n < length; {
		m, err := c.reader.Read(body[n:])
		if err != nil {
			return err
		}
		n += m
	}
	if length > 8*readBuffer {
		c.body = nil // rare: do not keep it
	}
	return c.incoming(first, body)
}

// write is the goroutine that writes. What it had not handed over when the connection ended goes
// back to where it waits for the next, or is reported as not sent.
func (c *conn) write() {
	defer close(c.written)
	unsent := c.writeAll()
	c.Conn.Close()
	c.abandon(unsent)
	c.finish()
}

// writeAll writes until the connection ends, and returns what it had taken and not handed over.
func (c *conn) writeAll() (unsent *block) {
	for {
		control, b := c.take()
		if control == nil && b == nil {
			return nil
		}
		if err := c.flush(control); err != nil {
			return b
		}
		if b != nil {
			c.mark(b)
			err := c.flush(b.buf)
			c.done(b)
			if err != nil {
				return nil
			}
		}
	}
}

func (c *conn) flush(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	n, err := c.Conn.Write(p)
	c.counters.bytes.Add(uint64(n))
	c.counters.batches.Add(1)
	if err != nil {
		c.stop(fmt.Errorf("writing to the broker: %w", err))
	}
	return err
}

// Close ends the connection, after what paho has already written (a DISCONNECT) or a short
// time. Requests that still wait are not sent. It returns when the writer has ended.
func (c *conn) Close() error {
	_ = c.SetWriteDeadline(time.Now().Add(lastWords)) // a broken connection needs none
	c.stop(errConnClosed)
	<-c.written
	return nil
}
