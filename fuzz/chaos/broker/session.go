package broker

import (
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// message is what was published. It is never changed.
type message struct {
	topic      string
	payload    []byte
	properties *packets.Properties
	qos        byte
	keep       bool      // the publisher's retain flag
	expires    time.Time // zero: never
	from       string    // client id
}

// delivery is a message on its way to one subscriber.
type delivery struct {
	*message
	qos           byte
	retain        bool
	subscriptions []int // identifiers
	packetID      uint16
	again         bool // it was sent before on another connection
}

// subscription is one filter of a session.
type subscription struct {
	packets.SubOptions
	group  string // of a shared subscription
	filter string // without the group
	id     int    // 0: none
}

// session is what the broker keeps of a client. The broker's lock guards it.
type session struct {
	id       string
	client   *client // nil while it is away
	subs     map[string]*subscription
	queue    []*delivery
	inflight []*delivery // QoS 1, not acknowledged, in the order in which they were sent
	held     *delivery   // waits for the next one to pass
	lastID   uint16
	expiry   time.Duration // how long it is kept when the client is away; negative: for ever
	left     time.Time
}

// lapsed says that it is over because its client stayed away too long.
func (s *session) lapsed(now time.Time) bool {
	return s.client == nil && s.expiry >= 0 && now.Sub(s.left) >= s.expiry
}

// nextID is a packet identifier that is not in use.
func (s *session) nextID() uint16 {
	for {
		if s.lastID++; s.lastID == 0 {
			s.lastID = 1
		}
		used := false
		for _, d := range s.inflight {
			used = used || d.packetID == s.lastID
		}
		if !used {
			return s.lastID
		}
	}
}

// take removes the next delivery that may be sent now from the queue; nil: none.
func (s *session) take(receiveMaximum int) *delivery {
	if len(s.queue) == 0 || s.queue[0].qos > 0 && len(s.inflight) >= receiveMaximum {
		return nil
	}
	d := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	if d.qos > 0 {
		if d.packetID == 0 {
			d.packetID = s.nextID()
		}
		s.inflight = append(s.inflight, d)
	}
	return d
}

// acked ends a delivery.
func (s *session) acked(packetID uint16) {
	for i, d := range s.inflight {
		if d.packetID == packetID {
			s.inflight = append(s.inflight[:i:i], s.inflight[i+1:]...)
			return
		}
	}
}

// resume prepares a session for a new connection: what was not acknowledged is sent again first
// (section 4.4).
func (s *session) resume() {
	for _, d := range s.inflight {
		d.again = true
	}
	s.queue = append(s.inflight, s.queue...)
	s.inflight = nil
}

// sleep keeps only what is kept of a session whose client is away.
func (s *session) sleep(now time.Time) {
	s.client, s.left = nil, now
	kept := s.queue[:0:0]
	for _, d := range s.queue {
		if d.qos > 0 {
			kept = append(kept, d)
		}
	}
	s.queue = kept
}

// optionsFor is how a session gets a topic: the highest QoS of all its subscriptions that match,
// and the identifiers of them; false: not at all. Shared ones are not looked at.
func (s *session) optionsFor(m *message) (qos byte, retain bool, ids []int, ok bool) {
	for _, sub := range s.subs {
		if sub.group != "" || !match(sub.filter, m.topic) || sub.NoLocal && m.from == s.id {
			continue
		}
		ok = true
		qos = max(qos, min(sub.QoS, m.qos))
		retain = retain || sub.RetainAsPublished && m.keep
		if sub.id > 0 {
			ids = append(ids, sub.id)
		}
	}
	return qos, retain, ids, ok
}
