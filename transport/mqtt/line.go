package mqtt

import (
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// parcel is one packet that waits by itself: with QoS 1 or 2 for the window to open, with any
// for a connection.
type parcel struct {
	account  *account
	id       core.ID   // zero: a message that is no request
	deadline time.Time // zero: it does not expire
	since    time.Time // when it was encoded: the time left that it states is of then
	packet   []byte    // without packet identifier
}

// line is parcels that wait for their turn, the oldest first. Whoever owns it guards it.
type line struct {
	waiting []parcel
	soonest time.Time // nothing that waits expires before; zero: nothing expires
	looked  time.Time // when expire last looked at all that waits
}

// expireEvery bounds what looking through all that waits costs, some tens of thousands of
// parcels at worst, when every request that comes gives reason to.
const expireEvery = 10 * time.Millisecond

func (l *line) push(p parcel) {
	l.waiting = append(l.waiting, p)
	l.expires(&p)
}

// expires keeps soonest true.
func (l *line) expires(p *parcel) {
	if !p.deadline.IsZero() && (l.soonest.IsZero() || p.deadline.Before(l.soonest)) {
		l.soonest = p.deadline
	}
}

func (l *line) shift() parcel {
	p := l.waiting[0]
	l.waiting[0] = parcel{}
	l.waiting = l.waiting[1:]
	if len(l.waiting) == 0 {
		l.waiting = nil // let go of the array that was walked along
	}
	return p
}

// expire takes out everything whose deadline has passed, wherever it waits, and calls dropped
// with it. It may be called often: see expireEvery.
func (l *line) expire(now time.Time, dropped func(*parcel)) {
	if l.soonest.IsZero() || now.Before(l.soonest) || now.Sub(l.looked) < expireEvery {
		return
	}
	l.looked = now
	l.keep(func(p *parcel) bool {
		if p.deadline.IsZero() || now.Before(p.deadline) {
			return true
		}
		dropped(p)
		return false
	})
}

// keep takes out what wanted does not agree to; the others keep their order.
func (l *line) keep(wanted func(*parcel) bool) {
	l.soonest = time.Time{}
	kept := l.waiting[:0]
	for i := range l.waiting {
		p := &l.waiting[i]
		if wanted(p) {
			l.expires(p)
			kept = append(kept, *p)
		}
	}
	clear(l.waiting[len(kept):])
	if l.waiting = kept; len(kept) == 0 {
		l.waiting = nil // let go of the array
	}
}
