package subscription

import (
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"
)

// dispatch brings together Publish requests that wait and subscriptions that have something to
// send, as long as there are both. Only one goroutine does it at a time, so that responses are
// given in the order of their sequence numbers; others leave their work to it:
//
//  1. a tick puts its subscription in line, or a Publish request is enqueued;
//  2. who finds dispatching set goes on, since
//  3. who has set it looks again before he resets it, under the same lock.
func (o *Owner) dispatch() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dispatching {
		return
	}
	o.dispatching = true
	defer func() { o.dispatching = false }()
	for {
		send := o.match()
		if send == nil {
			return
		}
		o.mu.Unlock()
		func() {
			defer o.mu.Lock() // also if respond panics
			send()
		}()
	}
}

// match takes the oldest request and what comes first for it: a notice, or else what the ready
// subscription of the highest priority has to send, and the longest waiting one of these. If
// there can be nothing any more, the request is refused. nil: there is nothing to do.
func (o *Owner) match() (send func()) {
	if len(o.waiting) == 0 {
		return nil
	}
	switch {
	case len(o.notices) > 0:
		n, p := o.notices[0], o.pop()
		o.notices = slices.Delete(o.notices, 0, 1)
		return func() { p.send(n.response()) }
	case len(o.ready) > 0:
		s, p := o.first(), o.pop()
		return func() { o.serve(s, p) }
	case len(o.subscriptions) == 0:
		p := o.pop()
		return func() { p.respond(nil, ua.StatusBadNoSubscription) }
	}
	return nil
}

func (o *Owner) pop() *publish {
	p := o.waiting[0]
	o.waiting = slices.Delete(o.waiting, 0, 1)
	return p
}

// serve answers a request with what a subscription has to send. If that is nothing after all,
// the request goes back.
func (o *Owner) serve(s *subscription, p *publish) {
	if m := s.say(o); m != nil {
		p.send(m)
	} else if status := o.giveBack(p); status != ua.StatusOK {
		p.respond(nil, status)
	}
}

// giveBack puts a request back into its place.
func (o *Owner) giveBack(p *publish) ua.StatusCode {
	o.mu.Lock()
	defer o.mu.Unlock()
	status := o.mayWait(p)
	if status == ua.StatusOK {
		o.waiting = slices.Insert(o.waiting, 0, p)
		o.expire(p.deadline)
	}
	return status
}

// say makes a subscription's next message for an owner, if it is still his. A fault ends the
// subscription.
func (s *subscription) say(o *Owner) (m *ua.PublishResponse) {
	defer s.manager.rescue(func() { s.fail() })
	if !s.lockFor(o) {
		return nil
	}
	defer s.mu.Unlock()
	m = s.message(time.Now())
	if s.more {
		o.line(s)
	}
	return m
}

func (p *publish) send(m *ua.PublishResponse) {
	m.Results = p.results
	p.respond(m, ua.StatusOK)
}

// hasWaiting says whether a Publish request waits.
func (o *Owner) hasWaiting() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.waiting) > 0
}

// line puts a subscription of the owner among those that have something to send; dispatch must
// be called afterwards, without locks.
func (o *Owner) line(s *subscription) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.subscriptions[s.id] == s && !slices.ContainsFunc(o.ready, func(r turn) bool { return r.s == s }) {
		o.ready = append(o.ready, turn{s, s.priority})
	}
}

// unline takes it out; the lock must be held.
func (o *Owner) unline(s *subscription) {
	o.ready = slices.DeleteFunc(o.ready, func(r turn) bool { return r.s == s })
}

// turn is a subscription in line, with the priority that it had then.
type turn struct {
	s        *subscription
	priority uint8
}

// first takes the subscription whose turn it is out of the line; there must be one.
func (o *Owner) first() *subscription {
	best := 0
	for i, r := range o.ready {
		if r.priority > o.ready[best].priority {
			best = i
		}
	}
	s := o.ready[best].s
	o.ready = slices.Delete(o.ready, best, best+1)
	return s
}

// notify lets the owner tell what became of a subscription. If nobody asks, the oldest notices
// are forgotten.
func (o *Owner) notify(n notice) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	if len(o.notices) >= o.manager.options.MaxPerOwner {
		o.notices = slices.Delete(o.notices, 0, 1)
	}
	o.notices = append(o.notices, n)
}
