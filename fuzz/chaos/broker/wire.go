package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/eclipse/paho.golang/packets"
)

// v5 is the version of MQTT that the broker thinks in.
const v5 = 5

// decode reads a packet of a connection that speaks a version of MQTT.
func decode(raw []byte, version byte) (*packets.ControlPacket, error) {
	if version < v5 {
		var err error
		if raw, err = modern(raw); err != nil {
			return nil, err
		}
	}
	return packets.ReadPacket(bytes.NewReader(raw))
}

// modern turns a packet of MQTT 3.1.1 into one of MQTT 5 by adding properties, which are empty.
func modern(raw []byte) ([]byte, error) {
	_, n := binary.Uvarint(raw[1:])
	body := raw[1+n:]
	var at int
	switch raw[0] >> 4 {
	case packets.CONNECT:
		return modernConnect(raw[0], body)
	case packets.PUBLISH:
		if len(body) < 2 {
			return nil, errMalformed
		}
		at = 2 + int(binary.BigEndian.Uint16(body))
		if raw[0]>>1&3 > 0 {
			at += 2
		}
	case packets.SUBSCRIBE, packets.UNSUBSCRIBE:
		at = 2
	default:
		return raw, nil // acknowledgements may go without properties
	}
	if at > len(body) {
		return nil, errMalformed
	}
	return assemble(raw[0], body[:at], []byte{0}, body[at:]), nil
}

// modernConnect adds the properties of a CONNECT, and those of its will before the will's topic.
func modernConnect(first byte, body []byte) ([]byte, error) {
	name := 2 + int(binary.BigEndian.Uint16(append(body, 0, 0)))
	head := name + 4 // level, flags, keep alive
	if len(body) < head+2 {
		return nil, errMalformed
	}
	id := head + 2 + int(binary.BigEndian.Uint16(body[head:]))
	if id > len(body) {
		return nil, errMalformed
	}
	const hasWill = 1 << 2
	will := []byte{0}
	if body[name+1]&hasWill == 0 {
		will = nil
	}
	return assemble(first, body[:head], []byte{0}, body[head:id], will, body[id:]), nil
}

var errMalformed = errors.New("malformed packet")

// levelOf is the protocol level of a CONNECT.
func levelOf(raw []byte) (byte, error) {
	_, n := binary.Uvarint(raw[1:])
	body := raw[1+n:]
	if raw[0]>>4 != packets.CONNECT || len(body) < 2 {
		return 0, fmt.Errorf("%w: it does not begin with CONNECT", errMalformed)
	}
	at := 2 + int(binary.BigEndian.Uint16(body))
	if at >= len(body) {
		return 0, errMalformed
	}
	return body[at], nil
}

// assemble puts a packet together.
func assemble(first byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	out := binary.AppendUvarint([]byte{first}, uint64(len(body)))
	return append(out, body...)
}

// encode is a packet of MQTT 5 as bytes of a version of MQTT; nil if that has no such packet.
func encode(p packets.Packet, version byte) []byte {
	if version < v5 {
		return encodeOld(p)
	}
	var b bytes.Buffer
	_, _ = p.WriteTo(&b) // a buffer takes all
	return b.Bytes()
}

// encodeOld leaves out what MQTT 3.1.1 does not have: properties, reasons, DISCONNECT by a server.
func encodeOld(p packets.Packet) []byte {
	id := func(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
	switch p := p.(type) {
	case *packets.Connack:
		code := byte(0)
		if p.ReasonCode >= 0x80 {
			code = 3 // server unavailable
		}
		return assemble(packets.CONNACK<<4, []byte{btoi(p.SessionPresent), code})
	case *packets.Suback:
		codes := bytes.Clone(p.Reasons)
		for i, c := range codes {
			codes[i] = min(c, 0x80)
		}
		return assemble(packets.SUBACK<<4, id(p.PacketID), codes)
	case *packets.Unsuback:
		return assemble(packets.UNSUBACK<<4, id(p.PacketID))
	case *packets.Puback:
		return assemble(packets.PUBACK<<4, id(p.PacketID))
	case *packets.Pubrec:
		return assemble(packets.PUBREC<<4, id(p.PacketID))
	case *packets.Pubcomp:
		return assemble(packets.PUBCOMP<<4, id(p.PacketID))
	case *packets.Pingresp:
		return assemble(packets.PINGRESP << 4)
	}
	return nil
}

func btoi(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// encode is a delivery as bytes. expiry is what is left of the message's time; 0: it has none.
func (d *delivery) encode(version byte, expiry uint32) []byte {
	first := packets.PUBLISH<<4 | btoi(d.again)<<3 | d.qos<<1 | btoi(d.retain)
	topic := append(binary.BigEndian.AppendUint16(nil, uint16(len(d.topic))), d.topic...)
	var id []byte
	if d.qos > 0 {
		id = binary.BigEndian.AppendUint16(nil, d.packetID)
	}
	if version < v5 {
		return assemble(first, topic, id, d.payload)
	}
	own := *d.properties // of all others the same
	own.SubscriptionIdentifier, own.TopicAlias, own.MessageExpiry = nil, nil, nil
	if expiry > 0 {
		own.MessageExpiry = &expiry
	}
	properties := own.Pack(packets.PUBLISH)
	for _, s := range d.subscriptions {
		properties = binary.AppendUvarint(append(properties, packets.PropSubscriptionIdentifier), uint64(s))
	}
	return assemble(first, topic, id, binary.AppendUvarint(nil, uint64(len(properties))), properties, d.payload)
}
