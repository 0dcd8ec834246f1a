package core

import (
	"context"
	"errors"
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

// TestTurnsOfAFailingBus: when the bus fails all that waits, the stack does not grow with the queue,
// and nobody is forgotten.
func TestTurnsOfAFailingBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, node, bus := newSerialEngine(t, NodeOptions{})
		const n = 5000
		all := make([]completions, n)
		first := e.Begin(&Call{Node: node}, &all[0])
		for i := range n - 1 {
			e.Begin(&Call{Node: node}, &all[i+1])
		}
		require.Len(t, bus.requests, 1)
		deepest := 0
		bus.publish = func(*Request) error {
			var stack [256]uintptr
			deepest = max(deepest, runtime.Callers(0, stack[:]))
			return ErrNotSent
		}
		e.Resolve(Answer{Node: node, Payload: answerTo(first, `"value":1`)})
		synctest.Wait()
		require.Equal(t, Answered, all[0].last.Load().Outcome)
		for i := range n - 1 {
			require.EqualValues(t, 1, all[i+1].n.Load())
			require.Equal(t, NotPublished, all[i+1].last.Load().Outcome)
		}
		require.Less(t, deepest, 64)
		requireFree(t, node)
		requireAddsUp(t, e)
		require.NoError(t, e.Close())
	})
}

// TestNobodyIsKeptForOthers: who frees the place is let go, though there is always another one.
func TestNobodyIsKeptForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, node, bus := newSerialEngine(t, NodeOptions{})
		first := e.Begin(&Call{Node: node}, ignore{})
		e.Begin(&Call{Node: node}, ignore{})
		var enough atomic.Bool
		bus.publish = func(*Request) error {
			if !enough.Load() {
				e.Begin(&Call{Node: node}, ignore{})
			}
			return ErrNotSent
		}
		e.Resolve(Answer{Node: node, Payload: answerTo(first, `"value":1`)})
		enough.Store(true)
		synctest.Wait()
		requireFree(t, node)
		require.Zero(t, e.Held())
		require.NoError(t, e.Close())
	})
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

// TestPlaceAfterPanic: a bus that panics costs one his turn, and nobody else.
func TestPlaceAfterPanic(t *testing.T) {
	for name, c := range map[string]struct {
		answers bool
		next    time.Duration // when the next one is published
	}{
		"unanswered": {false, DefaultTimeout},
		"answered":   {true, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, node, bus := newSerialEngine(t, NodeOptions{})
				start := time.Now()
				var next time.Duration
				bus.publish = func(r *Request) error {
					bus.publish = func(*Request) error {
						next = time.Since(start)
						return ErrNotSent
					}
					time.Sleep(time.Second)
					e.Begin(&Call{Node: node}, ignore{}) // waits
					if c.answers {
						e.Resolve(Answer{Node: node, Payload: answerTo(r.ID, `"value":1`)})
					}
					panic("bus")
				}
				require.Panics(t, func() { e.Begin(&Call{Node: node}, ignore{}) })
				time.Sleep(DefaultTimeout)
				synctest.Wait()
				require.Equal(t, c.next, next)
				require.Zero(t, e.Held())
				requireFree(t, node)
				require.NoError(t, e.Close())
			})
		})
	}
}

// TestTurnOfOneThatHasEnded: whoever ends on his way into the queue or to the place leaves nothing
// behind in either.
func TestTurnOfOneThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, node, bus := newSerialEngine(t, NodeOptions{})
		ended := func() key {
			id := e.Begin(&Call{Node: node}, ignore{})
			e.Cancel(id)
			time.Sleep(DefaultTimeout) // its place is free
			synctest.Wait()
			bus.requests = nil
			return id.key()
		}
		// Just before it takes the place.
		e.publishInTurn(ended(), &Request{Node: node}, 0)
		require.Empty(t, bus.requests)
		requireFree(t, node)
		// Before it is put into the queue.
		k := ended()
		first := e.Begin(&Call{Node: node}, ignore{})
		e.publishInTurn(k, &Request{Node: node}, 0)
		require.Zero(t, node.gate.queue.Len())
		// While it is put into the queue.
		e.enqueue(node.gate, &waiting{key: k, request: &Request{Node: node}})
		require.Zero(t, node.gate.queue.Len())
		// While it is taken out of the queue.
		node.gate.push(&waiting{key: k, request: &Request{Node: node}})
		e.Resolve(Answer{Node: node, Payload: answerTo(first, `"value":1`)})
		require.Len(t, bus.requests, 1)
		requireFree(t, node)
		require.NoError(t, e.Close())
	})
}

// TestPlacesAndClose: after Close no timer runs and nobody gets a place, whoever frees it.
func TestPlacesAndClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, node, bus := newSerialEngine(t, NodeOptions{})
		gone := e.Begin(&Call{Node: node}, ignore{})
		waits := &completions{}
		e.Begin(&Call{Node: node}, waits)
		e.Cancel(gone)
		require.NotNil(t, node.gate.timer)
		require.NoError(t, e.Close())
		require.Nil(t, node.gate.timer)
		r := waits.last.Load()
		require.Equal(t, Shutdown, r.Outcome)
		require.True(t, r.RetrySafe())
		e.Resolve(Answer{Node: node, Payload: answerTo(gone, `"value":1`)})
		e.keepPlace(node.gate, key{1, 1}, 0)
		e.goOn(node.gate)
		time.Sleep(DefaultTimeout)
		require.Len(t, bus.requests, 1)
		require.Zero(t, node.gate.queue.Len())
	})
}

// TestCloseWhilePlacesChange: Close comes while many ask and go.
func TestCloseWhilePlacesChange(t *testing.T) {
	for range 20 {
		e, node, bus := newSerialEngine(t, NodeOptions{Timeout: 5 * time.Millisecond})
		bus.publish = func(r *Request) error {
			if e.Sent(r.ID) && rand.IntN(4) > 0 {
				return errors.New("lost, or not")
			}
			return ErrNotSent
		}
		var told atomic.Int64
		count := counterFunc(func(Result) { told.Add(1) })
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 200 {
					e.Cancel(e.Begin(&Call{Node: node}, count))
					e.Begin(&Call{Node: node}, count)
				}
			})
		}
		runtime.Gosched()
		require.NoError(t, e.Close())
		wg.Wait()
		require.EqualValues(t, 1600, told.Load())
		require.Zero(t, node.gate.queue.Len())
		requireAddsUp(t, e)
	}
}
