package broker

import (
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// noMatchingSubscribers is the reason of section 3.4.2.1.
const noMatchingSubscribers = 0x10

// publishLocked takes a message, or does what the script says.
func (c *client) publishLocked(p *packets.Publish) bool {
	b := c.broker
	if p.QoS > 0 {
		if c.open++; c.open > c.limit {
			c.disconnectLocked(packets.DisconnectReceiveMaximumExceeded)
			return false
		}
	}
	if p.QoS == 2 && c.received[p.PacketID] { // a second one of the same
		c.answerLocked(p, 0)
		return true
	}
	rule := b.actLocked(Publish, c.session.id, p.Topic)
	switch rule.Do {
	case Refuse:
		b.stats.Dropped++
		c.answerLocked(p, rule.Reason)
	case Silent:
		b.stats.Dropped++
	case Disconnect:
		c.disconnectLocked(rule.Reason)
		return false
	case Hangup:
		return false
	case Wait:
		m := c.messageLocked(p)
		if !b.laterLocked(rule.Delay, func() { c.takeLocked(p, m) }) {
			b.stats.Dropped++
		}
	default:
		c.takeLocked(p, c.messageLocked(p))
	}
	return true
}

func (c *client) messageLocked(p *packets.Publish) *message {
	m := &message{topic: p.Topic, payload: p.Payload, properties: p.Properties, qos: p.QoS, keep: p.Retain, from: c.session.id}
	if e := p.Properties.MessageExpiry; e != nil {
		m.expires = time.Now().Add(time.Duration(*e) * time.Second)
	}
	return m
}

// takeLocked gives a message to those who want it, and answers its publisher.
func (c *client) takeLocked(p *packets.Publish, m *message) {
	c.broker.retainLocked(m)
	reason := byte(0)
	if c.broker.routeLocked(m) == 0 && c.broker.options.NoSubscriberCode {
		reason = noMatchingSubscribers
	}
	if p.QoS == 2 {
		c.received[p.PacketID] = true
	}
	c.answerLocked(p, reason)
}

// answerLocked acknowledges a message of QoS 1 or 2.
func (c *client) answerLocked(p *packets.Publish, reason byte) {
	if p.QoS == 0 || c.gone {
		return
	}
	c.open--
	if p.QoS == 1 {
		c.sendLocked(&packets.Puback{PacketID: p.PacketID, ReasonCode: reason, Properties: new(packets.Properties)})
		return
	}
	c.sendLocked(&packets.Pubrec{PacketID: p.PacketID, ReasonCode: reason, Properties: new(packets.Properties)})
}
