package compare

import (
	"sync"
	"testing"
	"time"

	"github.com/flowsync-go/flowsync/bench/correlate"
	"github.com/flowsync-go/flowsync/core"
)

// sharded is 64 maps of Go, each with its mutex, and a time.AfterFunc for each entry. The timer is
// made under the lock, so that an entry needs no memory of its own beside its timer.
type sharded struct{ shards[shardedEntry] }

type shardedEntry struct {
	held  *correlate.Held
	timer *time.Timer
}

func openSharded(testing.TB) correlate.Core[core.ID] { return newSharded() }

func openShardedTexts(testing.TB) correlate.Core[core.ID] { return texts[*sharded]{newSharded()} }

func newSharded() *sharded {
	s := new(sharded)
	s.init()
	return s
}

func (s *sharded) Begin(h *correlate.Held, timeout time.Duration) core.ID {
	id := newID()
	sh := s.of(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.held[id] = shardedEntry{h, time.AfterFunc(timeout, func() {
		if _, ok := s.take(id); ok {
			h.Expired()
		}
	})}
	return id
}

func (s *sharded) End(id core.ID) bool {
	entry, ok := s.take(id)
	if ok {
		entry.timer.Stop()
	}
	return ok
}

func (s *sharded) Close() {
	for entry := range s.drop {
		entry.timer.Stop()
	}
}

// shards is a map in 64 parts.
type shards[V any] struct{ parts [64]part[V] }

type part[V any] struct {
	mu   sync.Mutex
	held map[core.ID]V
	_    [64]byte // the next lock is on another cache line
}

func (s *shards[V]) init() {
	for i := range s.parts {
		s.parts[i].held = map[core.ID]V{}
	}
}

func (s *shards[V]) of(id core.ID) *part[V] { return &s.parts[id[0]%64] }

// take takes an entry out: who gets it ends it.
func (s *shards[V]) take(id core.ID) (V, bool) {
	p := s.of(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.held[id]
	if ok {
		delete(p.held, id)
	}
	return v, ok
}

// drop takes all entries out.
func (s *shards[V]) drop(yield func(V) bool) {
	for i := range s.parts {
		p := &s.parts[i]
		p.mu.Lock()
		for _, v := range p.held {
			yield(v)
		}
		clear(p.held)
		p.mu.Unlock()
	}
}

func BenchmarkTableSharded(b *testing.B)        { correlate.Patterns(b, openSharded) }
func BenchmarkBeginResolveSharded(b *testing.B) { correlate.Patterns(b, openShardedTexts) }
func BenchmarkExpireSharded(b *testing.B)       { correlate.Expire(b, openSharded) }
func BenchmarkHeldMemorySharded(b *testing.B)   { correlate.Memory(b, openSharded) }
