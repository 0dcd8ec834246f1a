package transporttest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// hold begins n transactions that a peer has received and not answered.
func (s *stage) hold(node *core.Node, requests <-chan *request, n int) ([]*asked, []*request) {
	s.t.Helper()
	all, arrived := make([]*asked, n), make([]*request, n)
	for i := range n {
		all[i] = s.ask(node, fmt.Sprint(i))
		arrived[i] = receive(s.t, requests, "a request")
	}
	return all, arrived
}

// The engine goes first: answers that come afterwards harm nobody.
func engineClosed(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{})
	all, arrived := s.hold(node, requests, 5)
	require.NoError(s.t, s.engine.Close())
	for _, a := range all {
		require.True(s.t, a.wait(core.Shutdown).Sent)
	}
	for _, r := range arrived {
		r.echo(s.t)
	}
	for range arrived {
		s.nextStray(core.Late)
	}
	s.ask(node, `1`).wait(core.Shutdown)
	require.NoError(s.t, s.rig.Close(s.ctx))
}

// The bus goes first: what it had handed over may still have been done, so it is not called
// not_published; what comes afterwards is.
func busClosed(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{})
	all, _ := s.hold(node, requests, 5)
	require.NoError(s.t, s.rig.Close(s.ctx))
	require.Equal(s.t, 5, s.engine.Held())
	require.False(s.t, s.ask(node, `1`).wait(core.NotPublished).Sent)
	require.NoError(s.t, s.rig.Close(s.ctx), "closing again does nothing")
	require.NoError(s.t, s.engine.Close())
	for _, a := range all {
		a.wait(core.Shutdown)
	}
}

// The broker goes away and comes back.
//
//  1. A request that was handed over before ends as timeout, because it may have been done.
//  2. While the broker is away requests end as not_published, at once or at their deadline.
//  3. When it is back requests are answered again, and no request has arrived twice.
func brokerGone(s *stage) {
	breaker, ok := s.rig.(Breaker)
	if !ok {
		return
	}
	var seen arrivals
	var mended atomic.Bool // the first peer is not asked any more, even if it is still there
	node := s.node(core.NodeOptions{})
	s.start()
	held := make(chan *request, 1)
	s.respond(s.peer(), node, func(r *request) {
		if mended.Load() {
			return
		}
		seen.add(r)
		if string(r.value) == `"held"` {
			held <- r
			return
		}
		r.echo(s.t)
	})
	s.ask(node, `"before"`).wait(core.Answered)
	lost := s.askCall(core.Call{Node: node, Value: []byte(`"held"`), Timeout: time.Second})
	receive(s.t, held, "the request to be held")

	require.NoError(s.t, breaker.Break())
	s.untilNotPublished(node)
	for range 20 {
		result := s.askCall(core.Call{Node: node, Value: []byte(`"away"`), Timeout: 100 * time.Millisecond}).wait(core.NotPublished)
		require.False(s.t, result.Sent)
		require.NotEmpty(s.t, result.Message)
	}
	require.True(s.t, lost.wait(core.Timeout).Sent)

	mended.Store(true)
	require.NoError(s.t, breaker.Mend())
	require.NoError(s.t, breaker.Connected(s.ctx))
	s.respond(s.peer(), node, func(r *request) {
		seen.add(r)
		r.echo(s.t)
	})
	for i := range 20 {
		value := fmt.Sprint(i)
		require.Equal(s.t, value, string(s.ask(node, value).wait(core.Answered).Value))
	}
	seen.requireOnce(s)
}

// untilNotPublished asks until the bus has noticed that the broker is away. What is handed to a
// connection that is dead already may end as timeout.
func (s *stage) untilNotPublished(node *core.Node) {
	s.t.Helper()
	for began := time.Now(); time.Since(began) < patience; {
		a := s.askCall(core.Call{Node: node, Value: []byte(`"away"`), Timeout: 100 * time.Millisecond})
		result := receive(s.t, a.results, "the end of a transaction")
		if result.Outcome == core.NotPublished {
			return
		}
		require.Equal(s.t, core.Timeout.String(), result.Outcome.String())
	}
	s.t.Fatalf("the broker is gone, but requests have not ended as not_published within %v", patience)
}

// arrivals counts how often each request has arrived.
type arrivals struct {
	mu    sync.Mutex
	times map[core.ID]int // guarded by mu
}

func (a *arrivals) add(r *request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.times == nil {
		a.times = map[core.ID]int{}
	}
	a.times[r.id]++
}

func (a *arrivals) requireOnce(s *stage) {
	s.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, n := range a.times {
		require.Equal(s.t, 1, n, "request %s arrived %d times", id, n)
	}
}
