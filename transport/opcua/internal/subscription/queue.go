package subscription

import (
	"time"

	"github.com/gopcua/opcua/ua"
)

// overflow are the bits of a status code that say that values before or after this one were
// lost: InfoType DataValue and Overflow (OPC 10000-4, 7.39.1).
const overflow ua.StatusCode = 0x480

// sample is a value that was queued.
type sample struct {
	value    *ua.DataValue // shared: not to be changed
	at       time.Time     // when it was sampled
	overflow bool
	weight   int // what it counts for in the budget; set by the queue
}

// weight is what a value counts for in budgets of bytes. Short ones are bounded by their number.
func weight(v *ua.DataValue) int {
	const short = 256
	if n := length(v.Value); n > short {
		return n
	}
	return 0
}

// queue keeps the samples of an item until they are published. It grows as it is needed, up to
// size. The zero value must be given a size.
type queue struct {
	ring          []sample
	head, len     int
	size          int
	discardOldest bool
	bytes         *budget // of all queues, for samples that are not the only one of theirs; nil: none
}

// push adds a sample. When the queue is full, one is lost (5.13.1.5): the oldest, and the then
// oldest tells of it, or the newest, and the one that takes its place tells of it. A queue of
// one just holds the newest. It is also full when those of all together have no room for a long
// value; the one sample that a queue has at least is always taken.
func (q *queue) push(s sample) {
	s.weight = weight(s.value)
	switch {
	case q.len == 0 || q.len < q.size && q.bytes.reserve(s.weight):
		if q.len == 0 {
			q.bytes.force(s.weight)
		}
		q.grow()
		q.len++
		*q.at(q.len - 1) = s
	case q.size == 1:
		q.replace(s)
	case q.discardOldest:
		for q.drop(); q.len > 0 && !q.bytes.reserve(s.weight); {
			q.drop()
		}
		if q.len == 0 {
			q.bytes.force(s.weight)
		}
		q.len++
		*q.at(q.len - 1) = s
		q.at(0).overflow = true
	default:
		s.overflow = true
		q.replace(s)
	}
}

// replace puts a sample in the place of the newest.
func (q *queue) replace(s sample) {
	newest := q.at(q.len - 1)
	q.bytes.release(newest.weight)
	q.bytes.force(s.weight)
	*newest = s
}

// pop takes the oldest; the queue must not be empty.
func (q *queue) pop() sample {
	s := *q.at(0)
	q.drop()
	return s
}

func (q *queue) at(i int) *sample { return &q.ring[(q.head+i)%len(q.ring)] }

func (q *queue) drop() {
	q.bytes.release(q.ring[q.head].weight)
	q.ring[q.head] = sample{}
	q.head = (q.head + 1) % len(q.ring)
	q.len--
}

func (q *queue) grow() {
	if q.len == len(q.ring) {
		q.move(min(max(1, 2*len(q.ring)), q.size))
	}
}

// move puts the samples into a ring of n.
func (q *queue) move(n int) {
	ring := make([]sample, n)
	for i := range q.len {
		ring[i] = *q.at(i)
	}
	q.ring, q.head = ring, 0
}

// resize sets the size and which samples to lose. Those that no longer fit are lost at once.
func (q *queue) resize(size int, discardOldest bool) {
	lost := q.len > size
	for discardOldest && q.len > size {
		q.drop()
	}
	if q.len > size {
		newest := *q.at(q.len - 1)
		q.bytes.force(newest.weight) // it moves
		for q.len > size {
			q.bytes.release(q.at(q.len - 1).weight)
			*q.at(q.len - 1) = sample{}
			q.len--
		}
		q.bytes.release(q.at(q.len - 1).weight)
		*q.at(q.len - 1) = newest
	}
	q.size, q.discardOldest = size, discardOldest
	if len(q.ring) > size {
		q.move(size)
	}
	switch {
	case !lost:
	case size == 1:
		q.at(0).overflow = false
	case discardOldest:
		q.at(0).overflow = true
	default:
		q.at(q.len - 1).overflow = true
	}
}

func (q *queue) clear() {
	for q.len > 0 {
		q.drop()
	}
	q.ring, q.head = nil, 0
}
