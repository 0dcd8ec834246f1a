package compare

import (
	"sync"
	"testing"
	"time"

	"github.com/flowsync-go/flowsync/bench/correlate"
	"github.com/flowsync-go/flowsync/core"
)

// naive is what one writes in an afternoon: a map of ids to channels, a mutex, and a timer for each
// request. Where there are no messages, the ids are 16 bytes, as those of the other tables.
//
// Whoever asks then waits for the channel or the timer, and takes the entry out of the map when
// the timer comes first. That goroutine is left out where nothing expires, though nobody can do
// without it: it is what a server has anyway, and since Go 1.23 a timer that nobody waits for is
// not even put into the runtime's heap. Both are in naive's favour, as is its id, which comes from
// the cheapest generator instead of from a library.
type naive[K comparable] struct {
	newKey  func() K
	mu      sync.Mutex
	held    map[K]*naiveRequest
	waiting *sync.WaitGroup // of the goroutines that wait; nil: nobody does
}

type naiveRequest struct {
	answer chan bool // true: answered; false: dropped
	timer  *time.Timer
}

func newNaive[K comparable](newKey func() K) *naive[K] {
	return &naive[K]{newKey: newKey, held: map[K]*naiveRequest{}}
}

func openNaive(testing.TB) correlate.Core[core.ID] { return newNaive(newID) }

func openNaiveWaiting(testing.TB) correlate.Core[core.ID] {
	n := newNaive(newID)
	n.waiting = new(sync.WaitGroup)
	return n
}

func (n *naive[K]) Begin(h *correlate.Held, timeout time.Duration) K {
	key := n.newKey()
	r := &naiveRequest{answer: make(chan bool, 1), timer: time.NewTimer(timeout)}
	n.mu.Lock()
	n.held[key] = r
	n.mu.Unlock()
	if n.waiting != nil {
		n.waiting.Go(func() { n.wait(key, r, h) })
	}
	return key
}

func (n *naive[K]) wait(key K, r *naiveRequest, h *correlate.Held) {
	select {
	case <-r.answer:
	case <-r.timer.C:
		if n.take(key) != nil {
			h.Expired()
		}
	}
}

func (n *naive[K]) End(key K) bool {
	r := n.take(key)
	if r == nil {
		return false
	}
	r.timer.Stop()
	r.answer <- true
	return true
}

func (n *naive[K]) take(key K) *naiveRequest {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.held[key]
	delete(n.held, key)
	return r
}

func (n *naive[K]) Close() {
	n.mu.Lock()
	for key, r := range n.held {
		delete(n.held, key)
		r.timer.Stop()
		r.answer <- false
	}
	n.mu.Unlock()
	if n.waiting != nil {
		n.waiting.Wait()
	}
}

// naiveTexts is naive with messages, whose keys are the ids' texts, as they stand there.
type naiveTexts struct{ correlate.Core[string] }

func openNaiveTexts(testing.TB) correlate.Core[string] {
	return naiveTexts{newNaive(func() string { return newID().String() })}
}

func (n naiveTexts) End(key string) bool {
	var space [64]byte
	payload := append(append(append(space[:0], `{"id":"`...), key...), `","value":1}`...)
	_, err := core.DecodeAnswer(payload)
	return err == nil && n.Core.End(key)
}

func BenchmarkTableNaive(b *testing.B)        { correlate.Patterns(b, openNaive) }
func BenchmarkBeginResolveNaive(b *testing.B) { correlate.Patterns(b, openNaiveTexts) }
func BenchmarkExpireNaive(b *testing.B)       { correlate.Expire(b, openNaiveWaiting) }
func BenchmarkHeldMemoryNaive(b *testing.B)   { correlate.Memory(b, openNaive) }
