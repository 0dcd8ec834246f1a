package responder

import "hash/maphash"

// seen remembers the last ids, to notice a request that comes twice. It keeps 64-bit hashes:
// that a new id is taken for one of 262 144 others happens once in 10^13 requests.
type seen struct {
	seed  maphash.Seed
	known map[uint64]struct{}
	order []uint64 // a ring once it is full
	next  int      // the oldest in the ring
	limit int
}

func newSeen(limit int) *seen {
	return &seen{seed: maphash.MakeSeed(), known: map[uint64]struct{}{}, limit: limit}
}

// add says whether the id was known, and remembers it.
func (s *seen) add(id []byte) bool {
	hash := maphash.Bytes(s.seed, id)
	if _, ok := s.known[hash]; ok {
		return true
	}
	s.known[hash] = struct{}{}
	if len(s.order) < s.limit {
		s.order = append(s.order, hash)
		return false
	}
	delete(s.known, s.order[s.next])
	s.order[s.next] = hash
	s.next = (s.next + 1) % s.limit
	return false
}
