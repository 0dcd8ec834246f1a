package subscription

import (
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"
)

// subscription is the state of OPC 10000-4, 5.14.1.2, with its items.
type subscription struct {
	id      uint32
	manager *Manager
	user    string
	samples samples

	mu sync.Mutex // guards all below; an owner's, a node's and that of samples are taken under it
	params
	owner    *Owner // nil: its session has ended
	closed   bool
	enabled  bool // publishing
	items    map[uint32]*item
	clocked  map[uint32]*item // those of live values
	lastItem uint32
	sent     retransmission

	timer *time.Timer
	next  time.Time // the coming publishing tick
	quiet uint32    // cycles since the last message
	life  uint32    // cycles until the subscription ends, if no Publish request comes
	begun bool      // a message was sent
	owes  bool      // a message is due, even an empty one: late, if it could not be sent
	more  bool      // the last message did not have room for all
}

func newSubscription(o *Owner, p params, enabled bool) *subscription {
	s := &subscription{
		manager: o.manager, user: o.user, params: p, enabled: enabled,
		items: map[uint32]*item{}, clocked: map[uint32]*item{},
		sent: retransmission{next: 1, limit: o.manager.options.MaxRetransmission, budget: &o.manager.retained, bytes: &o.manager.retainedBytes},
	}
	s.samples.space = o.manager.options.Space
	return s
}

// start begins the publishing cycles; the lock must be held.
func (s *subscription) start() {
	s.alive()
	s.schedule()
	s.timer = time.AfterFunc(s.interval, s.tick)
}

// schedule puts the ticks at whole intervals from now.
func (s *subscription) schedule() {
	now := time.Now()
	s.samples.place(now)
	s.next = now.Add(s.interval)
}

// alive is what each service call for the subscription and each message does.
func (s *subscription) alive() { s.life = s.lifetime }

// modify changes parameters (5.14.3). The cycle begins anew with another interval.
func (s *subscription) modify(p params) {
	changed := p.interval != s.interval
	s.params = p
	s.alive()
	if changed {
		s.schedule()
		s.timer.Reset(s.interval)
	}
}

// enable changes the publishing mode (5.14.4).
func (s *subscription) enable(enabled bool) {
	s.alive()
	s.enabled = enabled
}

// close ends the subscription and its items, and takes it from its owner. The lock must be held.
func (s *subscription) close() {
	s.closed = true
	s.timer.Stop()
	for _, it := range s.items {
		s.end(it)
	}
	s.sent.clear()
	s.manager.remove(s)
	if s.owner != nil {
		s.owner.drop(s)
	}
}

// message makes the response to one Publish request; nil: nothing is to be said now. The lock
// must be held.
func (s *subscription) message(now time.Time) *ua.PublishResponse {
	s.samples.advance(now)
	var picks []pick
	s.more = false
	if s.enabled {
		picks, s.more = s.samples.collect(s.maxNotifications)
	}
	if len(picks) == 0 && !s.owes {
		return nil
	}
	s.alive()
	s.begun, s.owes, s.quiet = true, false, 0
	m := &ua.NotificationMessage{SequenceNumber: s.sent.next, PublishTime: now}
	if len(picks) > 0 {
		m.NotificationData = []*ua.ExtensionObject{dataChange(picks)}
		s.sent.keep(m, len(picks), weightOf(picks))
	}
	return &ua.PublishResponse{
		SubscriptionID:           s.id,
		AvailableSequenceNumbers: s.sent.available(),
		MoreNotifications:        s.more,
		NotificationMessage:      m,
	}
}

func dataChange(picks []pick) *ua.ExtensionObject {
	n := &ua.DataChangeNotification{MonitoredItems: make([]*ua.MonitoredItemNotification, len(picks))}
	for i := range picks {
		n.MonitoredItems[i] = picks[i].notification()
	}
	return ua.NewExtensionObject(n)
}
