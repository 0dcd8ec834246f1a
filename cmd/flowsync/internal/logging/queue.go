package logging

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// maxQueued is how many bytes may wait for whoever reads the log.
const maxQueued = 1 << 20

// Queue is a writer that never waits for its reader: a terminal that is stopped with Ctrl-S, or a
// pipe that nobody empties, must hold up neither requests nor the end of the process. What does
// not fit is dropped and counted, and the count is written when there is room again.
type Queue struct {
	to      io.Writer
	stopped chan struct{}

	mu      sync.Mutex // guards all below
	changed sync.Cond
	waiting []byte
	dropped int
	closed  bool
}

// NewQueue returns a queue in front of w, with a goroutine that ends with Close.
func NewQueue(w io.Writer) *Queue {
	q := &Queue{to: w, stopped: make(chan struct{})}
	q.changed.L = &q.mu
	go q.run()
	return q
}

// Write implements [io.Writer]. It keeps nothing of p, does not wait and never fails.
func (q *Queue) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.waiting)+len(p) > maxQueued {
		q.dropped++
		return len(p), nil
	}
	q.waiting = append(q.waiting, p...)
	q.changed.Signal()
	return len(p), nil
}

// Unwrap returns the writer behind the queue.
func (q *Queue) Unwrap() io.Writer { return q.to }

// Close writes what waits, and returns when that is done or the time is over. False: something
// was not written, and the goroutine hangs in the writer.
func (q *Queue) Close(wait time.Duration) bool {
	q.mu.Lock()
	q.closed = true
	q.changed.Signal()
	q.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-q.stopped:
		return true
	case <-timer.C:
		return false
	}
}

func (q *Queue) run() {
	defer close(q.stopped)
	var block []byte
	for {
		var more bool
		if block, more = q.take(block[:0]); !more {
			return
		}
		// An error means that nobody can be told: the log is what failed.
		_, _ = q.to.Write(block)
	}
}

// take waits for something to write and returns it in place of the empty block; false: it was
// all.
func (q *Queue) take(empty []byte) (block []byte, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 && q.dropped == 0 {
		if q.closed {
			return nil, false
		}
		q.changed.Wait()
	}
	block, q.waiting = q.waiting, empty
	if q.dropped > 0 {
		block = fmt.Appendf(block, "flowsync: %d lines of the log were dropped, because nobody read it\n", q.dropped)
		q.dropped = 0
	}
	return block, true
}
