package core

import "time"

// Ends are remembered, so that an answer that comes too late or twice can be called by its
// name: for a minute, and at most 65 536 of them in the engine.
const (
	rememberEnds    = 65_536
	rememberEndsFor = int64(60 * time.Second)
)

// ended is one remembered end.
type ended struct {
	rest    uint64
	at      int64  // ns since the engine's epoch
	node    uint32 // index
	slot    uint32
	older   uint32 // the sequence number of the one before it with the same hash
	mid     uint16
	outcome Outcome
}

// ends is a ring of remembered ends with a hash index over it. Nothing is ever unlinked: a link
// to a place that has been overwritten shows by its age. The shard's lock guards it.
type ends struct {
	ring  []ended  // grows to its capacity, a power of two
	heads []uint32 // the newest sequence number for a hash; as many as ring may have
	count uint32   // sequence number of the newest; the first one has 1
}

func (e *ends) remember(s *slot, i uint32, outcome Outcome, now int64, limit uint32) {
	if e.heads == nil {
		e.heads = make([]uint32, limit)
	}
	e.count++
	head := &e.heads[uint32(s.rest)&(limit-1)]
	end := ended{rest: s.rest, at: now, node: uint32(s.node.index), slot: i, older: *head, mid: s.mid & midRandom, outcome: outcome}
	*head = e.count
	if len(e.ring) < int(limit) {
		e.ring = append(e.ring, end)
		return
	}
	e.ring[(e.count-1)&(limit-1)] = end
}

// find returns the remembered end of an id, or nil.
func (e *ends) find(i uint32, id *ID, now int64) *ended {
	if e.heads == nil {
		return nil
	}
	limit := uint32(len(e.heads))
	age := uint32(0)
	for seq := e.heads[uint32(id.rest())&(limit-1)]; seq != 0; {
		// Ages grow along a chain; an older one that seems younger was overwritten.
		a := e.count - seq
		if a >= uint32(len(e.ring)) || a < age {
			return nil
		}
		age = a + 1
		end := &e.ring[(seq-1)&(limit-1)]
		if end.rest == id.rest() && end.slot == i && end.mid == id.mid()&midRandom {
			if now-end.at > rememberEndsFor {
				return nil
			}
			return end
		}
		seq = end.older
	}
	return nil
}
