package mqtt

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/flowsync-go/flowsync/core"
)

// publisher is the role of a connection that publishes and subscribes to nothing. Its session
// is clean and ends with the connection, so that neither side ever sends a request again.
type publisher struct {
	bus  *Bus
	link *link
	conn atomic.Pointer[conn] // nil while away
	room room
}

func newPublisher(b *Bus, clientID string) *publisher {
	p := &publisher{bus: b}
	p.link = newLink(b, clientID, p)
	p.room.publisher = p
	return p
}

// connection returns the connection, or for requesters that there is none.
func (p *publisher) connection() (*conn, error) {
	if c := p.conn.Load(); c != nil {
		return c, nil
	}
	return nil, p.link.away()
}

func (p *publisher) prepare(cp *paho.Connect, _ bool) { cp.CleanStart = true }

func (p *publisher) farewell() *paho.Disconnect { return &paho.Disconnect{} }

// fresh: its session always is.
func (p *publisher) fresh() {}

func (p *publisher) serve(ctx context.Context, s *session) error {
	if p == p.bus.publishers[0] { // one is enough to know the broker
		p.bus.knowledge.meet(s)
	}
	p.conn.Store(s.conn)
	p.bus.changed()
	defer p.bus.changed()
	defer p.conn.Store(nil)
	select {
	case <-s.lost():
	case <-ctx.Done():
	}
	return nil
}

// incoming takes the broker's acknowledgements (MQTT 5 §4.3).
func (p *publisher) incoming(c *conn, first byte, body []byte) error {
	kind := first >> 4
	if kind != packets.PUBACK && kind != packets.PUBREC && kind != packets.PUBCOMP {
		return fmt.Errorf("the broker sent a packet of type %d on a connection that is subscribed to nothing", kind)
	}
	a, err := decodeAck(body)
	if err != nil {
		return err
	}
	if kind == packets.PUBREC && a.reason < reasonFailure {
		c.acknowledge(packets.PUBREL, a.packetID)
		p.acknowledged(c.flying(a.packetID), &a)
		return nil
	}
	f, ok := c.land(a.packetID)
	if ok && kind != packets.PUBCOMP {
		p.acknowledged(f, &a)
	}
	return nil
}

// acknowledged looks at what the broker says to a packet: what ends the request now, and what
// would be worth knowing of the broker. The responder may have answered before: then nothing ends.
func (p *publisher) acknowledged(f flight, a *ack) {
	switch {
	case f.probe:
		p.bus.knowledge.probed(a)
	case a.reason >= reasonFailure:
		p.refused(f.id, a)
	case a.reason == reasonNoSubscribers && !f.id.IsZero():
		p.bus.counters.noSubscriber.Add(1)
		p.bus.knowledge.reported()
		if f.unheard != nil {
			p.bus.sink.Fail(f.id, f.unheard)
		}
	}
}

func (p *publisher) refused(id core.ID, a *ack) {
	text := reasonText(a.reason, a.words)
	if id.IsZero() {
		p.bus.counters.dropped.Add(1)
		p.link.messages.complain("the broker refused a message", errors.New(text))
		return
	}
	p.bus.counters.refusedRequests.Add(1)
	p.link.requests.complain("the broker refused a request", errors.New(text))
	p.bus.sink.Fail(id, fmt.Errorf("%w: %s", core.ErrRefused, text))
}
