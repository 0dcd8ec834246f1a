package broker

import (
	"fmt"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// handle does what a packet asks for. False: nothing more is read.
func (c *client) handle(p *packets.ControlPacket) bool {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	if c.ending || c.gone {
		return false
	}
	if c.session == nil && p.Type != packets.CONNECT {
		return true // the script keeps silent
	}
	switch p := p.Content.(type) {
	case *packets.Connect:
		return c.connectLocked(p)
	case *packets.Subscribe:
		return c.subscribeLocked(p)
	case *packets.Unsubscribe:
		c.unsubscribeLocked(p)
	case *packets.Publish:
		return c.publishLocked(p)
	case *packets.Puback:
		c.ackedLocked(p.PacketID)
	case *packets.Pubrel:
		delete(c.received, p.PacketID)
		c.sendLocked(&packets.Pubcomp{PacketID: p.PacketID, Properties: new(packets.Properties)})
	case *packets.Pingreq:
		c.sendLocked(new(packets.Pingresp))
	case *packets.Disconnect:
		if s := c.session; s != nil && p.Properties != nil && p.Properties.SessionExpiryInterval != nil {
			s.expiry = keptFor(p.Properties.SessionExpiryInterval)
		}
		return false
	}
	return true
}

// connectLocked accepts a client, or does what the script says.
func (c *client) connectLocked(p *packets.Connect) bool {
	b := c.broker
	answer := &packets.Connack{Properties: new(packets.Properties)}
	if p.ClientID == "" {
		b.anonymous++
		p.ClientID = fmt.Sprintf("anonymous-%d", b.anonymous)
		answer.Properties.AssignedClientID = p.ClientID
	}
	rule := b.actLocked(Connect, p.ClientID, "")
	switch rule.Do {
	case Silent:
		return true
	case Hangup:
		return false
	case Refuse, Disconnect: // before CONNACK there is no other way to say it
		return c.refuseLocked(answer, rule.Reason)
	case Limit:
		c.limit = int(rule.Number)
	}
	if c.version > v5 || len(b.sessions) >= maxSessions {
		return c.refuseLocked(answer, packets.ConnackQuotaExceeded)
	}
	answer.SessionPresent = c.adoptLocked(p, rule.Do == Forget)
	b.stats.Connects++
	c.keepAlive = time.Duration(p.KeepAlive) * time.Second
	if p.Properties.ReceiveMaximum != nil {
		c.receiveMaximum = int(*p.Properties.ReceiveMaximum)
	}
	limit, size := uint16(c.limit), uint32(b.options.MaxPacket)
	answer.Properties.ReceiveMaximum, answer.Properties.MaximumPacketSize = &limit, &size
	c.sendLocked(answer)
	return true
}

// refuseLocked answers a CONNECT with a reason, and ends the connection.
func (c *client) refuseLocked(answer *packets.Connack, reason byte) bool {
	answer.ReasonCode = reason
	c.sendLocked(answer)
	c.endLocked()
	return false
}

// adoptLocked gives the connection its session: the one that there is, or a new one.
func (c *client) adoptLocked(p *packets.Connect, forget bool) (present bool) {
	b := c.broker
	s := b.sessions[p.ClientID]
	if s != nil && s.client != nil { // taken over (section 3.1.4)
		old := s.client
		old.detachLocked()
		old.disconnectLocked(packets.DisconnectSessionTakenOver)
		s = b.sessions[p.ClientID]
	}
	if s == nil || p.CleanStart || forget || s.lapsed(time.Now()) {
		s = &session{id: p.ClientID, subs: make(map[string]*subscription)}
		b.sessions[p.ClientID] = s
	} else {
		present = true
	}
	s.expiry = keptFor(p.Properties.SessionExpiryInterval)
	if c.version < v5 && !p.CleanStart {
		s.expiry = -1
	}
	s.resume()
	s.client, c.session = c, s
	return present
}

// keptFor is a session expiry interval (section 3.1.2.11.2) as a duration.
func keptFor(seconds *uint32) time.Duration {
	switch {
	case seconds == nil:
		return 0
	case *seconds == 0xFFFFFFFF:
		return -1
	}
	return time.Duration(*seconds) * time.Second
}

func (c *client) subscribeLocked(p *packets.Subscribe) bool {
	answer := &packets.Suback{PacketID: p.PacketID, Properties: new(packets.Properties)}
	silent := false
	var fresh []*subscription
	for _, o := range p.Subscriptions {
		rule := c.broker.actLocked(Subscribe, c.session.id, o.Topic)
		group, filter, ok := share(o.Topic)
		switch {
		case rule.Do == Disconnect:
			c.disconnectLocked(rule.Reason)
			return false
		case rule.Do == Hangup:
			return false
		case rule.Do == Silent:
			silent = true
		case rule.Do == Refuse:
			answer.Reasons = append(answer.Reasons, rule.Reason)
		case !ok || !valid(filter):
			answer.Reasons = append(answer.Reasons, packets.SubackTopicFilterinvalid)
		default:
			o.QoS = min(o.QoS, 1)
			answer.Reasons = append(answer.Reasons, o.QoS)
			if sub := c.addLocked(&subscription{SubOptions: o, group: group, filter: filter}, p.Properties); sub != nil {
				fresh = append(fresh, sub)
			}
		}
	}
	if !silent {
		c.sendLocked(answer)
	}
	for _, sub := range fresh {
		c.broker.giveRetainedLocked(c.session, sub)
	}
	return true
}

// addLocked adds a subscription, and returns it if it is to get what is retained.
func (c *client) addLocked(sub *subscription, p *packets.Properties) *subscription {
	if p != nil && p.SubscriptionIdentifier != nil {
		sub.id = *p.SubscriptionIdentifier
	}
	before := c.session.subs[sub.Topic]
	c.session.subs[sub.Topic] = sub
	always := sub.RetainHandling == packets.RetainSendOnSubscribe
	ifNew := sub.RetainHandling == packets.RetainSendOnSubscribeIfNew && before == nil
	if sub.group != "" || !always && !ifNew {
		return nil
	}
	return sub
}

func (c *client) unsubscribeLocked(p *packets.Unsubscribe) {
	const noSubscriptionExisted = 0x11
	answer := &packets.Unsuback{PacketID: p.PacketID, Properties: new(packets.Properties)}
	for _, topic := range p.Topics {
		reason := byte(0)
		if c.session.subs[topic] == nil {
			reason = noSubscriptionExisted
		}
		delete(c.session.subs, topic)
		answer.Reasons = append(answer.Reasons, reason)
	}
	c.sendLocked(answer)
}

func (c *client) ackedLocked(packetID uint16) {
	c.session.acked(packetID)
	c.wake.Signal()
}
