package compare

import (
	"sync"
	"testing"
	"time"

	"github.com/flowsync-go/flowsync/bench/correlate"
	"github.com/flowsync-go/flowsync/core"
)

// syncMap is a sync.Map of entries, each with a time.AfterFunc that takes it out when its time
// comes. Who removes an entry ends it, so that one who answers and the timer agree.
type syncMap struct{ held sync.Map }

// timed is an entry of a map. An id is not known before Begin returns, so nobody looks at the timer
// before it is there.
type timed struct {
	held  *correlate.Held
	timer *time.Timer
}

func openSyncMap(testing.TB) correlate.Core[core.ID] { return new(syncMap) }

func openSyncMapTexts(testing.TB) correlate.Core[core.ID] { return texts[*syncMap]{new(syncMap)} }

func (s *syncMap) Begin(h *correlate.Held, timeout time.Duration) core.ID {
	id := newID()
	entry := &timed{held: h}
	s.held.Store(id, entry)
	entry.timer = time.AfterFunc(timeout, func() {
		if _, ok := s.held.LoadAndDelete(id); ok {
			h.Expired()
		}
	})
	return id
}

func (s *syncMap) End(id core.ID) bool {
	entry, ok := s.held.LoadAndDelete(id)
	if ok {
		entry.(*timed).timer.Stop()
	}
	return ok
}

func (s *syncMap) Close() {
	s.held.Range(func(id, _ any) bool { return s.End(id.(core.ID)) || true })
}

func BenchmarkTableSyncMap(b *testing.B)        { correlate.Patterns(b, openSyncMap) }
func BenchmarkBeginResolveSyncMap(b *testing.B) { correlate.Patterns(b, openSyncMapTexts) }
func BenchmarkExpireSyncMap(b *testing.B)       { correlate.Expire(b, openSyncMap) }
func BenchmarkHeldMemorySyncMap(b *testing.B)   { correlate.Memory(b, openSyncMap) }
