package mqtt

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

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
	asked   bool                // a CONNECT was written, and no CONNACK was read yet; used by link.run only
	unsure  bool                // likewise: that was so when the next one was written
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
	s.unsure = s.unsure || s.asked
	s.asked = true
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
	// A session may also be a new one, made for a CONNECT whose CONNACK was lost.
	if !on.connack.SessionPresent || s.unsure {
		s.forget(on.again && !on.connack.SessionPresent)
	}
	s.asked, s.unsure = false, false
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

// forget: all subscriptions must be made anew, for the broker has no session of ours, or one that
// may be without them. lost: it had one.
func (s *subscriber) forget(lost bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, sub := range s.all {
		sub.active.Store(false)
	}
	if lost {
		s.bus.counters.sessionsLost.Add(1)
		s.link.log.Error("the broker lost our session: answers that arrived meanwhile are gone; subscribing again")
	}
}
