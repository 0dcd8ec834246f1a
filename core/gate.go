package core

import (
	"container/list"
	"sync"
	"time"
)

// gate gives a serial node's one place at the bus to its requests, in the order in which they come.
// A request has the place from just before Bus.Publish until its transaction ends. One that waits
// is held as any other, its deadline armed; the flag flagWaiting in its slot says that it waits.
//
// What races here, and why nobody waits for a place that is free:
//
//  1. A transaction may end before it gets the place. Whoever gives it the place says so first and
//     asks the shard then: if it is still held, its end, whenever that comes, finds it in the place
//     and frees that. If it is not, the place is freed at once.
//  2. One that waits may end at any time, and is taken out of the queue by who ends it. It may have
//     ended just before it was put in: so after that the shard is asked once more.
//  3. A requester who goes away after his request was sent leaves the place occupied: the responder
//     may be at work. An answer with that id frees it, or else a timer at the deadline.
//  4. The place may become free while Bus.Publish has not returned: it fails, or the answer is
//     quick. Who frees it then leaves the next one to who is at the bus, because both may be the
//     same goroutine, and would get one call deeper with each request.
type gate struct {
	mu      sync.Mutex            // guards all below; leaf: nothing blocks, no callback, no other lock
	turn    key                   // whose place it is; zero: free
	timer   *time.Timer           // ends the place of a requester who has gone; nil: he has not
	handing bool                  // somebody is at the bus for this node
	closed  bool                  // nobody gets the place any more
	queue   list.List             // of *waiting, in their order
	places  map[key]*list.Element // where one waits
}

// waiting is a request that waits for the place.
type waiting struct {
	key      key
	deadline int64
	latest   int64    // after that there is not time enough for an answer
	request  *Request // its own copy
}

// leastPart of a requester's time must be left when his turn comes. Behind a responder that does not
// answer all deadlines come one shortly after the other: each would be published just to time out,
// and nobody could say whether it was done. As it is, whose turn comes so late ends as shed.
const leastPart = 20

func newWaiting(k key, deadline int64, r *Request) *waiting {
	return &waiting{k, deadline, deadline - int64(r.Timeout/leastPart), r.Clone()}
}

func newGate() *gate { return &gate{places: map[key]*list.Element{}} }

// enter takes the place for k if it is free and nobody waits for it.
func (g *gate) enter(k key) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.turn != (key{}) || g.handing || g.closed || g.queue.Len() > 0 {
		return false
	}
	g.turn, g.handing = k, true
	return true
}

func (g *gate) push(w *waiting) {
	g.mu.Lock()
	g.places[w.key] = g.queue.PushBack(w)
	g.mu.Unlock()
}

// remove takes one that has ended out of the queue.
func (g *gate) remove(k key) {
	g.mu.Lock()
	if at := g.places[k]; at != nil {
		g.queue.Remove(at)
		delete(g.places, k)
	}
	g.mu.Unlock()
}

// next gives the place to the one who has waited longest. nil: there is none, or the place is not
// free, or it is for somebody else to see to that. Who is late is out of the queue, but does not get it.
func (g *gate) next(now int64) (w *waiting, late bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.turn != (key{}) || g.handing || g.closed || g.queue.Len() == 0 {
		return nil, false
	}
	w = g.queue.Remove(g.queue.Front()).(*waiting)
	delete(g.places, w.key)
	if now > w.latest {
		return w, true
	}
	g.turn, g.handing = w.key, true
	return w, false
}

func (g *gate) handed() {
	g.mu.Lock()
	g.handing = false
	g.mu.Unlock()
}

// free says whether the place was k's. timers counts the timers that may still run.
func (g *gate) free(k key, timers *sync.WaitGroup) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.turn != k {
		return false
	}
	g.turn = key{}
	g.stop(timers)
	return true
}

// stop stops the timer, if there is one. The caller has the lock.
func (g *gate) stop(timers *sync.WaitGroup) {
	if g.timer != nil && g.timer.Stop() {
		timers.Done()
	}
	g.timer = nil
}

// close lets nobody have the place any more.
func (g *gate) close(timers *sync.WaitGroup) {
	g.mu.Lock()
	g.closed = true
	g.stop(timers)
	g.mu.Unlock()
}
