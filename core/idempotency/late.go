package idempotency

import (
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// Ended implements [core.Observer]. Entries hear of their end as completers.
func (t *Table) Ended(*core.Node, core.Result) {}

// Stray implements [core.Observer]: an answer that is late, also one to a request from before a
// restart, becomes the reply of a key in doubt. The late answer may come
//
//  1. while the entry is in doubt, which is the rule;
//  2. when the engine has ended the transaction, and Complete has not been called yet: it is laid
//     aside for Complete;
//  3. at the same time as another one: the first to be taken over counts, and it may not count if
//     the response rules say so.
func (t *Table) Stray(of *core.Node, s *core.Stray) {
	switch s.Kind {
	case core.Late, core.Unknown, core.Foreign:
	default:
		return
	}
	n := t.nodeOf(of)
	if n == nil {
		return
	}
	t.mu.Lock()
	e := t.ids.of[s.ID]
	open := e != nil && e.node == n && e.late == nil
	t.mu.Unlock()
	if !open {
		return
	}
	message := n.lateReply(s, e.asker())
	if message == nil {
		return
	}
	t.mu.Lock()
	ends := t.resolveLocked(e, message)
	t.mu.Unlock()
	t.finish(ends)
}

// lateReply is the message to keep of a late answer; nil: it is good for nothing.
func (n *node) lateReply(s *core.Stray, asker core.Completer) []byte {
	reply, err := core.DecodeAnswer(s.Payload)
	if err != nil {
		return nil
	}
	reply.Payload, reply.ID, reply.HasID, reply.Completer = s.Payload, s.ID, true, asker
	if !usable(&reply) || inspect(&reply, n.options.Rules, n.options.Protocol) != nil || !usable(&reply) {
		return nil
	}
	if reply.Error != nil {
		return appendError(nil, reply.Error)
	}
	return appendValue(nil, reply.Value, reply.HTTP)
}

func (t *Table) resolveLocked(e *entry, message []byte) (ends []ending) {
	switch e.state {
	case inFlight:
		if e.late == nil {
			e.late = message
		}
		return nil
	case inDoubt:
	default:
		return nil
	}
	e.lateLocked(message)
	for i := len(e.waiters) - 1; i >= 0; i-- {
		w := e.waiters[i]
		t.detachLocked(w)
		ends = append(ends, w.replay(e, message)...)
	}
	if !time.Now().Before(e.until) {
		t.windows.remove(e)
	}
	t.restLocked(e)
	return ends
}

// lateLocked takes a late answer over.
func (e *entry) lateLocked(message []byte) {
	e.node.stats.Late++
	e.keepLocked(message)
}
