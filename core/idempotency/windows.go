package idempotency

import (
	"container/heap"
	"time"
)

// windows are the entries in the order in which their windows end. It is a [heap.Interface].
type windows []*entry

func (w windows) Len() int           { return len(w) }
func (w windows) Less(i, j int) bool { return w[i].until.Before(w[j].until) }
func (w windows) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].place, w[j].place = i, j
}

// Push and Pop are for package heap only.
func (w *windows) Push(x any) {
	e := x.(*entry)
	e.place = len(*w)
	*w = append(*w, e)
}

func (w *windows) Pop() any {
	last := len(*w) - 1
	e := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	e.place = -1
	return e
}

func (w *windows) add(e *entry) { heap.Push(w, e) }

func (w *windows) remove(e *entry) {
	if e.place >= 0 {
		heap.Remove(w, e.place)
	}
}

func (w *windows) moved(e *entry) { heap.Fix(w, e.place) }

// How many entries are looked at when a request comes, when there is no room for it, and when
// somebody wants to know how many there are.
const (
	sweepEach = 4
	sweepFull = 64
	sweepAll  = 4096
)

// sweepLocked forgets keys whose window is over. One that is in use goes when it no longer is.
func (t *Table) sweepLocked(now time.Time, most int) {
	for range most {
		if len(t.windows) == 0 || now.Before(t.windows[0].until) {
			return
		}
		e := t.windows[0]
		t.windows.remove(e)
		if e.idle() {
			t.forgetLocked(e)
		}
	}
}

// findLocked returns the entry of a key; nil: it is free.
func (t *Table) findLocked(s scope, now time.Time) *entry {
	e := t.entries.of[s]
	if e != nil && e.idle() && !now.Before(e.until) {
		t.forgetLocked(e)
		return nil
	}
	return e
}

// restLocked forgets an entry that was in use when its window ended, as soon as it is not.
func (t *Table) restLocked(e *entry) {
	if e.place < 0 && e.idle() && e.state != freed {
		t.forgetLocked(e)
	}
}
