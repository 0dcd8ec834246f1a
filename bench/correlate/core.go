package correlate

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// Core holds transactions and ends them. Begin and End may be called from many goroutines.
type Core[K any] interface {
	// Begin holds a transaction, until End or until the timeout is over; then h.Expired is called,
	// once and on whatever goroutine. It must keep h as long as it holds the transaction.
	Begin(h *Held, timeout time.Duration) K
	// End ends a transaction. False: none is held under that key.
	End(K) bool
	// Close drops what is held, without a call of Expired, and stops what runs.
	Close()
}

// Open makes an empty core. What it cannot do it says to tb.
type Open[K any] func(tb testing.TB) Core[K]

// Held is the caller's side of a transaction.
type Held struct {
	tally *tally
	due   int64 // ns since the tally's epoch; 0: do not look at the clock
	late  int64 // ns behind due at which it expired
}

// NewHeld returns the caller's side of one transaction, for tests of an adapter, and a channel that
// is closed when it expires.
func NewHeld() (*Held, <-chan struct{}) {
	t := newTally(1)
	return &Held{tally: t}, t.done
}

// Expired says that the deadline has come.
func (h *Held) Expired() {
	if h.due != 0 {
		h.late = int64(time.Since(h.tally.epoch)) - h.due
	}
	if h.tally.left.Add(-1) == 0 {
		close(h.tally.done)
	}
}

// tally counts the deadlines that come.
type tally struct {
	epoch time.Time
	left  atomic.Int64
	done  chan struct{} // closed when none is left
}

func newTally(left int) *tally {
	t := &tally{epoch: time.Now(), done: make(chan struct{})}
	t.left.Store(int64(left))
	return t
}

var (
	errNotHeld = errors.New("correlate: End says that nothing is held under a key that Begin has just returned")
	errExpired = errors.New("correlate: a transaction expired an hour early")
)
