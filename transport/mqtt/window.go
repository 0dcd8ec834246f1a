package mqtt

import (
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// parcel is one packet of QoS 1 or 2 that waits for its turn.
type parcel struct {
	id       core.ID // zero: a message that is no request
	deadline time.Time
	packet   []byte // without packet identifier
}

// window is the flow control of QoS 1 and 2 (MQTT 5 §4.9): the broker says how many it takes
// before it has acknowledged some, often only 20; the others wait here. Whoever owns it guards
// it. It belongs to one connection and dies with it: nothing is ever sent again.
type window struct {
	quota    int                // how many more may be sent
	flying   map[uint16]core.ID // by packet identifier
	waiting  []parcel
	lastUsed uint16 // packet identifier
}

func newWindow() window { return window{flying: map[uint16]core.ID{}} }

func (w *window) push(p parcel) { w.waiting = append(w.waiting, p) }

// pop takes out the oldest parcel if it may be sent. start or nothing follows.
func (w *window) pop() (parcel, bool) {
	if w.quota <= 0 || len(w.waiting) == 0 {
		return parcel{}, false
	}
	return w.shift(), true
}

// popExpired takes out the oldest parcel if its deadline has passed.
func (w *window) popExpired(now time.Time) (parcel, bool) {
	if len(w.waiting) == 0 || w.waiting[0].id.IsZero() || now.Before(w.waiting[0].deadline) {
		return parcel{}, false
	}
	return w.shift(), true
}

func (w *window) shift() parcel {
	p := w.waiting[0]
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
