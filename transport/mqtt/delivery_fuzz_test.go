package mqtt

import (
	"bytes"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"
)

// FuzzDelivery: a PUBLISH is accepted if a slow reading of MQTT 5 §3.3 accepts it, paho then reads
// the same, and nothing is read beyond its end.
func FuzzDelivery(f *testing.F) {
	f.Add(byte(0x30), []byte("\x00\x01a\x00payload"))
	f.Add(byte(0x32), []byte("\x00\x01a\x00\x07\x05\x09\x00\x02xy1"))
	f.Add(byte(0x3d), []byte("\x00\x03a/b\x00\x07\x0c\x0b\x80\x01\x26\x00\x01k\x00\x01v\x01\x01{}"))
	f.Add(byte(0x34), []byte("\x00\x06a/tres\x12\x34\x21\x01\x01\x02\x00\x00\x00\x09\x03\x00\x10application/json\x08\x00\x01b{\"id\":1}"))
	f.Add(byte(0x30), []byte("\x00\x01a\x03\x23\x00\x01x"))     // a topic alias: we allow none
	f.Add(byte(0x30), []byte("\x00\x00\x00"))                   // no topic
	f.Add(byte(0x36), []byte("\x00\x01a\x00\x01\x00"))          // QoS 3
	f.Add(byte(0x32), []byte("\x00\x01a\x00\x00\x00"))          // packet identifier 0
	f.Add(byte(0x30), []byte("\x00\x01a\x80\x00x"))             // a length with a byte too many
	f.Add(byte(0x30), []byte("\x00\x01a\x04\x0b\x01\x0b\x02x")) // two identifiers
	f.Fuzz(func(t *testing.T, first byte, body []byte) {
		first = packets.PUBLISH<<4 | first&15
		var d delivery
		ours := d.decode(first, body)
		identifiers, ok := deliveryModel(first, body)
		require.Equal(t, ok, ours == nil, "%v: %q", ours, body)
		if !ok {
			return
		}
		require.Equal(t, identifiers, append([]uint32(nil), d.subscriptions...))
		p, err := packets.ReadPacket(bytes.NewReader(append(appendLength([]byte{first}, len(body)), body...)))
		if err != nil {
			return // paho also refuses properties that come twice
		}
		want := p.Content.(*packets.Publish)
		require.Equal(t, want.Topic, string(d.topic))
		require.Equal(t, want.Payload, append([]byte{}, d.payload...))
		require.Equal(t, want.PacketID, d.packetID)
		require.Equal(t, want.QoS, d.qos)
		require.Equal(t, want.Retain, d.retain)
		require.Equal(t, string(want.Properties.CorrelationData), string(d.correlation))
		require.Equal(t, want.Properties.ContentType, string(d.contentType))
	})
}

// deliveryModel says whether a PUBLISH is as it should be, to a client that takes no aliases, and
// which subscriptions it is for.
func deliveryModel(first byte, body []byte) (identifiers []uint32, ok bool) {
	in := slow{rest: body}
	qos, id := first>>1&3, 1
	topic := in.take(in.number())
	if qos > 0 {
		id = in.number()
	}
	properties := slow{rest: in.take(in.variable())}
	for len(properties.rest) > 0 {
		switch properties.take(1)[0] {
		case 0x01: // Payload Format Indicator
			properties.take(1)
		case 0x02: // Message Expiry Interval
			properties.take(4)
		case 0x03, 0x08, 0x09: // Content Type, Response Topic, Correlation Data
			properties.take(properties.number())
		case 0x0b: // Subscription Identifier
			identifiers = append(identifiers, uint32(properties.variable()))
		case 0x26: // User Property
			properties.take(properties.number())
			properties.take(properties.number())
		default:
			return nil, false
		}
	}
	return identifiers, !in.bad && !properties.bad && qos < 3 && len(topic) > 0 && id > 0
}

// slow takes a packet apart. What is not there is bad, and reads as zeros.
type slow struct {
	rest []byte
	bad  bool
}

func (s *slow) take(n int) []byte {
	if n > len(s.rest) {
		*s = slow{bad: true}
		return make([]byte, min(n, 4))
	}
	taken := s.rest[:n]
	s.rest = s.rest[n:]
	return taken
}

func (s *slow) number() int {
	b := s.take(2)
	return int(b[0])<<8 | int(b[1])
}

func (s *slow) variable() (n int) {
	for i := range 4 {
		b := s.take(1)[0]
		if n |= int(b&0x7f) << (7 * i); b < 0x80 {
			return n
		}
	}
	s.bad = true
	return 0
}

// FuzzMessage: paho reads what we wrote.
func FuzzMessage(f *testing.F) {
	f.Add("a/b", []byte("x"), byte(1), true, "text/plain")
	f.Add("t", bytes.Repeat([]byte("x"), 20_000), byte(0), false, "")
	f.Fuzz(func(t *testing.T, topic string, payload []byte, qos byte, retain bool, contentType string) {
		m := Message{Topic: topic, Payload: payload, QoS: qos % 3, Retain: retain, ContentType: contentType}
		if ValidateTopic(topic) != nil || len(contentType) > maxString {
			return
		}
		packet := appendMessage(nil, &m)
		if m.QoS > 0 {
			setPacketID(packet, 9)
		}
		p := readPublish(t, packet)
		require.Equal(t, m, Message{Topic: p.Topic, Payload: append(payload[:0:0], p.Payload...), QoS: p.QoS, Retain: p.Retain, ContentType: p.Properties.ContentType})
	})
}
