package load

import "sync"

// line is where requests that are due wait for a free lane, and lanes for a request. It holds
// numbers only, however many wait. Lanes are taken in the order in which they became free.
type line struct {
	mu     sync.Mutex // guards all below; leaf
	free   sync.Cond  // lanes wait here
	due    int        // requests whose intended start has passed
	taken  int        // of these, that a lane has taken
	idle   int        // lanes that wait, or were woken and do not run yet
	closed bool
}

func newLine() *line {
	l := new(line)
	l.free.L = &l.mu
	return l
}

// next takes the next request; false: there is none any more. busy says that it waited because no
// lane was free: this one was not when it became due, and no other waits for work.
func (l *line) next() (n int, busy, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	busy = l.taken < l.due && l.idle == 0
	l.idle++
	for l.taken == l.due && !l.closed {
		l.free.Wait()
	}
	l.idle--
	if l.closed {
		return 0, false, false
	}
	l.taken++
	return l.taken - 1, busy, true
}

// advance makes requests due.
func (l *line) advance(due int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for ; l.due < due; l.due++ {
		l.free.Signal()
	}
}

// waiting is how many requests wait for a lane.
func (l *line) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.due - l.taken
}

// settled says whether nothing more will be taken until a lane has its answer.
func (l *line) settled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken == l.due || l.idle == 0
}

// close lets no more be taken, and says which were not: those from first on, up to before end.
func (l *line) close() (first, end int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.free.Broadcast()
	return l.taken, l.due
}
