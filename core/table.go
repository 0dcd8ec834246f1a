package core

// slot keeps one held transaction in one cache line. The owner's lock guards it.
type slot struct {
	rest     uint64    // the id's random bits that must match
	deadline int64     // ns since the engine's epoch
	begun    int64     // ns since the engine's epoch
	node     *Node     //
	done     Completer // nil: the slot is free
	next     uint32    // wheel links; next alone links the free list
	prev     uint32    //
	size     uint32    // bytes counted against MaxHeldBytes
	mid      uint16    // more random bits of the id in the low 12, flags above them
	bucket   uint16    // where the wheel has linked it
}

const (
	midRandom = 0x0fff // of slot.mid and of the id's bytes 6–7
	midV4     = 0x4000 // the version nibble of the id

	// in slot.mid
	flagSent    = 0x1000 // it was handed over
	flagWaiting = 0x2000 // it waits for the place of its serial node
	flagLimited = 0x8000 // its requester waits no longer than shard.limits says
)

// Slots live in pages, so that growing moves nothing and a slot's address is stable.
const (
	pageBits  = 10
	pageSlots = 1 << pageBits
)

// table hands out slots by number. Number 0 is never used: it means "none".
type table struct {
	pages []*[pageSlots]slot
	free  uint32 // head of the free list
	used  uint32 // numbers below this have been handed out before
}

func (t *table) at(i uint32) *slot { return &t.pages[i>>pageBits][i&(pageSlots-1)] }

// take returns the number of a free slot, the most recently freed one first (it is likely to
// be in the cache), or 0 when limit slots are in use.
func (t *table) take(limit uint32) uint32 {
	if i := t.free; i != 0 {
		t.free = t.at(i).next
		return i
	}
	if t.used >= limit {
		return 0
	}
	t.used++
	if int(t.used>>pageBits) >= len(t.pages) {
		t.pages = append(t.pages, new([pageSlots]slot))
	}
	return t.used
}

// put frees slot i, which is s, and drops what it refers to.
func (t *table) put(i uint32, s *slot) {
	s.done, s.node = nil, nil
	s.next, t.free = t.free, i
}

// find returns the slot of a held transaction, or nil if the id names none.
func (t *table) find(i uint32, k key) *slot {
	if i == 0 || i > t.used {
		return nil
	}
	s := t.at(i)
	if s.rest != k.rest || s.mid&midRandom|midV4 != k.mid() || s.done == nil {
		return nil
	}
	return s
}
