package idempotency

import (
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// NodeStats are the counters of one node: of requests that were no transactions of the engine,
// because an earlier one had their key or there was no room for it.
//
// Invariant: Begun = Waiting + Joined + Replayed + InDoubt + Conflicts + Shed + Cancelled + Shutdown.
type NodeStats struct {
	Begun     uint64
	Waiting   int    // they wait for the outcome of an earlier one
	Joined    uint64 // ended as the one they had joined
	Replayed  uint64 // got the kept reply, or a late answer that they had waited for
	InDoubt   uint64 // had waited in vain
	Conflicts uint64 // had the key of another request
	Shed      uint64 // there was no room for them or their key
	Cancelled uint64 // left before there was an outcome
	Shutdown  uint64 // the gateway did not wait for the outcome

	Left      uint64 // first requesters who left a transaction that others had joined
	Late      uint64 // answers that came late and became the reply of a key in doubt
	Unkept    uint64 // replies that did not fit into MaxBytes
	Unwritten uint64 // records that the store could not write

	Keys     int // known now
	Doubtful int // of these, those in doubt
}

// Stats returns the counters of a node; zero if it was not added.
func (t *Table) Stats(of *core.Node) NodeStats {
	n := t.nodeOf(of)
	if n == nil {
		return NodeStats{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweepLocked(time.Now(), sweepAll)
	s := n.stats
	s.Doubtful = n.doubtful
	return s
}
