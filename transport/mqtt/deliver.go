package mqtt

import (
	"fmt"

	"github.com/eclipse/paho.golang/packets"

	"github.com/flowsync-go/flowsync/core"
)

// incoming takes what the broker publishes, and acknowledges it once it is handled.
func (s *subscriber) incoming(c *conn, first byte, body []byte) error {
	switch kind := first >> 4; kind {
	case packets.PUBLISH:
		if err := s.inbound.decode(first, body); err != nil {
			return err
		}
		return s.receive(c, first&8 != 0)
	case packets.PUBREL:
		a, err := decodeAck(body)
		if err != nil {
			return err
		}
		delete(s.halfway, a.packetID)
		c.acknowledge(packets.PUBCOMP, a.packetID)
		return nil
	default:
		return fmt.Errorf("the broker sent a packet of type %d on a connection that publishes nothing", kind)
	}
}

// receive follows MQTT 5 §4.3. A message of QoS 2 is a repetition if it says so and was not
// released yet; without the flag it is a new one of a new session.
func (s *subscriber) receive(c *conn, repeated bool) error {
	d := &s.inbound
	switch d.qos {
	case 0:
		s.deliver(d)
	case 1:
		s.deliver(d)
		c.acknowledge(packets.PUBACK, d.packetID)
	case 2:
		if _, known := s.halfway[d.packetID]; !known || !repeated {
			if len(s.halfway) >= receiveMaximum && !known {
				return fmt.Errorf("the broker sent more than %d messages of QoS 2 without releasing one", receiveMaximum)
			}
			s.halfway[d.packetID] = struct{}{}
			s.deliver(d)
		}
		c.acknowledge(packets.PUBREC, d.packetID)
	}
	return nil
}

// deliver hands a message to whom it is for. Answer topics have no wildcards and are on a
// connection of their own, so an answer comes once whatever else is subscribed. Handlers may
// have overlapping filters: the broker then says by identifiers which ones a copy is for
// (MQTT 5 §3.3.4); one that cannot is taken to send one copy for all.
func (s *subscriber) deliver(d *delivery) {
	if len(d.subscriptions) > 0 {
		for _, id := range d.subscriptions {
			s.mu.RLock()
			var sub *subscription
			if id > 0 && int(id) <= len(s.all) {
				sub = s.all[id-1]
			}
			s.mu.RUnlock()
			s.hand(sub, d)
		}
		return
	}
	s.mu.RLock()
	sub := s.byFilter[string(d.topic)]
	all := s.all
	s.mu.RUnlock()
	if sub != nil && sub.node != nil {
		s.hand(sub, d)
		return
	}
	topic := string(d.topic)
	for _, sub := range all {
		if sub.node == nil && Match(sub.filter, topic) {
			s.hand(sub, d)
		}
	}
}

func (s *subscriber) hand(sub *subscription, d *delivery) {
	switch {
	case sub == nil:
	case sub.node != nil:
		// We ask for retained messages neither now nor with their flag (Retain Handling 2,
		// Retain As Published 0): what has the flag is from before.
		s.bus.sink.Resolve(core.Answer{Node: sub.node, Payload: d.payload, CorrelationData: d.correlation, Stale: d.retain})
	default:
		s.mu.RLock()
		handlers := sub.handlers
		s.mu.RUnlock()
		m := Message{Topic: string(d.topic), Payload: d.payload, QoS: d.qos, Retain: d.retain, ContentType: string(d.contentType)}
		for _, handle := range handlers {
			handle(m)
		}
	}
}
