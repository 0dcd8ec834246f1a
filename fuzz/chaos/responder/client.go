package responder

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

const (
	mqtt5 = 5
	// patience is how long connecting and each write may take.
	patience = 5 * time.Second
	// maxPacket bounds what is read, in bytes.
	maxPacket = 1 << 20
	// maxOut bounds what waits to be written, in bytes; more is dropped, as a responder does that
	// cannot keep up.
	maxOut = 16 << 20
)

// client is one connection to the broker.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	take func(*packets.Packet) // a PUBLISH, valid during the call

	mu     sync.Mutex // guards all below
	more   *sync.Cond // there is something to write, or the end
	out    bytes.Buffer
	nextID uint16
	closed bool
}

// connect makes a connection and subscribes.
func connect(ctx context.Context, o *Options, take func(*packets.Packet)) (*client, error) {
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", o.Broker)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10), take: take}
	c.more = sync.NewCond(&c.mu)
	if err := c.hello(o); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

// hello exchanges CONNECT and CONNACK, SUBSCRIBE and SUBACK.
func (c *client) hello(o *Options) error {
	_ = c.conn.SetDeadline(time.Now().Add(patience))
	var b bytes.Buffer
	connect := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: packets.Connect},
		ProtocolVersion: mqtt5,
		Connect: packets.ConnectParams{
			ProtocolName: []byte("MQTT"), Clean: o.Clean, ClientIdentifier: o.ClientID,
		},
		Properties: packets.Properties{SessionExpiryInterval: 60, SessionExpiryIntervalFlag: !o.Clean},
	}
	if err := connect.ConnectEncode(&b); err != nil {
		return err
	}
	if err := c.exchange(&b, packets.Connack); err != nil {
		return fmt.Errorf("CONNECT: %w", err)
	}
	subscribe := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: packets.Subscribe, Qos: 1},
		ProtocolVersion: mqtt5, PacketID: 1,
	}
	for _, filter := range o.Filters {
		subscribe.Filters = append(subscribe.Filters, packets.Subscription{Filter: filter, Qos: o.QoS})
	}
	if err := subscribe.SubscribeEncode(&b); err != nil {
		return err
	}
	if err := c.exchange(&b, packets.Suback); err != nil {
		return fmt.Errorf("SUBSCRIBE: %w", err)
	}
	return c.conn.SetDeadline(time.Time{})
}

// exchange writes a packet and reads until the one that answers it. Messages that come before, of a session
// that went on, are taken.
func (c *client) exchange(b *bytes.Buffer, want byte) error {
	if _, err := b.WriteTo(c.conn); err != nil {
		return err
	}
	for {
		head, body, err := c.read()
		if err != nil {
			return err
		}
		switch {
		case head.Type == packets.Publish:
			if err := c.publish(head, body); err != nil {
				return err
			}
		case head.Type != want:
		case want == packets.Connack && (len(body) < 2 || body[1] != 0), want == packets.Suback && (len(body) == 0 || body[len(body)-1] >= 0x80):
			return fmt.Errorf("refused: % x", body)
		default:
			return nil
		}
	}
}

// read reads one packet.
func (c *client) read() (head packets.FixedHeader, body []byte, err error) {
	first, err := c.in.ReadByte()
	if err != nil {
		return head, nil, err
	}
	if err := head.Decode(first); err != nil {
		return head, nil, err
	}
	if head.Remaining, _, err = packets.DecodeLength(c.in); err != nil {
		return head, nil, err
	}
	if head.Remaining > maxPacket {
		return head, nil, fmt.Errorf("a packet of %d bytes", head.Remaining)
	}
	body = make([]byte, head.Remaining)
	_, err = io.ReadFull(c.in, body)
	return head, body, err
}

// publish takes a message, and acknowledges it.
func (c *client) publish(head packets.FixedHeader, body []byte) error {
	p := packets.Packet{FixedHeader: head, ProtocolVersion: mqtt5}
	if err := p.PublishDecode(body); err != nil {
		return err
	}
	if head.Qos == 1 {
		ack := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, ProtocolVersion: mqtt5, PacketID: p.PacketID}
		c.write(ack.PubackEncode)
	}
	c.take(&p)
	return nil
}

// serve reads until the connection or ctx ends.
func (c *client) serve(ctx context.Context) error {
	var writing sync.WaitGroup
	writing.Go(c.flush)
	stop := context.AfterFunc(ctx, c.close)
	defer func() {
		stop()
		c.close()
		writing.Wait()
	}()
	for {
		head, body, err := c.read()
		if err != nil {
			return err
		}
		if head.Type == packets.Publish {
			if err := c.publish(head, body); err != nil {
				return err
			}
		}
	}
}

// write leaves a packet to the writer; if too much waits already, it is dropped.
func (c *client) write(encode func(*bytes.Buffer) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.out.Len() > maxOut {
		return
	}
	if encode(&c.out) == nil {
		c.more.Signal()
	}
}

// packetID is the next one for QoS 1. They are reused after 65 535, without a look at what was
// acknowledged.
func (c *client) packetID() uint16 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nextID++; c.nextID == 0 {
		c.nextID = 1
	}
	return c.nextID
}

// flush is the writer: it writes what has gathered.
func (c *client) flush() {
	var b bytes.Buffer
	for {
		c.mu.Lock()
		for c.out.Len() == 0 && !c.closed {
			c.more.Wait()
		}
		if c.closed {
			c.mu.Unlock()
			return
		}
		b, c.out = c.out, b
		c.mu.Unlock()
		_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
		_, err := b.WriteTo(c.conn)
		b.Reset()
		if err != nil {
			c.close()
			return
		}
	}
}

func (c *client) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	_ = c.conn.Close()
	c.more.Broadcast()
}
