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
	ring  []ended  // grows to its capacity
	heads []uint32 // the newest sequence number for a hash; nil until there is one
	count uint32   // sequence number of the newest; the first one has 1
	mask  uint32   // the capacity of ring and heads, a power of two, less 1
}

func (e *ends) init(capacity uint32) { e.mask = capacity - 1 }

// remember writes the end in place, member by member: a copy of a whole one that was just put
// together of parts would stall the processor.
func (e *ends) remember(s *slot, i uint32, outcome Outcome, now int64) {
	if uint32(len(e.ring)) <= e.mask {
		e.grow()
	}
	end := &e.ring[e.count&e.mask]
	e.count++
	head := &e.heads[uint32(s.rest)&e.mask]
	end.rest, end.at, end.node, end.slot = s.rest, now, uint32(s.node.index), i
	end.older, end.mid, end.outcome = *head, s.mid&midRandom, outcome
	*head = e.count
}

func (e *ends) grow() {
	if e.heads == nil {
		e.heads = make([]uint32, e.mask+1)
	}
	e.ring = append(e.ring, ended{})
}

// find returns the remembered end of an id, or nil.
func (e *ends) find(i uint32, k key, now int64) *ended {
	if e.heads == nil {
		return nil
	}
	age := uint32(0)
	for seq := e.heads[uint32(k.rest)&e.mask]; seq != 0; {
		// Ages grow along a chain; an older one that seems younger was overwritten.
		a := e.count - seq
		if a >= uint32(len(e.ring)) || a < age {
			return nil
		}
		age = a + 1
		end := &e.ring[(seq-1)&e.mask]
		if end.rest == k.rest && end.slot == i && end.mid == k.mid()&midRandom {
			if now-end.at > rememberEndsFor {
				return nil
			}
			return end
		}
		seq = end.older
	}
	return nil
}
