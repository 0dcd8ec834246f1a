package watch

import (
	"bytes"
	"strings"
	"sync"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/tap"
)

// The MQTT control packet types that are recorded.
const (
	publish = 3
	puback  = 4
	pubrec  = 5
)

// The last level of a topic says what is on it.
const (
	requests = "/treq"
	answers  = "/tres"
	ends     = "/tend"
)

// recorder writes into a history.
type recorder struct {
	history *history.History
	life    func() uint32

	mu     sync.Mutex // guards all below
	topics map[string]string
	waits  map[flight]history.ID // requests that wait for the broker's acknowledgement
}

// flight is a packet identifier of a connection.
type flight struct {
	conn uint64
	id   uint16
}

// Hooks returns the hooks of a tap between gateway and broker. life tells which gateway process
// runs now. Topics that end in /treq, /tres and /tend are recorded, all others are let by.
func Hooks(h *history.History, life func() uint32) tap.Hooks {
	r := &recorder{history: h, life: life, topics: make(map[string]string), waits: make(map[flight]history.ID)}
	return tap.Hooks{Seen: r.seen, Forwarding: r.forwarding, Partial: r.partial, Closed: r.closed}
}

// seen records what the gateway has sent.
func (r *recorder) seen(p *tap.Packet) {
	if p.Dir != tap.ToBroker || p.Type != publish {
		return
	}
	switch topic, suffix := split(p.Topic); suffix {
	case requests:
		id, _ := history.IDIn(p.Payload)
		if p.QoS > 0 {
			r.mu.Lock()
			r.waits[flight{p.Conn, p.PacketID}] = id
			r.mu.Unlock()
		}
		r.history.Published(history.Published{ID: id, Marker: history.MarkerIn(p.Payload), Topic: r.intern(topic), Conn: p.Conn, Life: r.life()})
	case ends:
		m := read(p.Payload)
		r.history.Told(history.Told{ID: m.id(), Outcome: r.intern(m.Outcome)})
	}
}

// forwarding records what the gateway gets.
func (r *recorder) forwarding(p *tap.Packet) {
	if p.Dir == tap.ToBroker {
		r.leaving(p)
		return
	}
	switch p.Type {
	case publish:
		if topic, suffix := split(p.Topic); suffix == answers {
			r.answer(p, topic)
		}
	case puback, pubrec:
		r.mu.Lock()
		id, ok := r.waits[flight{p.Conn, p.PacketID}]
		delete(r.waits, flight{p.Conn, p.PacketID})
		r.mu.Unlock()
		if ok {
			r.history.Acked(history.Acked{ID: id, Reason: p.Reason, Conn: p.Conn})
		}
	}
}

// leaving records that a request goes on otherwise than the gateway has written it. What it was
// cannot be told from its bytes any more, so the tap says.
func (r *recorder) leaving(p *tap.Packet) {
	if p.Tampered && p.Was != nil && p.Was.Type == publish {
		if id, ok := history.IDIn(p.Was.Payload); ok {
			r.history.Altered(history.Altered{ID: id})
		}
	}
}

func (r *recorder) answer(p *tap.Packet, topic string) {
	e := history.Answer{
		Marker: history.MarkerIn(p.Payload), Topic: r.intern(topic), Conn: p.Conn, Life: r.life(),
		Stale: p.Retain, Tampered: p.Tampered, Malformed: p.Broken,
	}
	if m := read(p.Payload); !p.Broken {
		e.ID, e.Malformed = m.correlate(p.CorrelationData)
		e.Error = m.Error != nil
		neither := m.Error == nil && m.Value == nil
		e.Extend = neither && m.Extend != nil
		e.Empty = neither && m.Extend == nil
	}
	r.history.Answer(e)
}

// partial records what the gateway began to send.
func (r *recorder) partial(p *tap.Packet, got, length int) {
	if _, suffix := split(p.Topic); p.Dir != tap.ToBroker || p.Type != publish || suffix != requests {
		return
	}
	id, _ := history.IDIn(p.Payload)
	r.history.Partial(history.Partial{ID: id, Marker: history.MarkerIn(p.Payload), Conn: p.Conn, Got: got, Len: length})
}

func (r *recorder) closed(conn uint64) {
	r.mu.Lock()
	for f := range r.waits {
		if f.conn == conn {
			delete(r.waits, f)
		}
	}
	r.mu.Unlock()
	r.history.Cut(history.Cut{Conn: conn})
}

// split takes the last level off a topic.
func split(topic string) (node, suffix string) {
	at := strings.LastIndexByte(topic, '/')
	if at < 0 {
		return topic, ""
	}
	return topic[:at], topic[at:]
}

// maxTopics bounds the texts that are kept once for all events.
const maxTopics = 4096

// intern returns one and the same string for equal texts, so that events share it.
func (r *recorder) intern(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.topics[text]
	if !ok && len(r.topics) < maxTopics {
		known = string(bytes.Clone([]byte(text)))
		r.topics[text] = known
		return known
	}
	if !ok {
		return text
	}
	return known
}
