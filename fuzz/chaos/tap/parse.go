package tap

import (
	"encoding/binary"
	"errors"
)

// The control packet types that the tap looks into (MQTT 5 section 2.1.2).
const (
	typeConnect = 1
	typeConnack = 2
	typePublish = 3
	typePuback  = 4
	typePubrec  = 5
	typePubrel  = 6
	typePubcomp = 7
)

const propCorrelationData = 0x09

var errShort = errors.New("the packet is too short for what it says")

// parse reads what is of interest in a packet. version is the protocol version of the
// connection, 5 or less; that of a CONNECT is its own. On error the packet has what was readable.
// header is how many bytes come before the payload of a PUBLISH; of other packets all are header.
func (p *Packet) parse(raw []byte, version byte) (header int, err error) {
	p.Raw, p.Type = raw, raw[0]>>4
	in := cursor{rest: raw[1:]}
	whole := in.varint() == len(in.rest)
	switch p.Type {
	case typeConnect:
		p.connect(&in)
	case typePublish:
		p.publish(&in, raw[0], version)
		header = len(raw) - len(p.Payload)
	case typePuback, typePubrec, typePubrel, typePubcomp:
		p.PacketID = in.uint16()
		if len(in.rest) > 0 {
			p.Reason = in.byte()
		}
	case typeConnack:
		in.byte()
		p.Reason = in.byte()
	}
	if header == 0 {
		header = len(raw)
	}
	if in.bad || !whole {
		return header, errShort
	}
	return header, nil
}

// connect reads the client id (section 3.1).
func (p *Packet) connect(in *cursor) {
	in.text() // protocol name
	version := in.byte()
	in.take(3) // flags, keep alive
	if version >= 5 {
		in.take(in.varint())
	}
	p.Client = string(in.text())
}

// publish reads a PUBLISH (section 3.3). Before MQTT 5 there are no properties.
func (p *Packet) publish(in *cursor, first, version byte) {
	p.QoS, p.Dup, p.Retain = first>>1&3, first&8 != 0, first&1 != 0
	p.Topic = string(in.text())
	if p.QoS > 0 {
		p.PacketID = in.uint16()
	}
	if version >= 5 {
		properties := cursor{rest: in.take(in.varint())}
		p.properties(&properties)
		in.bad = in.bad || properties.bad
	}
	p.Payload = in.rest
}

// properties looks for the correlation data (section 2.2.2.2 has the lengths of all others).
func (p *Packet) properties(in *cursor) {
	for len(in.rest) > 0 && !in.bad {
		switch id := in.byte(); id {
		case propCorrelationData:
			p.CorrelationData = in.text()
		case 0x01:
			in.take(1)
		case 0x23:
			in.take(2)
		case 0x02:
			in.take(4)
		case 0x03, 0x08:
			in.text()
		case 0x0B:
			in.varint()
		case 0x26:
			in.text()
			in.text()
		default:
			in.bad = true
		}
	}
}

// versionOf is the protocol version that a CONNECT asks for; 0: it cannot be read.
func versionOf(raw []byte) byte {
	in := cursor{rest: raw[1:]}
	in.varint()
	in.text()
	if v := in.byte(); !in.bad {
		return v
	}
	return 0
}

// cursor reads fields from the front. What is missing sets bad, and everything after is zero.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || n > len(c.rest) {
		c.bad, c.rest = true, nil
		return nil
	}
	out := c.rest[:n:n]
	c.rest = c.rest[n:]
	return out
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) text() []byte { return c.take(int(c.uint16())) }

func (c *cursor) varint() (v int) {
	for shift := 0; shift < 28; shift += 7 {
		b := c.byte()
		v |= int(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	c.bad = true
	return 0
}
