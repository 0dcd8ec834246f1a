package idempotency

import (
	"fmt"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// load takes over what the store has kept. Those without a message are in doubt, whatever had
// become of their requests: they may have left.
func (t *Table) load() error {
	wall, now := t.wall().Round(0), time.Now()
	err := t.options.Store.Load(func(r *Record) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.loadLocked(r, r.Until.Sub(wall), now)
	})
	if err != nil {
		return fmt.Errorf("idempotency: reading the keys of before: %w", err)
	}
	return nil
}

// loadLocked takes over a record whose window ends in left. It cannot be longer than a window can
// be, unless the clock was set back.
func (t *Table) loadLocked(r *Record, left time.Duration, now time.Time) {
	n := t.nameLocked(r.Node)
	e := &entry{
		table: t, node: n, identity: r.Identity, key: &core.Key{Text: r.Key, User: r.User},
		id: r.ID, until: now.Add(min(left, MaxWindow)), passed: true, recorded: true,
	}
	if left <= 0 {
		t.writeLocked(write{forget: e.scope(), node: n})
		return
	}
	if _, err := core.DecodeAnswer(r.Message); r.Message != nil && err == nil {
		e.message = r.Message
	}
	t.addLocked(e)
	e.enterLocked(inDoubt)
	if e.message != nil {
		e.enterLocked(replied)
	}
	n.loaded = append(n.loaded, e)
}

// adoptLocked looks after the loaded entries of a node once its window is known.
func (t *Table) adoptLocked(n *node) {
	until := time.Now().Add(n.options.Window)
	for _, e := range n.loaded {
		if e.state != freed && e.place >= 0 && e.until.After(until) {
			e.until = until
			t.windows.moved(e)
		}
	}
	n.loaded = nil
}
