package broker

import (
	"slices"
	"strings"
	"time"
)

const behindFor = 50 * time.Millisecond

// routeLocked gives a message to all who have subscribed, and says to how many.
func (b *Broker) routeLocked(m *message) (n int) {
	b.stats.Publishes++
	shares := make(map[string][]*session)
	for _, s := range b.sessions {
		if qos, retain, ids, ok := s.optionsFor(m); ok {
			n++
			b.deliverLocked(s, &delivery{message: m, qos: qos, retain: retain, subscriptions: ids})
		}
		for name, sub := range s.subs {
			if sub.group != "" && match(sub.filter, m.topic) {
				shares[name] = append(shares[name], s)
			}
		}
	}
	for name, members := range shares {
		n++
		b.shareLocked(name, members, m)
	}
	return n
}

// shareLocked gives a message to the member of a shared subscription whose turn it is; to one that
// is away only if all are.
func (b *Broker) shareLocked(name string, members []*session, m *message) {
	here := slices.DeleteFunc(slices.Clone(members), func(s *session) bool { return s.client == nil })
	if len(here) == 0 {
		here = members
	}
	slices.SortFunc(here, func(a, b *session) int { return strings.Compare(a.id, b.id) })
	s := here[b.turns[name]%len(here)]
	b.turns[name]++
	sub := s.subs[name]
	d := &delivery{message: m, qos: min(sub.QoS, m.qos), retain: sub.RetainAsPublished && m.keep}
	if sub.id > 0 {
		d.subscriptions = []int{sub.id}
	}
	b.deliverLocked(s, d)
}

// deliverLocked queues a delivery in the way in which the script says.
func (b *Broker) deliverLocked(s *session, d *delivery) {
	rule := b.actLocked(Deliver, s.id, d.topic)
	switch rule.Do {
	case Lose:
		b.stats.Dropped++
	case Wait:
		if !b.laterLocked(rule.Delay, func() { b.queueLocked(s, d) }) {
			b.stats.Dropped++
		}
	case Twice:
		copied := *d
		b.queueLocked(s, d)
		b.queueLocked(s, &copied)
	case Behind:
		b.holdLocked(s, d, rule.Delay)
	default:
		b.queueLocked(s, d)
	}
}

// holdLocked lets the next one to the same subscriber pass.
func (b *Broker) holdLocked(s *session, d *delivery, delay time.Duration) {
	if s.held != nil {
		b.queueLocked(s, d) // which lets the one before follow
		return
	}
	if delay == 0 {
		delay = behindFor
	}
	s.held = d
	b.laterLocked(delay, func() {
		if s.held == d {
			s.held = nil
			b.queueLocked(s, d)
		}
	})
}

// queueLocked queues a delivery, and one that waits for it behind.
func (b *Broker) queueLocked(s *session, d *delivery) {
	if len(s.queue) >= b.options.MaxQueue || s.client == nil && d.qos == 0 {
		b.stats.Dropped++
	} else {
		s.queue = append(s.queue, d)
	}
	if held := s.held; held != nil && held != d {
		s.held = nil
		b.queueLocked(s, held)
	}
	if s.client != nil {
		s.client.wake.Signal()
	}
}

// retainLocked keeps a retained message, or deletes it if it is empty (section 3.3.1.3).
func (b *Broker) retainLocked(m *message) {
	switch {
	case !m.keep:
	case len(m.payload) == 0:
		delete(b.retained, m.topic)
	case len(b.retained) < maxRetained:
		b.retained[m.topic] = m
	default:
		b.stats.Dropped++
	}
}

// giveRetainedLocked gives a new subscription what is kept for it.
func (b *Broker) giveRetainedLocked(s *session, sub *subscription) {
	for _, m := range b.retained {
		if match(sub.filter, m.topic) {
			d := &delivery{message: m, qos: min(sub.QoS, m.qos), retain: true}
			if sub.id > 0 {
				d.subscriptions = []int{sub.id}
			}
			b.deliverLocked(s, d)
		}
	}
}
