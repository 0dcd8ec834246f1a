package compare

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/bench/correlate"
	"github.com/flowsync-go/flowsync/core"
)

// newID returns a random id: a UUID of version 4, from the runtime's generator, which is the
// cheapest that there is. It is safe to use by many.
func newID() (id core.ID) {
	binary.BigEndian.PutUint64(id[:8], rand.Uint64()&^0xf000|0x4000)
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()&^(3<<62)|2<<62)
	return id
}

// texts makes an engine of a table, the level of BenchmarkBeginResolve: between Begin and End an id
// travels as text in a message, which is written and decoded as the project's engine does it. That
// is all it adds: no node, no limits, no bus, no counters, and no look at the clock.
type texts[T correlate.Core[core.ID]] struct{ table T }

func (x texts[T]) Begin(h *correlate.Held, timeout time.Duration) core.ID {
	return x.table.Begin(h, timeout)
}

func (x texts[T]) End(id core.ID) bool {
	a := newAnswer(id)
	reply, err := core.DecodeAnswer(a.payload)
	a.release()
	return err == nil && x.table.End(reply.ID)
}

func (x texts[T]) Close() { x.table.Close() }

// answer is a message that a bus has read, into memory that it uses again.
type answer struct{ payload []byte }

var answers = sync.Pool{New: func() any { return new(answer) }}

func newAnswer(id core.ID) *answer {
	a := answers.Get().(*answer)
	a.payload = append(a.payload[:0], `{"id":"`...)
	a.payload = id.Append(a.payload)
	a.payload = append(a.payload, `","value":1}`...)
	return a
}

func (a *answer) release() { answers.Put(a) }

// alternative is a core whose keys are the engine's ids or their text.
type alternative struct {
	name    string
	expires bool
	test    func(t *testing.T, expires bool)
}

func alternativeOf[K any](name string, expires bool, open correlate.Open[K], unknown K) alternative {
	return alternative{name, expires, func(t *testing.T, expires bool) {
		c := open(t)
		defer c.Close()
		testCorrelates(t, c, unknown)
		if expires {
			testExpires(t, c)
		}
	}}
}

// Each alternative is a core that works: nothing here is cheap because it does nothing.
func TestAlternativesCorrelate(t *testing.T) {
	id := newID()
	text := id.String()
	for _, a := range []alternative{
		alternativeOf("Naive", false, openNaive, id),
		alternativeOf("Naive, waiting", true, openNaiveWaiting, id),
		alternativeOf("Naive with texts", false, openNaiveTexts, text),
		alternativeOf("SyncMap", true, openSyncMap, id),
		alternativeOf("SyncMap with texts", true, openSyncMapTexts, id),
		alternativeOf("Xsync", true, openXsync, id),
		alternativeOf("Xsync with texts", true, openXsyncTexts, id),
		alternativeOf("Sharded", true, openSharded, id),
		alternativeOf("Sharded with texts", true, openShardedTexts, id),
		alternativeOf("ShardedBare", false, openShardedBare, id),
		alternativeOf("ShardedBare with texts", false, openShardedBareTexts, id),
		alternativeOf("TimingWheel", true, openTimingWheel, id),
		alternativeOf("TimingWheel with texts", true, openTimingWheelTexts, id),
		alternativeOf("Slots", true, openSlots, id),
	} {
		t.Run(a.name, func(t *testing.T) { a.test(t, a.expires) })
	}
}

const long = time.Hour

func testCorrelates[K any](t *testing.T, c correlate.Core[K], unknown K) {
	require.False(t, c.End(unknown), "nothing is held")
	h, _ := correlate.NewHeld()
	first, second, third := c.Begin(h, long), c.Begin(h, long), c.Begin(h, long)
	require.NotEqual(t, first, second)
	require.NotEqual(t, second, third)
	require.False(t, c.End(unknown), "others are held")
	for _, key := range []K{second, first, third} {
		require.True(t, c.End(key))
		require.False(t, c.End(key), "it has ended")
	}
}

// One of two expires, at its time or later.
func testExpires[K any](t *testing.T, c correlate.Core[K]) {
	const short = 5 * time.Millisecond
	other, _ := correlate.NewHeld()
	held := c.Begin(other, long)
	h, expired := correlate.NewHeld()
	start := time.Now()
	key := c.Begin(h, short)
	<-expired
	require.GreaterOrEqual(t, time.Since(start), short)
	require.False(t, c.End(key), "it has expired")
	require.True(t, c.End(held), "it has not")
}
