package requester

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Tally counts requests and how they ended. It may be used by many goroutines.
type Tally struct {
	asked, answered atomic.Uint64
	open            atomic.Int64

	mu   sync.Mutex // guards what follows
	ends map[End]uint64
	late []time.Duration // how long after their deadlines timeouts were told, since the last TakeLate
}

// End is how a request ended, for people.
type End struct{ Door, Word string }

func (t *Tally) ask() { t.asked.Add(1); t.open.Add(1) }

func (t *Tally) end(door, word string) {
	t.open.Add(-1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ends == nil {
		t.ends = make(map[End]uint64)
	}
	t.ends[End{door, word}]++
}

// Asked is how many requests there were so far.
func (t *Tally) Asked() uint64 { return t.asked.Load() }

// Answered is how many of them were answered by a responder, each for itself.
func (t *Tally) Answered() uint64 { return t.answered.Load() }

// Open is how many have not ended.
func (t *Tally) Open() int64 { return t.open.Load() }

// Ends returns a copy of what was counted.
func (t *Tally) Ends() map[End]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.ends)
}

// mostLate bounds how many latenesses are kept.
const mostLate = 100_000

func (t *Tally) timeout(late time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.late) < mostLate {
		t.late = append(t.late, late)
	}
}

// TakeLate returns how long after their deadlines timeouts were told since it was called last.
func (t *Tally) TakeLate() []time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	late := t.late
	t.late = nil
	return late
}
