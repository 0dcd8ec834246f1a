package compare

import (
	"testing"
	"time"

	"github.com/flowsync-go/flowsync/bench/correlate"
	"github.com/flowsync-go/flowsync/core"
)

// shardedBare is sharded without deadlines: the part of the cost that is the map's. It is not a
// core that anybody could use, as a request without an answer stays in it for ever.
type shardedBare struct{ shards[*correlate.Held] }

func openShardedBare(testing.TB) correlate.Core[core.ID] { return newShardedBare() }

func openShardedBareTexts(testing.TB) correlate.Core[core.ID] {
	return texts[*shardedBare]{newShardedBare()}
}

func newShardedBare() *shardedBare {
	s := new(shardedBare)
	s.init()
	return s
}

func (s *shardedBare) Begin(h *correlate.Held, _ time.Duration) core.ID {
	id := newID()
	p := s.of(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held[id] = h
	return id
}

func (s *shardedBare) End(id core.ID) bool {
	_, ok := s.take(id)
	return ok
}

func (s *shardedBare) Close() { s.init() }

func BenchmarkTableShardedBare(b *testing.B)        { correlate.Patterns(b, openShardedBare) }
func BenchmarkBeginResolveShardedBare(b *testing.B) { correlate.Patterns(b, openShardedBareTexts) }
func BenchmarkHeldMemoryShardedBare(b *testing.B)   { correlate.Memory(b, openShardedBare) }
