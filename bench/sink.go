package bench

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// SinkName is the name of [Sink].
const SinkName = "sink"

// Sink starts what speaks as little MQTT (3.1.1 and 5) as a publisher needs, agrees to everything,
// keeps nothing, and counts. It tells "seen" and "arrivals".
func Sink(Config) (Server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return Server{}, err
	}
	s := &sink{conns: map[net.Conn]struct{}{}}
	s.running.Go(func() { s.serve(ln) })
	stop := func() error {
		err := ln.Close()
		s.mu.Lock()
		for c := range s.conns {
			_ = c.Close() // it has done what it was for
		}
		s.mu.Unlock()
		s.running.Wait()
		return err
	}
	return Server{Address: ln.Addr().String(), Stop: stop, Tell: s.tell}, nil
}

type sink struct {
	packets atomic.Int64 // PUBLISH
	bytes   atomic.Int64 // of all packets
	running sync.WaitGroup

	mu       sync.Mutex // guards all below
	conns    map[net.Conn]struct{}
	arrivals []int64 // when the last packets came, in ns of Unix time
}

// keptArrivals is for how many packets it is kept when they came.
const keptArrivals = 1000

// seen is what a sink has counted.
type seen struct{ Packets, Bytes int64 }

func (s *sink) tell(what string) (any, error) {
	switch what {
	case "seen":
		return seen{s.packets.Load(), s.bytes.Load()}, nil
	case "arrivals": // since the last time
		s.mu.Lock()
		defer s.mu.Unlock()
		arrivals := s.arrivals
		s.arrivals = nil
		return arrivals, nil
	}
	return nil, errors.New("bench: the sink does not know " + what)
}

func (s *sink) serve(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = struct{}{}
		s.mu.Unlock()
		s.running.Go(func() {
			p := &sinkConn{sink: s, Conn: c, in: bufio.NewReaderSize(c, 128<<10)}
			_ = p.run() // how a connection ends is its client's affair
			_ = c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

// sinkConn is a connection of a sink.
type sinkConn struct {
	*sink
	net.Conn
	in    *bufio.Reader
	out   []byte // what is written when there is nothing more to read
	level byte   // of the protocol: 4 or 5
	body  []byte
}

// The kinds of packets, as they are in the first byte.
const (
	kindConnect    = 1
	kindPublish    = 3
	kindSubscribe  = 8
	kindPing       = 12
	kindDisconnect = 14
)

func (c *sinkConn) run() error {
	for {
		if c.in.Buffered() == 0 && len(c.out) > 0 {
			if _, err := c.Write(c.out); err != nil {
				return err
			}
			c.out = c.out[:0]
		}
		first, err := c.in.ReadByte()
		if err != nil {
			return err
		}
		length, err := binary.ReadUvarint(c.in) // MQTT counts in the same way
		if err != nil || length > 1<<20 {
			return errors.Join(err, io.ErrShortBuffer)
		}
		if uint64(cap(c.body)) < length {
			c.body = make([]byte, length)
		}
		c.body = c.body[:length]
		if _, err := io.ReadFull(c.in, c.body); err != nil {
			return err
		}
		c.bytes.Add(int64(length) + 3)
		if err := c.take(first); err != nil {
			return err
		}
	}
}

// take reacts to the packet in c.body.
func (c *sinkConn) take(first byte) error {
	switch first >> 4 {
	case kindConnect:
		c.level = c.body[6] // behind the name of the protocol, "MQTT"
		c.out = append(c.out, "\x20\x02\x00\x00"...)
		if c.level == 5 {
			c.out = append(c.out[:len(c.out)-4], "\x20\x03\x00\x00\x00"...)
		}
	case kindPublish:
		c.published(first)
	case kindSubscribe:
		c.subscribed()
	case kindPing:
		c.out = append(c.out, 0xd0, 0)
	case kindDisconnect:
		return io.EOF
	}
	return nil
}

func (c *sinkConn) published(first byte) {
	c.packets.Add(1)
	c.mu.Lock()
	if len(c.arrivals) < keptArrivals {
		c.arrivals = append(c.arrivals, time.Now().UnixNano())
	}
	c.mu.Unlock()
	if qos := first >> 1 & 3; qos > 0 {
		at := 2 + int(binary.BigEndian.Uint16(c.body))
		c.out = append(c.out, 0x40, 2, c.body[at], c.body[at+1])
	}
}

// subscribed grants what was asked for.
func (c *sinkConn) subscribed() {
	b := c.body
	ack := []byte{b[0], b[1]}
	b = b[2:]
	if c.level == 5 { // properties
		length, n := binary.Uvarint(b)
		b = b[n+int(length):]
		ack = append(ack, 0)
	}
	for len(b) > 2 {
		n := 2 + int(binary.BigEndian.Uint16(b))
		ack = append(ack, b[n]&3)
		b = b[n+1:]
	}
	c.out = append(append(c.out, 0x90, byte(len(ack))), ack...)
}
