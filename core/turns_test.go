package core

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

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

// TestPlaceAfterPanicOfCompleter: a completer that panics, which servers survive, keeps no place.
func TestPlaceAfterPanicOfCompleter(t *testing.T) {
	for name, end := range map[string]func(*Engine, *Node, ID){
		"refused":  func(e *Engine, _ *Node, id ID) { e.Fail(id, ErrRefused) },
		"answered": func(e *Engine, n *Node, id ID) { e.Resolve(Answer{Node: n, Payload: answerTo(id, `"value":1`)}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, node, bus := newSerialEngine(t, NodeOptions{})
				id := e.Begin(&Call{Node: node}, panics{})
				e.Begin(&Call{Node: node}, ignore{}) // waits
				bus.requests = nil
				require.Panics(t, func() { end(e, node, id) })
				synctest.Wait()
				require.Len(t, bus.requests, 1, "the next one has its turn")
				require.NoError(t, e.Close())
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // within Publish
		e, node, bus := newSerialEngine(t, NodeOptions{})
		bus.publish = func(*Request) error { return ErrNotSent }
		require.Panics(t, func() { e.Begin(&Call{Node: node}, panics{}) })
		synctest.Wait()
		requireFree(t, node)
		require.NoError(t, e.Close())
	})
	synctest.Test(t, func(t *testing.T) { // of one whose turn comes too late
		e, node, bus := newSerialEngine(t, NodeOptions{})
		first := e.Begin(&Call{Node: node}, ignore{})
		e.Begin(&Call{Node: node}, panics{})
		time.Sleep(DefaultTimeout - time.Millisecond)
		e.Begin(&Call{Node: node}, ignore{})
		bus.requests = nil
		require.Panics(t, func() { e.Resolve(Answer{Node: node, Payload: answerTo(first, `"value":1`)}) })
		synctest.Wait()
		require.Len(t, bus.requests, 1, "the next one has its turn")
		require.NoError(t, e.Close())
	})
}

type panics struct{}

func (panics) Complete(Result) { panic("completer") }

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
		e.enqueue(node.gate, newWaiting(k, never, &Request{Node: node}))
		require.Zero(t, node.gate.queue.Len())
		// While it is taken out of the queue.
		node.gate.push(newWaiting(k, never, &Request{Node: node}))
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
		waits := make([]completions, 10*deskStay) // in many shards
		for i := range waits {
			e.Begin(&Call{Node: node}, &waits[i])
		}
		e.Cancel(gone)
		require.NotNil(t, node.gate.timer)
		before := time.Now()
		require.NoError(t, e.Close())
		require.Zero(t, time.Since(before))
		require.Nil(t, node.gate.timer)
		for i := range waits {
			r := waits[i].last.Load()
			require.Equal(t, Shutdown, r.Outcome)
			require.True(t, r.RetrySafe())
		}
		e.Resolve(Answer{Node: node, Payload: answerTo(gone, `"value":1`)})
		e.keepPlace(node.gate, key{1, 1}, 0)
		e.goOn(node.gate)
		time.Sleep(DefaultTimeout)
		require.Len(t, bus.requests, 1)
		require.Zero(t, node.gate.queue.Len())
	})
}

// TestEveryEndIsATurn: whatever ends a request that has the place lets the next one out.
func TestEveryEndIsATurn(t *testing.T) {
	unusable := errors.New("unusable")
	for name, end := range map[string]func(*Engine, Answer, ID){
		"answer rules refuse":  func(e *Engine, a Answer, _ ID) { e.Resolve(a) },
		"refused when sent":    func(e *Engine, _ Answer, id ID) { e.Fail(id, ErrRefused) },
		"nobody listens":       func(e *Engine, _ Answer, id ID) { e.Fail(id, ErrNoSubscriber) },
		"rules of the request": func(e *Engine, _ Answer, id ID) { e.Fail(id, ErrRuleFailed) },
	} {
		t.Run(name, func(t *testing.T) {
			e, node, bus := newSerialEngine(t, NodeOptions{Inspect: func(*Reply) error { return unusable }})
			first := e.Begin(&Call{Node: node}, ignore{})
			second := e.Begin(&Call{Node: node}, ignore{})
			require.Len(t, bus.requests, 1)
			end(e, Answer{Node: node, Payload: answerTo(first, `"value":1`)}, first)
			require.Len(t, bus.requests, 2)
			require.Equal(t, second, bus.requests[1].ID)
		})
	}
}

// TestCloseGivesNoTurns: what Close ends does not let the next one out.
func TestCloseGivesNoTurns(t *testing.T) {
	e, node, bus := newSerialEngine(t, NodeOptions{})
	for range 10 * deskStay {
		e.Begin(&Call{Node: node}, ignore{})
	}
	require.NoError(t, e.Close())
	require.Len(t, bus.requests, 1)
}

// TestNoTurnAtTheDeadline: who has waited until his deadline is not published any more, even if the
// driver has not come for him yet.
func TestNoTurnAtTheDeadline(t *testing.T) {
	sh, node := newTestShard()
	k, _ := sh.begin(node, ignore{}, 0, 0, 5*tick, 0)
	require.True(t, sh.wait(k))
	require.False(t, sh.proceed(k, 5*tick))
	batch, _ := sh.advance(5*tick, nil)
	require.Equal(t, Shed, expiredAs(batch[0].flags))
	k, _ = sh.begin(node, ignore{}, 0, 0, 10*tick, 0)
	require.True(t, sh.wait(k))
	require.True(t, sh.proceed(k, 10*tick-1))
	batch, _ = sh.advance(10*tick, nil)
	require.Equal(t, NotPublished, expiredAs(batch[0].flags))
}

// TestNobodyJumpsTheQueue: while somebody waits, the place is not for who comes.
func TestNobodyJumpsTheQueue(t *testing.T) {
	g := newGate()
	g.push(&waiting{key: key{1, 1}})
	require.False(t, g.enter(key{2, 2}))
	first, late := g.next(0)
	require.False(t, late)
	require.Equal(t, key{1, 1}, first.key)
	second, _ := g.next(0)
	require.Nil(t, second)
	require.False(t, g.enter(key{2, 2}))
	require.True(t, g.free(key{1, 1}, nil))
	require.False(t, g.enter(key{2, 2}), "somebody is still at the bus")
	g.handed()
	require.True(t, g.enter(key{2, 2}))
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
