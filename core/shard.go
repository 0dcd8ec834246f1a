package core

import (
	"math/rand/v2"
	"sync"
)

// shard is one lock with everything under it: the slots, the wheel that times them, the
// generator of their ids, the ends it remembers and its share of the counters.
//
// It starts nothing, reads no clock and calls nobody: time is an argument, effects are return
// values. The engine acts on them after the lock is released.
type shard struct {
	mu     sync.Mutex // guards all below; leaf: nothing blocks, no callback, no second shard
	closed bool
	table  table
	wheel  wheel
	random rand.ChaCha8
	mids   uint64 // random bits for the middle of ids to come, below a set bit that marks their end
	ends   ends
	counts []nodeCounts // by node index

	// limits is until when a requester waits, by slot number: only for those who bound what a
	// responder may add. It is nil until there is one.
	limits map[uint32]int64

	// constant after init
	index, bits uint32 // its number; the bits of an id's place that hold it
	instance    uint16
	maxSlots    uint32

	_ [64]byte // the next shard's lock is on another cache line
}

// nodeCounts are one shard's share of a node's counters. Invariant: begun - sum(ended) is the
// number of this node's transactions in this shard's table.
type nodeCounts struct {
	begun   uint64
	ended   [outcomeEnd]uint64
	answers [answerKindEnd]uint64
}

// held is a transaction that was taken out of its shard: whoever has it completes it.
type held struct {
	key      key
	node     *Node
	done     Completer
	begun    int64
	deadline int64
	size     uint32
	flags    uint16 // slot.mid
}

func (h *held) sent() bool { return h.flags&flagSent != 0 }

func (sh *shard) init(index, bits uint32, instance uint16, maxSlots uint32, seed [32]byte) {
	sh.index, sh.bits, sh.instance, sh.maxSlots = index, bits, instance, maxSlots
	sh.ends.init(rememberEnds >> bits)
	sh.random.Seed(seed)
}

// begin puts a transaction into the table and arms its deadline. limit is when its requester has
// waited long enough whatever a responder adds, 0: never. A zero key and the outcome say that it
// was refused; it is counted all the same.
func (sh *shard) begin(node *Node, done Completer, size uint32, now, deadline, limit int64) (key, Outcome) {
	sh.mu.Lock()
	counts := &sh.counts[node.index]
	counts.begun++
	if sh.closed {
		counts.ended[Shutdown]++
		sh.mu.Unlock()
		return key{}, Shutdown
	}
	i := sh.table.take(sh.maxSlots)
	if i == 0 {
		counts.ended[Shed]++
		sh.mu.Unlock()
		return key{}, Shed
	}
	s := sh.table.at(i)
	s.rest, s.mid = sh.randomRest(), sh.randomMid()
	s.deadline, s.begun, s.node, s.done, s.size = deadline, now, node, done, size
	if limit != 0 {
		sh.limitLocked(i, s, limit)
	}
	sh.wheel.arm(&sh.table, i, s)
	k := sh.keyOf(i, s)
	sh.mu.Unlock()
	return k, 0
}

// randomRest makes the last 8 bytes of an id, with the variant of RFC 9562.
func (sh *shard) randomRest() uint64 { return sh.random.Uint64()&^(3<<62) | 2<<62 }

// randomMid makes the 12 random bits of an id's bytes 6–7. One draw is good for five.
func (sh *shard) randomMid() uint16 {
	if sh.mids <= midRandom {
		sh.mids = sh.random.Uint64() | 1<<63
	}
	mid := uint16(sh.mids) & midRandom
	sh.mids >>= 12
	return mid
}

// refuse counts a transaction that ends before it is held.
func (sh *shard) refuse(node *Node, outcome Outcome) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	counts := &sh.counts[node.index]
	counts.begun++
	counts.ended[outcome]++
}

// sent marks a transaction as handed over. False: there is no such transaction, its deadline
// has passed, or it was handed over before.
func (sh *shard) sent(k key, now int64) bool {
	sh.mu.Lock()
	s := sh.table.find(sh.slotOf(k), k)
	ok := s != nil && s.mid&flagSent == 0 && s.deadline > now
	if ok {
		s.mid |= flagSent
	}
	sh.mu.Unlock()
	return ok
}

// end takes a transaction out into h, whatever its node. False if there is none, or if onlyUnsent
// and it was handed over.
func (sh *shard) end(k key, outcome Outcome, now int64, onlyUnsent bool, h *held) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	i := sh.slotOf(k)
	s := sh.table.find(i, k)
	if s == nil || onlyUnsent && s.mid&flagSent != 0 {
		return false
	}
	sh.takeLocked(i, s, outcome, now, h)
	return true
}

// advanceBudget bounds how much one advance does under the lock.
const advanceBudget = 64

// advance takes out transactions whose deadline has come, appends them to batch, and returns
// when it wants to be called again: at once (a time not after now) if it stopped early.
func (sh *shard) advance(now int64, batch []held) ([]held, int64) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	budget := advanceBudget
	for budget > 0 {
		i := sh.wheel.due(&sh.table, now, &budget)
		if i == 0 {
			break
		}
		budget--
		s := sh.table.at(i)
		batch = append(batch, held{})
		sh.takeLocked(i, s, expiredAs(s.mid), now, &batch[len(batch)-1])
	}
	return batch, sh.wheel.next()
}

// oldest returns the deadline of a transaction that should have ended before now, none before it;
// never if there is none. It is not known yet if as much had to be moved as advance moves at a time.
func (sh *shard) oldest(now int64) (deadline int64, known bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	budget := advanceBudget
	if i := sh.wheel.due(&sh.table, now, &budget); i != 0 {
		return sh.table.at(i).deadline, true
	}
	return never, budget > 0
}

// expiredAs is how a transaction with these flags ends when its deadline has come.
func expiredAs(flags uint16) Outcome {
	switch {
	case flags&flagSent != 0:
		return Timeout
	case flags&flagWaiting != 0:
		return Shed
	}
	return NotPublished
}

// close refuses everything from now on and takes out what is held, a batch at a time: it goes
// on at slot from and returns where to go on, 0 when nothing is held any more.
func (sh *shard) close(now int64, from uint32, batch []held) ([]held, uint32) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.closed = true
	for i := from; i <= sh.table.used; i++ {
		if len(batch) == cap(batch) {
			return batch, i
		}
		if s := sh.table.at(i); s.done != nil {
			batch = append(batch, held{})
			sh.takeLocked(i, s, Shutdown, now, &batch[len(batch)-1])
		}
	}
	return batch, 0
}

// takeLocked is the one way out of the table: removal is ownership.
func (sh *shard) takeLocked(i uint32, s *slot, outcome Outcome, now int64, h *held) {
	h.key, h.node, h.done, h.begun, h.deadline, h.size, h.flags = sh.keyOf(i, s), s.node, s.done, s.begun, s.deadline, s.size, s.mid
	if s.mid&flagLimited != 0 {
		delete(sh.limits, i)
	}
	sh.wheel.disarm(&sh.table, i, s)
	sh.counts[s.node.index].ended[outcome]++
	sh.ends.remember(s, i, outcome, now)
	sh.table.put(i, s)
}

func (sh *shard) keyOf(i uint32, s *slot) key {
	return makeKey(i<<sh.bits|sh.index, sh.instance, s.mid&midRandom|midV4, s.rest)
}

func (sh *shard) slotOf(k key) uint32 { return k.place() >> sh.bits }
