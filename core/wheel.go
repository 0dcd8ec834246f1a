package core

import "math/bits"

// The wheel is hierarchical (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987,
// scheme 7): 64 buckets a level, each level 64 times coarser than the one below. A deadline is
// put on the level of the highest bit group in which it differs from the current tick. So
//
//   - all deadlines on a level are earlier than all on a higher one, and none lies in or behind
//     the current bucket of a level above the lowest: the next one to look at is the lowest set
//     bit of the lowest occupied level;
//   - 7 levels of 6 bits cover 139 years of 1 ms ticks, so there is no wrapping and no overflow
//     list.
//
// The wheel starts nothing and reads no clock; time is an argument. Its links live in the
// slots. Its owner's lock guards it.
const (
	tick         = int64(1e6) // ns
	wheelBits    = 6
	wheelLevels  = 7
	levelBuckets = 1 << wheelBits
	wheelBuckets = wheelLevels * levelBuckets

	never = int64(1<<63 - 1)
)

type wheel struct {
	now      int64                // current tick; nothing armed is before it
	occupied [wheelLevels]uint64  // bit set: bucket is not empty
	heads    [wheelBuckets]uint32 // first slot of a bucket; 0: none

	// cascading is the list of a bucket that was opened because its time has come, and whose
	// slots are not yet placed on lower levels. Taking the whole list at once and placing it
	// piece by piece keeps a large cascade divisible. Invariant: no other bucket is looked at
	// while it is not empty, for its slots may be the next ones due.
	cascading uint32
}

// tickOf is the first tick at or after a time in ns: a deadline is never fired early.
func tickOf(ns int64) int64 { return (ns + tick - 1) / tick }

// arm puts slot i, which is s and has its deadline set, into its bucket.
func (w *wheel) arm(t *table, i uint32, s *slot) {
	at := max(tickOf(s.deadline), w.now)
	level := (bits.Len64(uint64(w.now^at)|(levelBuckets-1)) - 1) / wheelBits
	index := at >> (wheelBits * level) & (levelBuckets - 1)
	bucket := level*levelBuckets + int(index)
	w.occupied[level] |= 1 << index
	s.bucket, s.prev, s.next = uint16(bucket), 0, w.heads[bucket]
	if s.next != 0 {
		t.at(s.next).prev = i
	}
	w.heads[bucket] = i
}

// disarm takes slot i, which is s, out of its bucket.
func (w *wheel) disarm(t *table, i uint32, s *slot) {
	if s.next != 0 {
		t.at(s.next).prev = s.prev
	}
	switch {
	case s.prev != 0:
		t.at(s.prev).next = s.next
	case w.heads[s.bucket] == i:
		w.heads[s.bucket] = s.next
		if s.next == 0 {
			w.occupied[s.bucket/levelBuckets] &^= 1 << (s.bucket % levelBuckets)
		}
	default: // its bucket was opened
		w.cascading = s.next
	}
}

// due returns a slot whose deadline is at or before now (in ns), still armed, or 0. Each slot
// that it moves down the levels takes one from budget; a budget used up means that there may
// be more to do: the caller calls again, and may let go of the lock in between.
func (w *wheel) due(t *table, now int64, budget *int) uint32 {
	current := now / tick
	for {
		if !w.cascade(t, budget) {
			return 0
		}
		level, start := w.first()
		if level < 0 || start > current {
			w.now = max(w.now, current)
			return 0
		}
		w.now = max(w.now, start)
		index := start >> (wheelBits * level) & (levelBuckets - 1)
		bucket := level*levelBuckets + int(index)
		if level == 0 {
			return w.heads[bucket]
		}
		w.cascading = w.heads[bucket]
		w.heads[bucket] = 0
		w.occupied[level] &^= 1 << index
	}
}

// cascade places the slots of the opened bucket again. False if the budget did not last.
func (w *wheel) cascade(t *table, budget *int) bool {
	for w.cascading != 0 {
		if *budget <= 0 {
			return false
		}
		*budget--
		i := w.cascading
		s := t.at(i)
		next := s.next
		if next != 0 {
			t.at(next).prev = 0
		}
		w.cascading = next
		w.arm(t, i, s)
	}
	return true
}

// first returns the lowest occupied level and the tick at which its first bucket begins, or -1.
func (w *wheel) first() (level int, start int64) {
	for level, set := range w.occupied {
		if set != 0 {
			shift := wheelBits * level
			index := int64(bits.TrailingZeros64(set))
			return level, (w.now>>shift&^(levelBuckets-1) | index) << shift
		}
	}
	return -1, 0
}

// next returns the time in ns at which due has something to do again, or never. It may be
// earlier than the first deadline: a bucket of a higher level must be opened when it begins.
func (w *wheel) next() int64 {
	if w.cascading != 0 {
		return w.now * tick
	}
	level, start := w.first()
	if level < 0 {
		return never
	}
	return start * tick
}
