package subscription

import (
	"time"

	"github.com/gopcua/opcua/ua"
)

// tick is the end of a publishing cycle, called by the timer.
func (s *subscription) tick() {
	defer s.manager.rescue(nil)
	if o := s.turn(); o != nil {
		o.dispatch()
	}
}

// turn is a cycle whose fault ends the subscription, not the process.
func (s *subscription) turn() (o *Owner) {
	defer s.manager.rescue(func() { o = s.fail() })
	return s.cycle()
}

// cycle does what the state table says when the publishing timer expires, and returns who may
// have something to send now.
func (s *subscription) cycle() *Owner {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	now := time.Now()
	if !s.rearm(now) {
		return nil
	}
	o := s.owner
	if s.expired() {
		if o != nil {
			o.notify(notice{s.id, s.sent.next, ua.StatusBadTimeout})
		}
		s.close()
		return o
	}
	for _, it := range s.clocked {
		it.poll(now)
	}
	s.samples.advance(now)
	s.quiet++
	if !s.begun || s.quiet >= s.keepAlive || s.enabled && s.samples.available() {
		s.owes = true
	}
	if o != nil && s.owes {
		o.line(s)
	}
	return o
}

// rearm keeps the ticks at whole intervals: they do not drift, and are left out when they are
// missed. It says whether this one is due: it is not if the interval was changed just when the
// timer fired.
func (s *subscription) rearm(now time.Time) bool {
	late := now.Sub(s.next)
	if late >= 0 {
		s.next = s.next.Add((late/s.interval + 1) * s.interval)
	}
	s.timer.Reset(s.next.Sub(now))
	return late >= 0
}

// expired counts the cycles in which no Publish request waited.
func (s *subscription) expired() bool {
	if s.owner != nil && s.owner.hasWaiting() {
		s.alive()
		return false
	}
	s.life--
	return s.life == 0
}

// fail deletes a subscription in which a fault was found, and says so to its owner.
func (s *subscription) fail() *Owner {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.owner
	if s.closed {
		return o
	}
	if o != nil {
		o.notify(notice{s.id, s.sent.next, ua.StatusBadInternalError})
	}
	s.close()
	return o
}
