package responder

import (
	"container/heap"
	"sync"
	"time"
)

// schedule holds the answers that wait, in the order in which they are due.
type schedule struct {
	maxCount, maxBytes int

	mu     sync.Mutex // guards all below
	queue  queue
	bytes  int
	wakeUp chan struct{} // one token: something is due earlier than before
}

// entry is an answer with its place.
type entry struct {
	due    time.Time
	rank   uint64
	answer answer
}

type queue []entry

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q queue) Less(i, j int) bool {
	if !q[i].due.Equal(q[j].due) {
		return q[i].due.Before(q[j].due)
	}
	return q[i].rank < q[j].rank
}
func (q *queue) Push(x any) { *q = append(*q, x.(entry)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = entry{}
	*q = (*q)[:last]
	return e
}

func newSchedule(maxCount, maxBytes int) *schedule {
	return &schedule{maxCount: maxCount, maxBytes: maxBytes, wakeUp: make(chan struct{}, 1)}
}

// add puts an answer into the schedule. False: it does not fit.
func (s *schedule) add(e entry) bool {
	size := e.answer.size()
	s.mu.Lock()
	if len(s.queue) >= s.maxCount || s.bytes+size > s.maxBytes {
		s.mu.Unlock()
		return false
	}
	s.bytes += size
	heap.Push(&s.queue, e)
	first := s.queue[0].rank == e.rank && s.queue[0].due.Equal(e.due)
	s.mu.Unlock()
	if first {
		select {
		case s.wakeUp <- struct{}{}:
		default:
		}
	}
	return true
}

// maxBatch bounds how many answers are taken at a time.
const maxBatch = 256

// take moves what is due into batch, which it overwrites. If nothing is, wait says how long
// until something will be, and is negative if nothing waits at all.
func (s *schedule) take(now time.Time, batch []answer) (due []answer, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch = batch[:0]
	for len(s.queue) > 0 && len(batch) < maxBatch && !s.queue[0].due.After(now) {
		a := heap.Pop(&s.queue).(entry).answer
		s.bytes -= a.size()
		batch = append(batch, a)
	}
	switch {
	case len(batch) > 0:
		return batch, 0
	case len(s.queue) == 0:
		return nil, -1
	}
	return nil, s.queue[0].due.Sub(now)
}

// waiting is how many answers wait.
func (s *schedule) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}
