package idempotency

import (
	"fmt"

	"github.com/flowsync-go/flowsync/core"
)

var (
	errEnded   = fmt.Errorf("%w: it has ended", core.ErrNotSent)
	errParked  = fmt.Errorf("%w: too many requests wait for their idempotency keys to be written to disk", core.ErrShed)
	errUnkept  = fmt.Errorf("%w: its idempotency key could not be written to disk", core.ErrNotSent)
	errStopped = fmt.Errorf("%w: %s", core.ErrNotSent, whyShutdown)
)

// bus is the table as the engine's bus.
type bus struct {
	table *Table
	next  core.Bus
}

// Bus returns the bus that stands between whatever changes requests (rules) and next, which takes
// them to the broker. Once. It is a [core.Binder] and a [core.Attacher] whatever next is.
func (t *Table) Bus(next core.Bus) core.Bus {
	t.next = next
	return &bus{t, next}
}

// Bind implements [core.Binder].
func (b *bus) Bind(sink core.Sink) {
	b.table.sink = sink
	if next, ok := b.next.(core.Binder); ok {
		next.Bind(sink)
	}
}

// Attach implements [core.Attacher].
func (b *bus) Attach(n *core.Node) error {
	if next, ok := b.next.(core.Attacher); ok {
		return next.Attach(n)
	}
	return nil
}

// Publish implements [core.Bus].
func (b *bus) Publish(r *core.Request) error {
	t := b.table
	if r.Key == nil && t.options.Store == nil {
		return b.next.Publish(r)
	}
	n := t.nodeOf(r.Node)
	if n == nil {
		return b.next.Publish(r)
	}
	if r.Key == nil {
		return t.follow(n, r)
	}
	t.mu.Lock()
	e := t.entries.of[scope{n.name, r.Key.User, r.Key.Text}]
	if e == nil || e.key != r.Key || e.state != inFlight {
		t.mu.Unlock()
		return errEnded // or another one has the key now
	}
	e.identifyLocked(r.ID)
	if t.options.Store != nil {
		defer t.mu.Unlock()
		return t.parkLocked(n, r, e)
	}
	e.passed = true
	t.mu.Unlock()
	return b.next.Publish(r)
}

// follow publishes a request without a key, behind those that wait.
func (t *Table) follow(n *node, r *core.Request) error {
	t.mu.Lock()
	if len(n.line) == 0 && !n.passing {
		t.mu.Unlock()
		return t.next.Publish(r)
	}
	defer t.mu.Unlock()
	return t.parkLocked(n, r, nil)
}
