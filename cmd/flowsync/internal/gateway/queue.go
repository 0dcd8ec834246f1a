package gateway

import "sync"

// The bounds of what waits for the rules of a node or a mapping.
const (
	queueItems = 65_536
	queueBytes = 64 << 20
)

// queue holds what waits for one goroutine, in order, up to a number of items and of bytes. It
// takes the memory of what is in it, and keeps little of that when it is empty.
type queue[T any] struct {
	mu     sync.Mutex // guards all below
	some   sync.Cond  // there is something, or nothing will ever be again
	in     []sized[T]
	out    []sized[T] // taken from in as a whole; items before next are gone
	next   int
	bytes  int
	closed bool
}

type sized[T any] struct {
	item T
	size int
}

// keptItems is how large a slice the queue keeps for the next items.
const keptItems = 1024

func newQueue[T any]() *queue[T] {
	q := &queue[T]{}
	q.some.L = &q.mu
	return q
}

// push adds an item of a size in bytes. False: there is no room, or the queue is closed.
func (q *queue[T]) push(item T, size int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.lenLocked() >= queueItems || q.bytes+size > queueBytes {
		return false
	}
	q.in = append(q.in, sized[T]{item, size})
	q.bytes += size
	q.some.Signal()
	return true
}

// pop waits for an item and removes it. False: the queue is closed and empty.
func (q *queue[T]) pop() (item T, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.lenLocked() == 0 {
		if q.closed {
			return item, false
		}
		q.some.Wait()
	}
	if q.next == len(q.out) {
		empty := q.out[:0]
		if cap(empty) > keptItems {
			empty = nil
		}
		q.out, q.in, q.next = q.in, empty, 0
	}
	one := q.out[q.next]
	q.out[q.next] = sized[T]{} // for the garbage collector
	q.next++
	q.bytes -= one.size
	return one.item, true
}

func (q *queue[T]) lenLocked() int { return len(q.in) + len(q.out) - q.next }

// close lets nothing more in. What is in the queue can still be popped.
func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.some.Broadcast()
}
