package core

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/flowsync-go/flowsync/bench/correlate"
)

// What a transaction costs on three levels, each with the patterns of bench/correlate:
//
//	Table         one shard: slots, wheel, ids, counters, remembered ends. Time is an argument.
//	TableText     the same, and the id is written as text and read again.
//	BeginResolve  the engine: limits, clock, a bus that marks requests as sent, and an answer
//	              that is written and decoded as JSON text.

func BenchmarkTable(b *testing.B) {
	correlate.Patterns(b, func(testing.TB) correlate.Core[key] { return newBenchTable() })
}

func BenchmarkTableText(b *testing.B) {
	correlate.Patterns(b, func(testing.TB) correlate.Core[key] { return benchTableText{newBenchTable()} })
}

func BenchmarkBeginResolve(b *testing.B) { correlate.Patterns(b, openEngine(0)) }

// BenchmarkShards is BenchmarkBeginResolve by the number of shards.
func BenchmarkShards(b *testing.B) {
	for _, shards := range []int{1, 4, 8, 64} {
		b.Run(fmt.Sprintf("shards=%d", shards), func(b *testing.B) { correlate.Patterns(b, openEngine(shards)) })
	}
}

func BenchmarkExpire(b *testing.B) { correlate.Expire(b, openEngine(0)) }

func BenchmarkHeldMemory(b *testing.B) { correlate.Memory(b, openEngine(0)) }

// BenchmarkLock is the unit in which a table's cost is given: a lock nobody else wants.
func BenchmarkLock(b *testing.B) {
	var mu sync.Mutex
	for range b.N {
		mu.Lock()
		mu.Unlock() //nolint:staticcheck // SA2001: the pair is what is measured
	}
}

// BenchmarkRefuse is a transaction that is shed, by what sheds it.
func BenchmarkRefuse(b *testing.B) {
	for _, c := range []struct {
		name string
		shed func(*testing.B, *benchEngine)
	}{
		{"full", func(_ *testing.B, e *benchEngine) { e.options.MaxInFlight = 0 }},
		{"late", makeLate},
		{"draining", func(_ *testing.B, e *benchEngine) { e.draining.Store(true) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			e := newBenchEngine(b, 1)
			b.Cleanup(e.Close)
			c.shed(b, e)
			call := &Call{Node: e.node}
			b.ReportAllocs()
			for b.Loop() {
				if id := e.Engine.Begin(call, ignore{}); !id.IsZero() {
					b.Fatal("not refused")
				}
			}
		})
	}
}

// makeLate keeps the driver until the benchmark ends, and returns when that has been noticed.
func makeLate(b *testing.B, e *benchEngine) {
	done := make(chan struct{})
	b.Cleanup(func() { close(done) })
	for range 2 * advanceBudget {
		e.Engine.Begin(&Call{Node: e.node, Timeout: MinTimeout}, waits(done))
	}
	for {
		id := e.Engine.Begin(&Call{Node: e.node}, ignore{})
		if id.IsZero() {
			return
		}
		e.Cancel(id)
	}
}

type waits chan struct{}

func (w waits) Complete(Result) { <-w }

// BenchmarkSerial is a transaction of a serial node: alone, or always one of two, so that each waits
// for its turn and is published by the answer to the one before.
func BenchmarkSerial(b *testing.B) {
	for held, name := range []string{"alone", "in turn"} {
		b.Run(name, func(b *testing.B) {
			e := newBenchEngine(b, 1)
			b.Cleanup(e.Close)
			node, err := e.AddNode(NodeOptions{Name: "s", Topic: "s", Serial: true, Timeout: time.Hour})
			if err != nil {
				b.Fatal(err)
			}
			e.node = node
			queue := make([]ID, 0, 2)
			for range held {
				queue = append(queue, e.Begin(nil, time.Hour))
			}
			b.ReportAllocs()
			for b.Loop() {
				queue = append(queue, e.Begin(nil, time.Hour))
				if !e.End(queue[0]) {
					b.Fatal("lost")
				}
				queue = append(queue[:0], queue[1:]...)
			}
		})
	}
}

// expires tells the harness of deadlines that have come.
type expires struct{ *correlate.Held }

func (x expires) Complete(r Result) {
	if r.Outcome == Timeout || r.Outcome == NotPublished { // the latter if it is very short
		x.Expired()
	}
}

type benchTable struct {
	shard *shard
	node  *Node
}

func newBenchTable() benchTable {
	sh, node := newTestShard()
	t := benchTable{sh, node}
	warmUp(t)
	return t
}

// warmUp ends so many transactions that the rings of ends have grown to their size: from then on a
// transaction allocates nothing.
func warmUp[K any](c correlate.Core[K]) {
	for range rememberEnds + rememberEnds/8 {
		c.End(c.Begin(nil, time.Hour))
	}
}

func (t benchTable) Begin(h *correlate.Held, timeout time.Duration) key {
	k, _ := t.shard.begin(t.node, expires{h}, 0, 1, int64(timeout), 0)
	return k
}

func (t benchTable) End(k key) bool {
	var h held
	kind, _ := t.shard.answer(k, t.node, Answered, 2, &h)
	return kind == Matched
}

func (t benchTable) Close() {}

type benchTableText struct{ benchTable }

func (t benchTableText) End(k key) bool {
	var text [IDTextLen]byte
	k, ok := parseKey(k.append(text[:0]))
	return ok && t.benchTable.End(k)
}

type benchEngine struct {
	*Engine
	node *Node
}

func openEngine(shards int) correlate.Open[ID] {
	return func(tb testing.TB) correlate.Core[ID] { return newBenchEngine(tb, shards) }
}

func newBenchEngine(tb testing.TB, shards int) *benchEngine {
	e, err := New(&discard{}, Options{MaxInFlight: 2_000_000, Shards: shards})
	if err != nil {
		tb.Fatal(err)
	}
	node, err := e.AddNode(NodeOptions{Name: "n", Topic: "n", Timeout: time.Hour})
	if err != nil {
		tb.Fatal(err)
	}
	b := &benchEngine{e, node}
	warmUp(b)
	return b
}

var benchValue = []byte("1")

func (e *benchEngine) Begin(h *correlate.Held, timeout time.Duration) ID {
	return e.Engine.Begin(&Call{Node: e.node, Value: benchValue, Timeout: timeout}, expires{h})
}

// payloads are buffers as a bus has them, to read messages into.
var payloads = sync.Pool{New: func() any { return new([128]byte) }}

func (e *benchEngine) End(id ID) bool {
	buf := payloads.Get().(*[128]byte)
	payload := append(buf[:0], `{"id":"`...)
	payload = id.Append(payload)
	payload = append(payload, `","value":1}`...)
	ok := e.Resolve(Answer{Node: e.node, Payload: payload})
	payloads.Put(buf)
	return ok
}

func (e *benchEngine) Close() { e.Engine.Close() }
