package idempotency

import (
	"errors"

	"github.com/flowsync-go/flowsync/core"
)

// The bounds of what waits for the store, of all nodes.
const (
	maxParked      = 16_384
	maxVolume      = 64 << 20
	parcelOverhead = 1024
)

// parcel is a request that waits for the store, or behind one that does: requests of a node
// leave in the order in which they came.
type parcel struct {
	request *core.Request
	size    int64
	entry   *entry // nil: it has no key

	// Below: guarded by the table's lock.
	written bool
	err     error
}

// parkLocked puts a request into the line of its node. Its intent, if it has a key, is written.
func (t *Table) parkLocked(n *node, r *core.Request, e *entry) error {
	size := int64(parcelOverhead + len(r.Value) + len(r.Message))
	switch {
	case t.closed:
		return errStopped
	case t.parked >= maxParked || t.volume+size > maxVolume:
		return errParked
	}
	p := &parcel{request: r.Clone(), size: size, entry: e, written: e == nil}
	t.parked++
	t.volume += size
	n.line = append(n.line, p)
	t.lines[n] = struct{}{}
	if e == nil {
		t.scribe.wakeUp()
		return nil
	}
	e.recorded = true
	t.writeLocked(write{record: e.recordLocked(), node: n, parcel: p})
	return nil
}

// unparkLocked takes the first request out of a line, if it may leave; nil: it may not yet.
func (t *Table) unparkLocked(n *node) *parcel {
	n.passing = false
	if len(n.line) == 0 || !n.line[0].written {
		return nil
	}
	p := n.line[0]
	n.line[0] = nil
	if n.line = n.line[1:]; len(n.line) == 0 {
		n.line = nil
		delete(t.lines, n)
	}
	t.parked--
	t.volume -= p.size
	n.passing = true
	if p.entry != nil && p.err == nil {
		if p.entry.state != inFlight {
			p.err = errEnded
		} else {
			p.entry.passed = true
		}
	}
	return p
}

// written is what the store says of an intent.
func (t *Table) written(p *parcel, n *node, err error) {
	t.mu.Lock()
	p.written = true
	switch {
	case err == nil:
	case errors.Is(err, core.ErrShed): // a full queue: there is nothing to delete later
		p.err = errParked
		p.entry.recorded = false
	default:
		p.err = errUnkept
		n.stats.Unwritten++
	}
	t.mu.Unlock()
	t.scribe.wakeUp()
}

// publish takes a round over all lines: each node gets its turn.
func (s *scribe) publish() {
	t := s.table
	t.mu.Lock()
	lines := make([]*node, 0, len(t.lines))
	for n := range t.lines {
		lines = append(lines, n)
	}
	t.mu.Unlock()
	for _, n := range lines {
		if s.publishOf(n) {
			s.wakeUp()
		}
	}
}

// passEach is how many requests of a node leave before others get their turn.
const passEach = 256

// publishOf publishes the first requests of a line. True: there may be more.
func (s *scribe) publishOf(n *node) bool {
	for range passEach {
		if !s.pass(n) {
			return false
		}
	}
	return true
}

// pass publishes the first request of a line. False: there is none that may leave.
func (s *scribe) pass(n *node) bool {
	t := s.table
	t.mu.Lock()
	p := t.unparkLocked(n)
	t.mu.Unlock()
	if p == nil {
		return false
	}
	err := p.err
	if err == nil {
		err = t.next.Publish(p.request)
	}
	if err != nil {
		t.sink.Fail(p.request.ID, err)
	}
	return true
}
