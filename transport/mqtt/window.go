package mqtt

import (
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// parcel is one packet of QoS 1 or 2 that waits for its turn.
type parcel struct {
	account  *account
	id       core.ID   // zero: a message that is no request
	deadline time.Time // zero: it does not expire
	packet   []byte    // without packet identifier
}

// window is the flow control of QoS 1 and 2 (MQTT 5 §4.9): the broker says how many it takes
// before it has acknowledged some, often only 20; the others wait here. Whoever owns it guards
// it. It belongs to one connection and dies with it: nothing is ever sent again.
type window struct {
	quota    int                // how many more may be sent
	flying   map[uint16]core.ID // by packet identifier
	waiting  []parcel
	lastUsed uint16    // packet identifier
	soonest  time.Time // nothing that waits expires before; zero: nothing expires
	looked   time.Time // when expire last looked at all that waits
}

// expireEvery bounds what looking through all that waits costs, some tens of thousands of
// parcels at worst, when every request that comes gives reason to.
const expireEvery = 10 * time.Millisecond

func newWindow() window { return window{flying: map[uint16]core.ID{}} }

func (w *window) push(p parcel) {
	w.waiting = append(w.waiting, p)
	w.expires(&p)
}

// expires keeps soonest true.
func (w *window) expires(p *parcel) {
	if !p.deadline.IsZero() && (w.soonest.IsZero() || p.deadline.Before(w.soonest)) {
		w.soonest = p.deadline
	}
}

// pop takes out the oldest parcel if it may be sent. start or nothing follows.
func (w *window) pop() (parcel, bool) {
	if w.quota <= 0 || len(w.waiting) == 0 {
		return parcel{}, false
	}
	return w.shift(), true
}

// expire takes out everything whose deadline has passed, wherever it waits, and says how much
// that was. It may be called often: see expireEvery.
func (w *window) expire(now time.Time) (parcels, bytes int) {
	if w.soonest.IsZero() || now.Before(w.soonest) || now.Sub(w.looked) < expireEvery {
		return 0, 0
	}
	w.looked, w.soonest = now, time.Time{}
	kept := w.waiting[:0]
	for i := range w.waiting {
		p := &w.waiting[i]
		if !p.deadline.IsZero() && !now.Before(p.deadline) {
			parcels++
			bytes += len(p.packet)
			p.account.add(-len(p.packet))
			continue
		}
		w.expires(p)
		kept = append(kept, *p)
	}
	clear(w.waiting[len(kept):])
	if w.waiting = kept; len(kept) == 0 {
		w.waiting = nil // let go of the array
	}
	return parcels, bytes
}

func (w *window) shift() parcel {
	p := w.waiting[0]
	p.account.add(-len(p.packet))
	w.waiting[0] = parcel{}
	w.waiting = w.waiting[1:]
	if len(w.waiting) == 0 {
		w.waiting = nil // let go of the array that was walked along
	}
	return p
}

// start gives a parcel its packet identifier; from now on it counts as on its way.
func (w *window) start(p *parcel) uint16 {
	w.quota--
	for {
		w.lastUsed++
		if _, used := w.flying[w.lastUsed]; w.lastUsed != 0 && !used {
			break
		}
	}
	w.flying[w.lastUsed] = p.id
	setPacketID(p.packet, w.lastUsed)
	return w.lastUsed
}

// end says that the broker is done with a packet, and whose it was. False: with no such one.
func (w *window) end(packetID uint16) (core.ID, bool) {
	id, ok := w.flying[packetID]
	if ok {
		delete(w.flying, packetID)
		w.quota++
	}
	return id, ok
}

func (w *window) idle() bool { return len(w.flying) == 0 && len(w.waiting) == 0 }
