package broker

import (
	"bufio"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"github.com/flowsync-go/flowsync/fuzz/chaos/tap/frame"
)

const (
	connectWithin = 5 * time.Second
	writeWithin   = 10 * time.Second
	batch         = 64 // deliveries in one write
)

// client is one connection. The broker's lock guards everything that is not set by newClient.
type client struct {
	broker *Broker
	conn   net.Conn
	wake   *sync.Cond // on the broker's lock: there is something to write

	version        byte // set by read before anything is written
	session        *session
	control        [][]byte // to be written, before any delivery
	ending         bool     // close when control is written
	gone           bool
	receiveMaximum int             // the client's
	limit          int             // ours
	open           int             // publishes of QoS 1 and 2 that are not answered
	received       map[uint16]bool // QoS 2: PUBREL has not come
	keepAlive      time.Duration
}

func newClient(b *Broker, conn net.Conn) *client {
	return &client{
		broker: b, conn: conn, wake: sync.NewCond(&b.mu), version: v5,
		receiveMaximum: 65535, limit: int(b.options.ReceiveMaximum), received: make(map[uint16]bool),
	}
}

// read takes packets until the connection ends.
func (c *client) read() {
	defer c.leave()
	in := bufio.NewReader(c.conn)
	_ = c.conn.SetReadDeadline(time.Now().Add(connectWithin)) // fails on a closed one only, as the read does
	for first := true; ; first = false {
		raw, err := frame.Read(in, c.broker.options.MaxPacket)
		if errors.Is(err, frame.ErrTooLarge) {
			c.fail(packets.DisconnectPacketTooLarge)
		}
		if err != nil {
			return
		}
		if first {
			level, err := levelOf(raw)
			if err != nil {
				return
			}
			c.version = level
		}
		p, err := decode(raw, c.version)
		if err != nil || (p.Type == packets.CONNECT) != first {
			c.fail(packets.DisconnectMalformedPacket)
			return
		}
		if !c.handle(p) {
			return
		}
		deadline := time.Time{}
		if c.keepAlive > 0 {
			deadline = time.Now().Add(c.keepAlive * 3 / 2)
		}
		_ = c.conn.SetReadDeadline(deadline) // as above
	}
}

// write writes what is queued until the connection ends.
func (c *client) write() {
	defer c.conn.Close()
	for {
		out, more := c.next()
		_ = c.conn.SetWriteDeadline(time.Now().Add(writeWithin)) // as in read
		if _, err := out.WriteTo(c.conn); err != nil || !more {
			return
		}
	}
}

// next waits for something to write. False: it is the last.
func (c *client) next() (out net.Buffers, more bool) {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		out, c.control = append(out, c.control...), nil
		for c.session != nil && !c.ending && len(out) < batch {
			d := c.session.take(c.receiveMaximum)
			if d == nil {
				break
			}
			if raw, ok := c.encodeLocked(d); ok {
				out = append(out, raw)
			}
		}
		if len(out) > 0 || c.ending || c.gone {
			return out, !c.ending && !c.gone
		}
		c.wake.Wait()
	}
}

// encodeLocked is false for a message whose time is over.
func (c *client) encodeLocked(d *delivery) ([]byte, bool) {
	var left uint32
	if !d.expires.IsZero() {
		rest := time.Until(d.expires)
		if rest <= 0 {
			c.session.acked(d.packetID)
			c.broker.stats.Dropped++
			return nil, false
		}
		left = uint32((rest + time.Second - 1) / time.Second)
	}
	c.broker.stats.Delivered++
	return d.encode(c.version, left), true
}

// sendLocked queues a packet.
func (c *client) sendLocked(p packets.Packet) {
	raw := encode(p, c.version)
	switch {
	case raw == nil:
	case len(c.control) >= maxControl: // it does not read
		c.hangupLocked()
	default:
		c.control = append(c.control, raw)
		c.wake.Signal()
	}
}

// disconnectLocked says why, and ends the connection.
func (c *client) disconnectLocked(reason byte) {
	c.sendLocked(&packets.Disconnect{ReasonCode: reason, Properties: new(packets.Properties)})
	c.endLocked()
}

// endLocked ends the connection when everything is written.
func (c *client) endLocked() {
	c.ending = true
	c.wake.Signal()
}

// hangupLocked ends the connection at once.
func (c *client) hangupLocked() {
	c.gone = true
	c.conn.Close()
	c.wake.Signal()
}

// fail is disconnectLocked for read.
func (c *client) fail(reason byte) {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	if c.session != nil { // before CONNECT there is no DISCONNECT
		c.disconnectLocked(reason)
	}
}

// leave is the end of the connection for everybody else.
func (c *client) leave() {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.clients, c)
	c.detachLocked()
	if !c.ending {
		c.hangupLocked()
	}
}

// detachLocked takes the session away from the connection.
func (c *client) detachLocked() {
	s := c.session
	c.session = nil
	if s == nil || s.client != c {
		return
	}
	s.sleep(time.Now())
	if s.expiry == 0 {
		delete(c.broker.sessions, s.id)
	}
}
