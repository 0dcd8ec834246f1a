package subscription

import (
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Owner is the part of one session.
type Owner struct {
	manager *Manager
	user    string

	mu            sync.Mutex // guards all below; taken under a subscription's; only the manager's, and what bound takes, is taken under it
	closed        bool
	subscriptions map[uint32]*subscription
	waiting       []*publish  // requests, oldest first
	ready         []turn      // of those that have something to send, in the order in which they got it
	notices       []notice    // of what became of subscriptions, oldest first
	dispatching   bool        // somebody does, and does what comes up meanwhile too
	expiry        *time.Timer // when a Publish request has waited long enough; nil: none ever had a limit
}

// NewOwner returns the owner of a new session. user tells whether a subscription may be
// transferred: only between owners of the same user (OPC 10000-4, 5.14.7).
func (m *Manager) NewOwner(user string) *Owner {
	o := &Owner{manager: m, user: user, subscriptions: map[uint32]*subscription{}}
	m.mu.Lock()
	defer m.mu.Unlock()
	if o.closed = m.closed; !o.closed {
		m.owners[o] = struct{}{}
	}
	return o
}

// Close ends a session's part. deleteSubscriptions: as CloseSession asks; otherwise the subscriptions
// live on without owner until their lifetime ends, and can be transferred. Waiting Publish
// requests are answered with BadSessionClosed.
func (o *Owner) Close(deleteSubscriptions bool) {
	waiting, subscriptions := o.leave()
	o.manager.forget(o)
	for _, s := range subscriptions {
		if deleteSubscriptions {
			s.delete(o)
		} else {
			s.orphan(o)
		}
	}
	for _, p := range waiting {
		p.respond(nil, ua.StatusBadSessionClosed)
	}
}

// leave takes everything from the owner, which accepts nothing any more.
func (o *Owner) leave() ([]*publish, map[uint32]*subscription) {
	o.mu.Lock()
	defer o.mu.Unlock()
	waiting, subscriptions := o.waiting, o.subscriptions
	o.closed, o.waiting, o.ready, o.notices, o.subscriptions = true, nil, nil, nil, map[uint32]*subscription{}
	if o.expiry != nil {
		o.expiry.Stop()
	}
	return waiting, subscriptions
}

// adopt makes a subscription one of the owner's, unless he has too many. The subscription's
// lock must be held.
func (o *Owner) adopt(s *subscription) ua.StatusCode {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return ua.StatusBadSessionClosed
	case len(o.subscriptions) >= o.manager.options.MaxPerOwner:
		return ua.StatusBadTooManySubscriptions
	case s.id == 0 && !o.manager.add(s):
		return ua.StatusBadTooManySubscriptions
	}
	o.subscriptions[s.id] = s
	s.owner = o
	return ua.StatusOK
}

// drop is the opposite of adopt.
func (o *Owner) drop(s *subscription) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.subscriptions, s.id)
	o.unline(s)
}

// find returns a subscription of the owner, locked; nil: there is none.
func (o *Owner) find(id uint32) *subscription {
	o.mu.Lock()
	s := o.subscriptions[id]
	o.mu.Unlock()
	if s != nil && !s.lockFor(o) {
		return nil
	}
	return s
}
