package mqtt

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/eclipse/paho.golang/packets"
)

var errTruncated = errors.New("it ends too early")

// delivery is a PUBLISH from the broker. Its slices alias the packet.
type delivery struct {
	topic       []byte
	payload     []byte
	correlation []byte // nil: none
	contentType []byte
	// subscriptions are the identifiers of the subscriptions that it matched.
	subscriptions []uint32
	packetID      uint16 // with QoS 1 and 2
	qos           byte
	retain        bool
}

// decode reads what follows the fixed header, whose first byte is first (MQTT 5 §3.3).
func (d *delivery) decode(first byte, body []byte) error {
	*d = delivery{qos: first >> 1 & 3, retain: first&1 != 0, subscriptions: d.subscriptions[:0]}
	if d.qos == 3 {
		return errors.New("malformed PUBLISH: QoS 3")
	}
	in := input{rest: body}
	d.topic = in.string()
	if d.qos > 0 {
		d.packetID = in.uint16()
	}
	properties := input{rest: in.take(in.length())}
	for len(properties.rest) > 0 {
		d.property(&properties)
	}
	d.payload = in.rest
	switch err := errors.Join(in.err, properties.err); {
	case err != nil:
		return fmt.Errorf("malformed PUBLISH: %w", err)
	case len(d.topic) == 0: // there are no aliases: we allow none
		return errors.New("malformed PUBLISH: it has no topic")
	case d.qos > 0 && d.packetID == 0:
		return errors.New("malformed PUBLISH: packet identifier 0")
	}
	return nil
}

func (d *delivery) property(in *input) {
	switch id := in.byte(); id {
	case packets.PropPayloadFormat:
		in.byte()
	case packets.PropMessageExpiry:
		in.take(4)
	case packets.PropContentType:
		d.contentType = in.string()
	case packets.PropResponseTopic:
		in.string()
	case packets.PropCorrelationData:
		d.correlation = in.string()
	case packets.PropSubscriptionIdentifier:
		d.subscriptions = append(d.subscriptions, uint32(in.length()))
	case packets.PropUser:
		in.string()
		in.string()
	default:
		in.fail(fmt.Errorf("property 0x%02x does not belong there", id))
	}
}

// ack is a PUBACK, PUBREC, PUBREL or PUBCOMP from the broker.
type ack struct {
	packetID uint16
	reason   byte
	words    string // the broker's own
}

func decodeAck(body []byte) (ack, error) {
	in := input{rest: body}
	a := ack{packetID: in.uint16()}
	if len(in.rest) > 0 {
		a.reason = in.byte()
	}
	if len(in.rest) > 0 {
		properties := input{rest: in.take(in.length())}
		for len(properties.rest) > 0 && properties.err == nil {
			switch id := properties.byte(); id {
			case packets.PropReasonString:
				a.words = string(properties.string())
			case packets.PropUser:
				properties.string()
				properties.string()
			default:
				properties.fail(fmt.Errorf("property 0x%02x does not belong there", id))
			}
		}
		in.fail(properties.err)
	}
	if in.err != nil {
		return a, fmt.Errorf("malformed acknowledgement: %w", in.err)
	}
	return a, nil
}

// input reads the fields of a packet. After the first error it has nothing left and gives
// zeros, so that the error need be looked at only once.
type input struct {
	rest []byte
	err  error
}

func (in *input) fail(err error) {
	if in.err == nil && err != nil {
		in.err, in.rest = err, nil
	}
}

func (in *input) take(n int) []byte {
	if n > len(in.rest) {
		in.fail(errTruncated)
		return nil
	}
	taken := in.rest[:n:n]
	in.rest = in.rest[n:]
	return taken
}

func (in *input) byte() byte {
	if b := in.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (in *input) uint16() uint16 {
	if b := in.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// string reads a string or binary data, which look the same.
func (in *input) string() []byte { return in.take(int(in.uint16())) }

// length reads a variable byte integer.
func (in *input) length() int {
	n := 0
	for shift := 0; shift < 28; shift += 7 {
		b := in.byte()
		n |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			return n
		}
	}
	in.fail(errors.New("a length has more than 4 bytes"))
	return 0
}
