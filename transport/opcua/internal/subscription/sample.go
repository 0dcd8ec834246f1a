package subscription

import (
	"slices"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
)

// samples is what the items of a subscription have noted: which of them have something to
// report, and which hold a value whose instant is to come.
type samples struct {
	space  *space.Space
	mu     sync.Mutex // guards all below and the noted part of the items; leaf, taken under a node's lock
	anchor time.Time  // sampling instants are whole intervals from here, as publishing ticks are
	ready  []*item    // in the order in which they got something to report; also some that have nothing
	held   []*item    // whose held value was not sampled yet; also some that have none
}

// changed is called with the lock of the item's node held.
func (a *samples) changed(w *watch, v *ua.DataValue) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if it := w.item; it.watch == w {
		it.note(v, time.Now())
	}
}

// place puts the anchor where the publishing ticks begin.
func (a *samples) place(anchor time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.anchor = anchor
}

// instant is the first sampling instant after t, which is not before the anchor.
func (a *samples) instant(t time.Time, interval time.Duration) time.Time {
	passed := t.Sub(a.anchor) / interval
	return a.anchor.Add((passed + 1) * interval)
}

// advance samples the held values whose instant has come.
func (a *samples) advance(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := a.held[:0]
	for _, it := range a.held {
		switch {
		case it.sampled:
			it.listed.held = false
		case it.due.After(now):
			kept = append(kept, it)
		default:
			it.listed.held = false
			it.take(it.held, it.due)
		}
	}
	clear(a.held[len(kept):])
	a.held = kept
}

// available says whether there is something to report.
func (a *samples) available() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.first() != nil
}

// first is the item whose turn it is; the lock must be held.
func (a *samples) first() *item {
	for len(a.ready) > 0 {
		it := a.ready[0]
		if it.reports() {
			return it
		}
		it.listed.ready = false
		a.ready[0] = nil
		a.ready = a.ready[1:]
	}
	return nil
}

// report lists an item that may have something to report; the lock must be held.
func (a *samples) report(it *item) {
	if !it.listed.ready && it.reports() {
		a.ready = enlist(a.ready, it, func(it *item) bool {
			it.listed.ready = it.reports()
			return !it.listed.ready
		})
		it.listed.ready = true
	}
}

// hold lists an item whose held value waits for its instant; the lock must be held.
func (a *samples) hold(it *item) {
	if !it.listed.held {
		a.held = enlist(a.held, it, func(it *item) bool {
			it.listed.held = !it.sampled
			return it.sampled
		})
		it.listed.held = true
	}
}

// enlist appends an item. Before a list grows, the items that have no reason any more to be in it
// leave it, so that it is bounded by the number of items.
func enlist(items []*item, it *item, leaves func(*item) bool) []*item {
	if len(items) == cap(items) {
		items = slices.DeleteFunc(items, leaves)
		items = slices.Grow(items, len(items)+1)
	}
	return append(items, it)
}

// pick is a sample on its way out.
type pick struct {
	handle     uint32
	timestamps ua.TimestampsToReturn
	sample     sample
}

// weightOf is what the values of a message count for while it is kept.
func weightOf(picks []pick) (n int) {
	for i := range picks {
		n += picks[i].sample.weight
	}
	return n
}

// collect takes at most limit samples, and no more after those that make a message long. It says
// whether there are more.
func (a *samples) collect(limit int) (picks []pick, more bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	long := 0
	for it := a.first(); it != nil; it = a.first() {
		if len(picks) == limit || long >= longMessage {
			return picks, true
		}
		s := it.queue.pop()
		picks = append(picks, pick{it.handle, it.timestamps, s})
		long += length(s.value.Value)
	}
	return picks, false
}

// longMessage is how many bytes of values a message may have before it goes out and the rest goes
// into the next: thousands of items may watch the same long value.
const longMessage = 4 << 20

// length is about how many bytes a value has on the wire.
func length(v *ua.Variant) int {
	const scalar = 16
	n := scalar
	if v == nil {
		return n
	}
	switch x := v.Value().(type) {
	case string:
		n += len(x)
	case []byte:
		n += len(x)
	case *ua.LocalizedText:
		n += len(x.Text) + len(x.Locale)
	case *ua.QualifiedName:
		n += len(x.Name)
	case []string:
		for _, text := range x {
			n += 4 + len(text)
		}
	case [][]byte:
		for _, b := range x {
			n += 4 + len(b)
		}
	case []*ua.LocalizedText:
		for _, text := range x {
			n += 9 + len(text.Text) + len(text.Locale)
		}
	case []*ua.QualifiedName:
		for _, name := range x {
			n += 6 + len(name.Name)
		}
	default:
		n += scalar * int(max(0, v.ArrayLength()))
	}
	return n
}

// notification makes what the client gets of a sample.
func (p *pick) notification() *ua.MonitoredItemNotification {
	v := *p.sample.value
	if p.sample.overflow {
		v.Status |= overflow
	}
	v.ServerTimestamp, v.ServerPicoseconds = p.sample.at, 0
	switch p.timestamps {
	case ua.TimestampsToReturnSource:
		v.ServerTimestamp = time.Time{}
	case ua.TimestampsToReturnServer:
		v.SourceTimestamp, v.SourcePicoseconds = time.Time{}, 0
	case ua.TimestampsToReturnNeither:
		v.SourceTimestamp, v.SourcePicoseconds, v.ServerTimestamp = time.Time{}, 0, time.Time{}
	}
	v.UpdateMask()
	return &ua.MonitoredItemNotification{ClientHandle: p.handle, Value: &v}
}
