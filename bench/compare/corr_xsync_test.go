package compare

import (
	"testing"
	"time"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/flowsync-go/flowsync/bench/correlate"
	"github.com/flowsync-go/flowsync/core"
)

// concurrent is syncMap with the fastest concurrent map that is about, xsync.MapOf, in its place.
type concurrent struct {
	held *xsync.MapOf[core.ID, *timed]
}

func newConcurrent() *concurrent { return &concurrent{xsync.NewMapOf[core.ID, *timed]()} }

func openXsync(testing.TB) correlate.Core[core.ID] { return newConcurrent() }

func openXsyncTexts(testing.TB) correlate.Core[core.ID] { return texts[*concurrent]{newConcurrent()} }

func (c *concurrent) Begin(h *correlate.Held, timeout time.Duration) core.ID {
	id := newID()
	entry := &timed{held: h}
	c.held.Store(id, entry)
	entry.timer = time.AfterFunc(timeout, func() {
		if _, ok := c.held.LoadAndDelete(id); ok {
			h.Expired()
		}
	})
	return id
}

func (c *concurrent) End(id core.ID) bool {
	entry, ok := c.held.LoadAndDelete(id)
	if ok {
		entry.timer.Stop()
	}
	return ok
}

func (c *concurrent) Close() {
	c.held.Range(func(id core.ID, _ *timed) bool { return c.End(id) || true })
}

func BenchmarkTableXsync(b *testing.B)        { correlate.Patterns(b, openXsync) }
func BenchmarkBeginResolveXsync(b *testing.B) { correlate.Patterns(b, openXsyncTexts) }
func BenchmarkExpireXsync(b *testing.B)       { correlate.Expire(b, openXsync) }
func BenchmarkHeldMemoryXsync(b *testing.B)   { correlate.Memory(b, openXsync) }
