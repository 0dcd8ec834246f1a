package mqtt

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/flowsync-go/flowsync/core"
)

const (
	// sessionExpiry is how long the broker keeps what arrives while we are away, in seconds.
	sessionExpiry = 60
	// receiveMaximum is how many messages of QoS 1 and 2 the broker may send ahead of our
	// acknowledgements, which follow at once.
	receiveMaximum = 1024
	// retryRefused is how often a refused subscription is tried again: somebody may have
	// changed the broker's access rules.
	retryRefused = 10 * time.Second
)

// subscriber is the role of a connection that subscribes and publishes nothing. Its session
// outlives the connection, so that what arrives in between is delivered after a reconnect.
type subscriber struct {
	bus     *Bus
	link    *link
	up      atomic.Bool
	kick    chan struct{}       // one token: there is something to subscribe to
	inbound delivery            // used by the reading goroutine
	halfway map[uint16]struct{} // likewise: QoS 2 messages of this session, delivered and not released

	mu       sync.RWMutex // guards the two below; handlers are called outside
	byFilter map[string]*subscription
	all      []*subscription // its identifier is its index + 1
}

// subscription is one topic filter: the answer topic of a node, or one that has handlers.
type subscription struct {
	filter   string
	node     *core.Node
	handlers []Handler // guarded by subscriber.mu, replaced as a whole
	qos      byte      // guarded by subscriber.mu
	active   atomic.Bool
	refusal  atomic.Pointer[string]
}

func newSubscriber(b *Bus, clientID string) *subscriber {
	s := &subscriber{
		bus:      b,
		kick:     make(chan struct{}, 1),
		halfway:  map[uint16]struct{}{},
		byFilter: map[string]*subscription{},
	}
	s.link = newLink(b, clientID, s)
	return s
}

// add subscribes to the answers of a node, or adds a handler.
func (s *subscriber) add(filter string, qos byte, node *core.Node, handle Handler) *subscription {
	s.mu.Lock()
	sub := s.byFilter[filter]
	if sub == nil {
		sub = &subscription{filter: filter, node: node, qos: qos}
		s.byFilter[filter] = sub
		s.all = append(s.all, sub)
	}
	if handle != nil {
		sub.handlers = append(sub.handlers[:len(sub.handlers):len(sub.handlers)], handle)
	}
	if qos > sub.qos {
		sub.qos = qos
		sub.active.Store(false)
	}
	s.mu.Unlock()
	select {
	case s.kick <- struct{}{}:
	default:
	}
	return sub
}

// trouble says to a requester why the messages of a subscription would not arrive, nil if they
// would.
func (s *subscriber) trouble(sub *subscription) error {
	if !s.up.Load() {
		return s.link.away()
	}
	if sub.active.Load() {
		return nil
	}
	if why := sub.refusal.Load(); why != nil {
		return fmt.Errorf("%w: the broker refused the subscription to %q: %s", core.ErrNotSent, sub.filter, *why)
	}
	return fmt.Errorf("%w: %w to %q", core.ErrNotSent, errNotSubscribed, sub.filter)
}

// missing says to the operator what is missing, nil if nothing is.
func (s *subscriber) missing() error {
	if !s.up.Load() {
		return s.link.absence()
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, sub := range s.all {
		if err := s.trouble(sub); err != nil {
			return err
		}
	}
	return nil
}

func (s *subscriber) prepare(cp *paho.Connect, again bool) {
	expiry := uint32(sessionExpiry)
	cp.CleanStart = !again
	cp.Properties.SessionExpiryInterval = &expiry
}

// farewell ends the session with the connection.
func (s *subscriber) farewell() *paho.Disconnect {
	now := uint32(0)
	return &paho.Disconnect{Properties: &paho.DisconnectProperties{SessionExpiryInterval: &now}}
}

func (s *subscriber) serve(ctx context.Context, on *session) error {
	if !on.connack.SessionPresent {
		s.forget(on.again)
	}
	s.up.Store(true)
	defer s.bus.changed()
	defer s.up.Store(false)
	retry := time.NewTicker(retryRefused)
	defer retry.Stop()
	for {
		select {
		case <-s.kick: // what it stood for is looked at now
		default:
		}
		if err := s.subscribe(ctx, on); err != nil {
			return err
		}
		s.bus.changed()
		select {
		case <-s.kick:
		case <-retry.C:
		case <-on.lost():
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// fresh: what waits for its release belonged to a session that is no more, and the packet
// identifiers of the new one begin anew (MQTT 5 §3.2.2.1.1).
func (s *subscriber) fresh() { clear(s.halfway) }

// forget: the broker has no session of ours, all subscriptions must be made anew.
func (s *subscriber) forget(again bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, sub := range s.all {
		sub.active.Store(false)
	}
	if again {
		s.bus.counters.sessionsLost.Add(1)
		s.link.log.Error("the broker lost our session: answers that arrived meanwhile are gone; subscribing again")
	}
}

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
