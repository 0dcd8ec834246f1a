package space

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
)

// recorder is a watcher that keeps what it hears.
type recorder struct {
	mu     sync.Mutex
	values []any
}

func (r *recorder) Changed(v *ua.DataValue) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.values = append(r.values, v.Value.Value())
}

func (r *recorder) heard() []any {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.values
}

func store(n *Node, v int64) { n.Store(&ua.DataValue{Value: ua.MustVariant(v)}) }

func TestWatchersHearChangesInOrder(t *testing.T) {
	n := plant(t).Find(own("speed"))
	assert.Equal(t, ua.StatusBadWaitingForInitialData, n.Load().Status)
	store(n, 1)
	first, second := &recorder{}, &recorder{}
	assert.Equal(t, int64(1), n.Watch(first).Value.Value())
	store(n, 2)
	n.Watch(first) // again: changes nothing
	assert.Equal(t, int64(2), n.Watch(second).Value.Value())
	store(n, 3)
	n.Unwatch(first)
	n.Unwatch(first)
	store(n, 4)
	assert.Equal(t, []any{int64(2), int64(3)}, first.heard())
	assert.Equal(t, []any{int64(3), int64(4)}, second.heard())
	assert.Equal(t, int64(4), n.Load().Value.Value())
}

// caller notes who was called, of all watchers.
type caller struct {
	name int
	all  *[]int
}

func (c *caller) Changed(*ua.DataValue) { *c.all = append(*c.all, c.name) }

func TestWatchersAreCalledInTheOrderInWhichTheyCame(t *testing.T) {
	const many = 300
	n := plant(t).Find(own("speed"))
	var called, want []int
	watchers := make([]*caller, many)
	for i := range watchers {
		watchers[i] = &caller{i, &called}
		n.Watch(watchers[i])
	}
	for i, w := range watchers {
		if i%7 != 3 {
			n.Unwatch(w)
			n.Unwatch(w)
		}
	}
	for i := 3; i < many; i += 7 {
		want = append(want, i)
	}
	n.Watch(watchers[5])
	store(n, 1)
	assert.Equal(t, append(want, 5), called)
}

// BenchmarkWatchers is what one of very many watchers of a node costs: it comes, and goes again.
func BenchmarkWatchers(b *testing.B) {
	const many = 100_000
	orders := map[string]func(i int) int{
		"first goes first": func(i int) int { return i },
		"last goes first":  func(i int) int { return many - 1 - i },
		"any goes first":   func(i int) int { return i * 7919 % many }, // 7919 is prime
	}
	for name, order := range orders {
		b.Run(name, func(b *testing.B) {
			n := &Node{}
			watchers := make([]recorder, many)
			for b.Loop() {
				for i := range watchers {
					n.Watch(&watchers[i])
				}
				for i := range watchers {
					n.Unwatch(&watchers[order(i)])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*many), "ns/watcher")
		})
	}
}

func TestStoreGivesASourceTimestamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := plant(t).Find(own("speed"))
		store(n, 1)
		assert.Equal(t, time.Now(), n.Load().SourceTimestamp)
		assert.Equal(t, byte(ua.DataValueValue|ua.DataValueSourceTimestamp), n.Load().EncodingMask)
		earlier := time.Now().Add(-time.Hour)
		n.Store(&ua.DataValue{Status: ua.StatusBadTimeout, SourceTimestamp: earlier})
		assert.Equal(t, earlier, n.Load().SourceTimestamp)
		assert.Equal(t, byte(ua.DataValueStatusCode|ua.DataValueSourceTimestamp), n.Load().EncodingMask)
	})
}

// latecomer checks that it hears each value after the one that Watch returned.
type latecomer struct {
	t    *testing.T
	mu   sync.Mutex
	last int64
}

func (l *latecomer) Changed(v *ua.DataValue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	assert.Equal(l.t, l.last, v.Value.Int())
}

// One goroutine stores, others read, and watchers come and go: nobody misses a value or sees one
// twice, and nobody reads an older value after a newer one.
func TestStoreWhileOthersReadAndWatch(t *testing.T) {
	s := plant(t)
	n := s.Find(own("speed"))
	store(n, 1)
	const values, others = 3000, 4
	done := make(chan struct{})
	var group sync.WaitGroup
	for range others {
		group.Go(func() { readUntil(t, s, done) })
		group.Go(func() { watchUntil(t, n, done) })
	}
	for v := int64(2); v <= values; v++ {
		store(n, v)
	}
	close(done)
	group.Wait()
	assert.Empty(t, n.watchers.list)
	assert.Equal(t, int64(values), n.Load().Value.Value())
}

func readUntil(t *testing.T, s *Space, done chan struct{}) {
	item := &ua.ReadValueID{NodeID: own("speed"), AttributeID: ua.AttributeIDValue}
	for last := int64(0); ; {
		now := s.Read(item, ua.TimestampsToReturnBoth).Value.Int()
		if !assert.GreaterOrEqual(t, now, last) {
			return
		}
		last = now
		select {
		case <-done:
			return
		default:
		}
	}
}

func watchUntil(t *testing.T, n *Node, done chan struct{}) {
	for {
		w := &latecomer{t: t}
		w.mu.Lock() // so that what Watch returns is known before the first change is heard
		w.last = n.Watch(w).Value.Int()
		w.mu.Unlock()
		select {
		case <-done:
			n.Unwatch(w)
			return
		default:
			n.Unwatch(w)
		}
	}
}
