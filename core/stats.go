package core

import "time"

// NodeStats are the counters of one node. Invariant: Begun = Held + the sum over Ended.
type NodeStats struct {
	Begun   uint64 // refused ones included
	Held    uint64
	Ended   [outcomeEnd]uint64    // by [Outcome]
	Answers [answerKindEnd]uint64 // by [AnswerKind]
}

func (s *NodeStats) add(c *nodeCounts) {
	s.Begun += c.begun
	s.Held += c.begun
	for o, n := range c.ended {
		s.Ended[o] += n
		s.Held -= n
	}
	for k, n := range c.answers {
		s.Answers[k] += n
	}
}

// Stats returns the counters of a node. Each shard is read at one moment, the shards one after
// the other; so the invariant holds at any time, while the figures of a busy node may be
// microseconds apart.
func (e *Engine) Stats(node *Node) NodeStats {
	var sum NodeStats
	for i := range e.shards {
		sh := &e.shards[i]
		sh.mu.Lock()
		sum.add(&sh.counts[node.index])
		sh.mu.Unlock()
	}
	return sum
}

// Held returns how many transactions are held now.
func (e *Engine) Held() int { return int(e.held.Load()) }

// HeldBytes returns how many bytes of request values are held now.
func (e *Engine) HeldBytes() int64 { return e.heldBytes.Load() }

// Late returns how long ago the oldest transaction that is still held should have ended; 0: all is
// in time. More than [Options.MaxLate] for any length of time means that the machine is overloaded.
func (e *Engine) Late() time.Duration {
	now := e.clock.now()
	oldest := now
	for i := range e.shards {
		due, _ := e.shards[i].oldest(now)
		oldest = min(oldest, due)
	}
	return time.Duration(now - oldest)
}

// Crowded says whether the engine as a whole sheds, or soon will: seven eighths of MaxInFlight or of
// MaxHeldBytes are in use, or deadlines come late. A node that is full by itself does not make it so.
func (e *Engine) Crowded() bool {
	most := int64(e.options.MaxInFlight)
	now := e.clock.now()
	return e.held.Load() > most-most/8 || e.heldBytes.Load() > e.options.MaxHeldBytes-e.options.MaxHeldBytes/8 ||
		e.driver.tooLate(now) && e.overdue(now)
}
