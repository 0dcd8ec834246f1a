package mqtt

import (
	"encoding/binary"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"github.com/flowsync-go/flowsync/core"
)

// The few packets that do not go through paho are encoded here, by appending: a PUBLISH costs
// no allocation and is written straight into the buffer from which it goes to the socket.

// form is what all requests of a node have in common.
type form struct {
	topic      []byte // the request topic as it goes over the wire
	properties []byte // those that never change
	qos        byte
	retain     bool
}

func formOf(node *core.Node) form {
	return form{
		topic:      appendString(nil, node.RequestTopic()),
		properties: appendRequestProperties(nil, node.AnswerTopic()),
		qos:        node.QoS(),
		retain:     node.Retain(),
	}
}

// Encoder writes the requests of a node as PUBLISH packets, for a bus that has connections of its
// own. They are never retained and have QoS 0. It is immutable.
type Encoder struct{ form form }

// NewEncoder returns one for a node, whose topics must be valid.
func NewEncoder(node *core.Node) *Encoder {
	e := &Encoder{formOf(node)}
	e.form.qos, e.form.retain = 0, false
	return e
}

// Append appends the packet of a request as it is published now, for a receiver who speaks MQTT 5.
func (e *Encoder) Append(dst []byte, r *core.Request) []byte { return appendRequest(dst, &e.form, r) }

// AppendPlain appends the packet of a request for a receiver who speaks MQTT 3.1.1, which has no
// properties.
func (e *Encoder) AppendPlain(dst []byte, r *core.Request) []byte {
	dst = append(dst, publishHeader(0, false))
	dst, packet := beginLength(dst)
	dst = append(dst, e.form.topic...)
	dst = r.AppendMessage(dst)
	return endLength(dst, packet)
}

// appendRequest appends the PUBLISH of a request as it is published now.
func appendRequest(dst []byte, f *form, r *core.Request) []byte {
	return appendRequestLeft(dst, f, r, time.Until(r.Deadline))
}

// appendRequestLeft appends the PUBLISH of a request that has so much time left (MQTT 5 §3.3). With
// QoS 1 or 2 its packet identifier is left 0, see setPacketID. The time comes first among the
// properties, where setTimeLeft finds it.
func appendRequestLeft(dst []byte, f *form, r *core.Request, left time.Duration) []byte {
	dst = append(dst, publishHeader(f.qos, f.retain))
	dst, packet := beginLength(dst)
	dst = append(dst, f.topic...)
	if f.qos > 0 {
		dst = append(dst, 0, 0)
	}
	dst, properties := beginLength(dst)
	dst = appendTimeLeft(dst, left)
	dst = append(dst, f.properties...)
	dst = append(dst, packets.PropCorrelationData, 0, byte(len(r.ID)))
	dst = append(dst, r.ID[:]...)
	for _, p := range r.Properties {
		if safe, ok := safeProperty(p); ok {
			dst = append(dst, packets.PropUser)
			dst = appendString(dst, safe.Name)
			dst = appendString(dst, safe.Value)
		}
	}
	dst = endLength(dst, properties)
	dst = r.AppendMessage(dst)
	return endLength(dst, packet)
}

// appendRequestProperties appends those that all requests of a node share.
func appendRequestProperties(dst []byte, answerTopic string) []byte {
	dst = append(dst, packets.PropContentType)
	dst = appendString(dst, contentTypeJSON)
	dst = append(dst, packets.PropResponseTopic)
	return appendString(dst, answerTopic)
}

// appendMessage appends the PUBLISH of any other message.
func appendMessage(dst []byte, m *Message) []byte {
	dst = append(dst, publishHeader(m.QoS, m.Retain))
	dst, packet := beginLength(dst)
	dst = appendString(dst, m.Topic)
	if m.QoS > 0 {
		dst = append(dst, 0, 0)
	}
	dst, properties := beginLength(dst)
	if m.ContentType != "" {
		dst = append(dst, packets.PropContentType)
		dst = appendString(dst, m.ContentType)
	}
	dst = endLength(dst, properties)
	dst = append(dst, m.Payload...)
	return endLength(dst, packet)
}

// appendProbe appends an empty PUBLISH of QoS 1 that expires after a second. Its packet identifier is
// left 0.
func appendProbe(dst []byte, topic string) []byte {
	dst = append(dst, publishHeader(1, false))
	dst, packet := beginLength(dst)
	dst = appendString(dst, topic)
	dst = append(dst, 0, 0, 5, packets.PropMessageExpiry, 0, 0, 0, 1)
	return endLength(dst, packet)
}

func publishHeader(qos byte, retain bool) byte {
	first := packets.PUBLISH<<4 | qos<<1
	if retain {
		first |= 1
	}
	return first
}

// setPacketID writes the packet identifier into a whole PUBLISH of QoS 1 or 2.
func setPacketID(packet []byte, id uint16) {
	at := 1
	for packet[at]&0x80 != 0 {
		at++
	}
	at++
	at += 2 + int(binary.BigEndian.Uint16(packet[at:]))
	binary.BigEndian.PutUint16(packet[at:], id)
}

// appendAck appends a PUBACK, PUBREC, PUBREL or PUBCOMP that says success (MQTT 5 §3.4 ff.).
func appendAck(dst []byte, kind byte, id uint16) []byte {
	first := kind << 4
	if kind == packets.PUBREL {
		first |= 2 // reserved bits, §3.6.1
	}
	return append(dst, first, 2, byte(id>>8), byte(id))
}

// appendString: MQTT 5 §1.5.4. The caller has made sure that s is at most 65 535 bytes long.
func appendString(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

// usualLength is how many bytes beginLength reserves: right for 128 to 16 383 bytes.
const usualLength = 2

// beginLength reserves room for the length of what is appended next.
func beginLength(dst []byte) ([]byte, int) {
	return append(dst, 0, 0), len(dst)
}

// endLength fills it in as a variable byte integer. That must have the least number of bytes
// (MQTT 5 §1.5.5): if it is not the usual one, what follows is moved.
func endLength(dst []byte, at int) []byte {
	body := at + usualLength
	n := len(dst) - body
	var length [4]byte
	size := len(appendLength(length[:0], n))
	switch {
	case size < usualLength:
		copy(dst[at+size:], dst[body:])
		dst = dst[:len(dst)-usualLength+size]
	case size > usualLength:
		dst = append(dst, length[:size-usualLength]...)
		copy(dst[at+size:], dst[body:body+n])
	}
	copy(dst[at:], length[:size])
	return dst
}

// appendLength appends a variable byte integer (MQTT 5 §1.5.5).
func appendLength(dst []byte, n int) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}
