package core

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func newSerialEngine(t testing.TB, o NodeOptions) (*Engine, *Node, *recordingBus) {
	t.Helper()
	bus := &recordingBus{}
	e, err := New(bus, Options{})
	require.NoError(t, err)
	t.Cleanup(func() { e.Close() })
	o.Name, o.Topic, o.Serial = "serial", "serial", true
	node, err := e.AddNode(o)
	require.NoError(t, err)
	return e, node, bus
}

// requireFree checks that the place is free, nobody waits for it, and nothing is left of those who
// did.
func requireFree(t testing.TB, n *Node) {
	t.Helper()
	g := n.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	require.Zero(t, g.turn)
	require.False(t, g.handing)
	require.Zero(t, g.queue.Len())
	require.Empty(t, g.places)
	require.Nil(t, g.timer)
}

// machine is a responder that can do one thing at a time, and notices when it is asked for another
// before the deadline of that.
type machine struct {
	engine *Engine
	node   *Node
	work   chan *order
	now    atomic.Pointer[order] // nil: it has nothing to do
	broken atomic.Int64          // times it was given work while it had some
	done   atomic.Int64
}

type order struct {
	id       ID
	deadline time.Time
}

// Publish fails, drops, or takes the request, at random.
func (m *machine) Publish(r *Request) error {
	switch rand.IntN(20) {
	case 0:
		return ErrNotSent
	case 1:
		m.engine.Sent(r.ID)
		return ErrRefused
	}
	if !m.engine.Sent(r.ID) {
		return nil
	}
	o := &order{r.ID, r.Deadline}
	if before := m.now.Swap(o); before != nil && time.Now().Before(before.deadline) {
		m.broken.Add(1)
	}
	m.work <- o
	return nil
}

func (m *machine) run() {
	for o := range m.work {
		runtime.Gosched()
		m.done.Add(1)
		if rand.IntN(50) == 0 {
			continue // never answered: the place is free at the deadline
		}
		m.now.CompareAndSwap(o, nil)
		m.engine.Resolve(Answer{Node: m.node, Payload: answerTo(o.id, `"value":1`)})
	}
}

// TestOneAtATime: however many ask, go away, are refused or time out, a machine that can do one
// thing at a time is never given two, everybody is told once, and at the end the place is free.
func TestOneAtATime(t *testing.T) {
	m := &machine{work: make(chan *order, 1600)}
	e, err := New(m, Options{})
	require.NoError(t, err)
	m.engine = e
	m.node, err = e.AddNode(NodeOptions{Name: "m", Topic: "m", Serial: true, Timeout: 100 * time.Millisecond})
	require.NoError(t, err)
	var responder, requesters sync.WaitGroup
	responder.Go(m.run)
	for range 16 {
		requesters.Go(func() {
			for range 100 {
				ctx, cancel := context.WithCancel(context.Background())
				if rand.IntN(8) == 0 {
					time.AfterFunc(time.Duration(rand.IntN(int(time.Millisecond))), cancel)
				}
				timeout := time.Duration(rand.IntN(int(100 * time.Millisecond)))
				e.Do(ctx, &Call{Node: m.node, Timeout: timeout, Value: []byte("1")})
				cancel()
			}
		})
	}
	requesters.Wait()
	require.Eventually(t, func() bool { // a place whose requester has gone is free at its deadline
		m.node.gate.mu.Lock()
		defer m.node.gate.mu.Unlock()
		return m.node.gate.turn == key{}
	}, 5*time.Second, time.Millisecond)
	requireFree(t, m.node)
	require.Zero(t, m.broken.Load())
	require.Positive(t, m.done.Load())
	require.Zero(t, e.Held())
	requireAddsUp(t, e)
	require.NoError(t, e.Close())
	close(m.work)
	responder.Wait()
}

// TestAnswersWithinPublish: a bus that answers before Publish returns lets all of them through.
func TestAnswersWithinPublish(t *testing.T) {
	e, node, bus := newSerialEngine(t, NodeOptions{})
	bus.publish = func(r *Request) error {
		e.Sent(r.ID)
		e.Resolve(Answer{Node: node, Payload: answerTo(r.ID, `"value":`+string(r.Value))})
		return nil
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 500 {
				r := e.Do(context.Background(), &Call{Node: node, Value: fmt.Append(nil, i)})
				if r.Outcome != Answered || string(r.Value) != fmt.Sprint(i) {
					t.Errorf("%v %s", r.Outcome, r.Value)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, e.Close())
	requireFree(t, node)
}

// TestNextKeepsItsOwnCopy: what waits is published as it was asked, though the requester has used
// his buffers again, with what is left of its time.
func TestNextKeepsItsOwnCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, node, bus := newSerialEngine(t, NodeOptions{})
		begun := time.Now()
		first := e.Begin(&Call{Node: node}, ignore{})
		value, properties, key := []byte(`"mine"`), []Property{{"a", "b"}}, &Key{Text: "k"}
		second := e.Begin(&Call{Node: node, Value: value, Properties: properties, Meta: "m", Key: key}, ignore{})
		copy(value, "xxxxxx")
		properties[0] = Property{"x", "x"}
		time.Sleep(300 * time.Millisecond)
		e.Resolve(Answer{Node: node, Payload: answerTo(first, `"value":1`)})
		r := bus.requests[1]
		require.Equal(t, second, r.ID)
		require.Equal(t, `"mine"`, string(r.Value))
		require.Equal(t, []Property{{"a", "b"}}, r.Properties)
		require.Equal(t, "m", r.Meta)
		require.Same(t, key, r.Key)
		require.Equal(t, begun.UnixMilli(), r.Timestamp)
		require.Equal(t, begun.Add(DefaultTimeout), r.Deadline)
		require.Equal(t, DefaultTimeout-300*time.Millisecond, r.Timeout)
		require.NoError(t, e.Close())
	})
}
