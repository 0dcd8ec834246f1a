package idempotency

import (
	"fmt"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// model is what a table with one node should do, in the plainest way: a list of keys, and for each
// request how it should end. Nothing in it happens at the same time.
type model struct {
	stored  bool // there is a store
	maxKeys int
	window  time.Duration
	timeout time.Duration

	now      time.Time
	keys     map[byte]*modelKey
	expected []*modelRequest
	wire     byte // what becomes of what is published: wireSent, wireWaits or wireRefuses
	diskFull bool
	left     int // requests that the wire has got
}

const (
	wireSent = iota
	wireWaits
	wireRefuses
)

type modelKey struct {
	state    state
	body     byte
	request  int // which of those that the wire has got
	sent     bool
	reply    modelEnd // its outcome and value
	until    time.Time
	deadline time.Time       // of the transaction
	waiting  []*modelRequest // the first one, if it is there, has no deadline
	onDisk   string          // "", "intent" or "reply"
}

type modelRequest struct {
	first    bool
	key      *modelKey
	deadline time.Time
	end      modelEnd // zero: it waits
}

type modelEnd struct {
	outcome core.Outcome
	repeat  core.Repeat
	value   string
}

func (e modelEnd) String() string {
	return fmt.Sprintf("%v, repeat %d, value %q", e.outcome, e.repeat, e.value)
}

func (m *model) idle(k *modelKey) bool { return k.state != inFlight && len(k.waiting) == 0 }

func (m *model) expire() {
	for name, k := range m.keys {
		if m.idle(k) && !m.now.Before(k.until) {
			delete(m.keys, name)
		}
	}
}

func (m *model) begin(name, body byte, limit time.Duration) {
	m.expire()
	r := &modelRequest{deadline: m.now.Add(limit)}
	m.expected = append(m.expected, r)
	k := m.keys[name]
	switch {
	case k == nil && len(m.keys) >= m.maxKeys:
		r.end = modelEnd{outcome: core.Shed}
	case k == nil && (m.stored && m.diskFull || m.wire == wireRefuses):
		r.end = modelEnd{outcome: core.NotPublished}
	case k == nil:
		k = &modelKey{body: body, request: m.left, sent: m.wire == wireSent, until: m.now.Add(m.window), deadline: r.deadline}
		if m.stored {
			k.onDisk = "intent"
		}
		m.left++
		m.keys[name] = k
		r.first = true
		m.seat(r, k)
	case k.body != body:
		r.end = modelEnd{repeat: core.Conflict}
	case k.state == replied:
		r.end = modelEnd{k.reply.outcome, core.Replayed, k.reply.value}
	default:
		m.seat(r, k)
	}
}

func (m *model) seat(r *modelRequest, k *modelKey) {
	r.key = k
	k.waiting = append(k.waiting, r)
}

// finish ends all who wait for a key: the first in one way, the others in another.
func (k *modelKey) finish(first, others modelEnd) {
	for _, r := range k.waiting {
		r.end = others
		if r.first {
			r.end = first
		}
	}
	k.waiting = nil
}

func (m *model) free(k *modelKey) {
	for name, other := range m.keys {
		if other == k {
			delete(m.keys, name)
		}
	}
}

// doubt ends the transaction without a reply: the first one has his end, the others wait on.
func (k *modelKey) doubt(first modelEnd) {
	k.state = inDoubt
	var waiting []*modelRequest
	for _, r := range k.waiting {
		if r.first {
			r.end = first
		} else {
			waiting = append(waiting, r)
		}
	}
	k.waiting = waiting
}

// answered is what an answer does, and whether it is for anybody.
func (m *model) answered(k *modelKey, end modelEnd) {
	if k.state == replied {
		return
	}
	others := modelEnd{end.outcome, core.Joined, end.value}
	if k.state == inDoubt {
		others.repeat = core.Replayed
	}
	k.finish(end, others)
	k.state, k.reply = replied, end
	if m.stored && !m.diskFull {
		k.onDisk = "reply"
	}
}

func (m *model) unusable(k *modelKey) {
	if k.state == inFlight {
		k.finish(modelEnd{outcome: core.BadResponse}, modelEnd{core.BadResponse, core.Joined, ""})
		k.state = inDoubt
	}
}

// failed is what the bus says of a request: that it was not sent, or refused by the broker.
func (m *model) failed(k *modelKey, refused bool) {
	if k.state == inFlight && (refused || !k.sent) {
		k.finish(modelEnd{outcome: core.NotPublished}, modelEnd{core.NotPublished, core.Joined, ""})
		m.free(k)
	}
}

// leave is a requester who goes, cancelled or by his own deadline.
func (m *model) leave(r *modelRequest, why core.Outcome) {
	k := r.key
	for i, other := range k.waiting {
		if other == r {
			k.waiting = append(k.waiting[:i:i], k.waiting[i+1:]...)
		}
	}
	r.end = modelEnd{outcome: why}
	if why == core.Timeout {
		r.end.repeat = core.InDoubt
	}
	if k.state != inFlight || len(k.waiting) > 0 {
		return
	}
	k.state = inDoubt
	if !k.sent {
		if why == core.Timeout {
			r.end = modelEnd{core.NotPublished, core.Joined, ""}
		}
		m.free(k)
	}
}

// next is the earliest deadline, and what happens then; nil: there is none.
func (m *model) next() (at time.Time, happens func()) {
	consider := func(t time.Time, f func()) {
		if happens == nil || t.Before(at) {
			at, happens = t, f
		}
	}
	for _, k := range m.keys {
		if k.state == inFlight {
			consider(k.deadline, func() {
				if k.sent {
					k.doubt(modelEnd{outcome: core.Timeout})
				} else {
					m.failed(k, false)
				}
			})
		}
		for _, r := range k.waiting {
			if !r.first {
				consider(r.deadline, func() { m.leave(r, core.Timeout) })
			}
		}
	}
	return at, happens
}

func (m *model) advance(to time.Time) {
	for {
		at, happens := m.next()
		if happens == nil || at.After(to) {
			break
		}
		m.now = at
		happens()
	}
	m.now = to
}

// clear finds a time at or after t that is not close to any deadline: what happens within a tick
// of the engine's may happen in any order.
func (m *model) clear(t time.Time) time.Time {
	const close = 4 * time.Millisecond
	near := func(d time.Time) bool { return d.Sub(t).Abs() < close }
	for again := true; again; {
		again = false
		for _, k := range m.keys {
			again = again || k.state == inFlight && near(k.deadline)
			for _, r := range k.waiting {
				again = again || near(r.deadline)
			}
		}
		if again {
			t = t.Add(time.Millisecond)
		}
	}
	return t
}

func (m *model) restart() {
	for _, k := range m.keys {
		if k.state == inFlight {
			k.finish(modelEnd{outcome: core.Shutdown}, modelEnd{core.Shutdown, core.Joined, ""})
			if k.state = inDoubt; !k.sent {
				m.free(k)
				continue
			}
		}
		k.finish(modelEnd{}, modelEnd{core.Shutdown, core.InDoubt, ""})
		switch k.onDisk {
		case "":
			m.free(k)
		case "intent":
			k.state = inDoubt
		}
	}
	m.expire()
}
