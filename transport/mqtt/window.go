package mqtt

import "github.com/flowsync-go/flowsync/core"

// window is the flow control of QoS 1 and 2 (MQTT 5 §4.9): the broker says how many it takes
// before it has acknowledged some, often only 20; the others wait here. Whoever owns it guards
// it. It belongs to one connection and dies with it: nothing is ever sent again.
type window struct {
	line
	quota    int               // how many more may be sent
	flying   map[uint16]flight // by packet identifier
	lastUsed uint16            // packet identifier
}

// flight is a packet that the broker has not acknowledged. The zero value: a message.
type flight struct {
	id      core.ID // of a request
	unheard error   // what ends it when the broker says that nobody is subscribed; nil: nothing does
	probe   bool
}

func newWindow() window { return window{flying: map[uint16]flight{}} }

// pop takes out the oldest parcel if it may be sent. start or nothing follows.
func (w *window) pop() (parcel, bool) {
	if w.quota <= 0 || len(w.waiting) == 0 {
		return parcel{}, false
	}
	return w.take(), true
}

// take takes out the oldest parcel.
func (w *window) take() parcel {
	p := w.shift()
	p.account.add(-len(p.packet))
	return p
}

// start gives a packet its identifier; from now on it counts as on its way.
func (w *window) start(packet []byte, f flight) uint16 {
	w.quota--
	for {
		w.lastUsed++
		if _, used := w.flying[w.lastUsed]; w.lastUsed != 0 && !used {
			break
		}
	}
	w.flying[w.lastUsed] = f
	setPacketID(packet, w.lastUsed)
	return w.lastUsed
}

// end says that the broker is done with a packet, and whose it was. False: with no such one.
func (w *window) end(packetID uint16) (flight, bool) {
	f, ok := w.flying[packetID]
	if ok {
		delete(w.flying, packetID)
		w.quota++
	}
	return f, ok
}

func (w *window) idle() bool { return len(w.flying) == 0 && len(w.waiting) == 0 }
