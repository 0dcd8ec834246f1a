package compare

import (
	"testing"
	"time"

	"github.com/RussellLuo/timingwheel"

	"github.com/flowsync-go/flowsync/bench/correlate"
	"github.com/flowsync-go/flowsync/core"
)

// timingWheel is sharded with github.com/RussellLuo/timingwheel, a hierarchical timing wheel after
// Kafka's, instead of the runtime's timers. Ticks are 1 ms, as the project's are. The wheel rounds
// the time and the timeout down to ticks, so that a deadline may come too early: timeouts are rounded
// up instead, and each is given a tick more.
type timingWheel struct {
	shards[wheelEntry]
	wheel *timingwheel.TimingWheel
}

type wheelEntry struct {
	held  *correlate.Held
	timer *timingwheel.Timer
}

const (
	wheelTick = time.Millisecond
	wheelSize = 512 // buckets of a level: three levels for an hour
)

func openTimingWheel(testing.TB) correlate.Core[core.ID] { return newTimingWheel() }

func openTimingWheelTexts(testing.TB) correlate.Core[core.ID] {
	return texts[*timingWheel]{newTimingWheel()}
}

func newTimingWheel() *timingWheel {
	w := &timingWheel{wheel: timingwheel.NewTimingWheel(wheelTick, wheelSize)}
	w.init()
	w.wheel.Start()
	return w
}

func (w *timingWheel) Begin(h *correlate.Held, timeout time.Duration) core.ID {
	id := newID()
	p := w.of(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held[id] = wheelEntry{h, w.wheel.AfterFunc(timeout+2*wheelTick-1, func() {
		if _, ok := w.take(id); ok {
			h.Expired()
		}
	})}
	return id
}

func (w *timingWheel) End(id core.ID) bool {
	entry, ok := w.take(id)
	if ok {
		entry.timer.Stop()
	}
	return ok
}

func (w *timingWheel) Close() {
	w.wheel.Stop()
	for entry := range w.drop {
		entry.timer.Stop()
	}
}

func BenchmarkTableTimingWheel(b *testing.B)        { correlate.Patterns(b, openTimingWheel) }
func BenchmarkBeginResolveTimingWheel(b *testing.B) { correlate.Patterns(b, openTimingWheelTexts) }
func BenchmarkExpireTimingWheel(b *testing.B)       { correlate.Expire(b, openTimingWheel) }
func BenchmarkHeldMemoryTimingWheel(b *testing.B)   { correlate.Memory(b, openTimingWheel) }
