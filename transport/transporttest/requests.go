package transporttest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// Requests of one node arrive in the order in which they were begun.
func order(s *stage) {
	const n = 500
	node, _, requests := s.begin(core.NodeOptions{})
	all := make([]*asked, n)
	for i := range all {
		all[i] = s.ask(node, fmt.Sprint(i))
	}
	for i := range all {
		r := receive(s.t, requests, "a request")
		require.Equal(s.t, fmt.Sprint(i), string(r.value))
		r.echo(s.t)
	}
	for i, a := range all {
		require.Equal(s.t, fmt.Sprint(i), string(a.wait(core.Answered).Value))
	}
}

// Many requesters at once, each with a body of its own; the responder answers out of order.
func distinctBodies(s *stage) {
	const requesters, each = 16, 100
	node := s.node(core.NodeOptions{})
	s.start()
	shuffle := shuffler{s: s, batch: requesters / 2}
	s.respond(s.peer(), node, shuffle.add)
	var running sync.WaitGroup
	for i := range requesters {
		running.Go(func() {
			for j := range each {
				value := fmt.Sprintf(`{"requester":%d,"n":%d}`, i, j)
				result := s.engine.Do(s.ctx, &core.Call{Node: node, Value: []byte(value)})
				if result.Outcome != core.Answered || string(result.Value) != value {
					s.t.Errorf("asked %s, got %s %s %s", value, result.Outcome, result.Value, result.Message)
				}
			}
			shuffle.setBatch(1) // those who go on may be too few for a batch
		})
	}
	running.Wait()
	stats := s.engine.Stats(node)
	require.EqualValues(s.t, requesters*each, stats.Answers[core.Matched])
	require.Empty(s.t, s.strays, "each request once, each answer once")
}

// shuffler collects requests and answers them in random order.
type shuffler struct {
	s       *stage
	mu      sync.Mutex // guards all below
	batch   int
	waiting []*request
}

func (f *shuffler) add(r *request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = append(f.waiting, r)
	f.answerLocked()
}

func (f *shuffler) setBatch(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.batch = n
	f.answerLocked()
}

func (f *shuffler) answerLocked() {
	if len(f.waiting) < f.batch {
		return
	}
	rand.Shuffle(len(f.waiting), func(i, j int) { f.waiting[i], f.waiting[j] = f.waiting[j], f.waiting[i] })
	for _, r := range f.waiting {
		r.echo(f.s.t)
	}
	f.waiting = f.waiting[:0]
}

func manyNodes(s *stage) {
	const n = 100
	nodes := make([]*core.Node, n)
	for i := range nodes {
		nodes[i] = s.node(core.NodeOptions{Name: fmt.Sprint("n", i)})
	}
	s.start()
	peer := s.peer()
	all := make([]*asked, n)
	for i, node := range nodes {
		s.respond(peer, node, func(r *request) { r.answer(s.t, []byte(`"`+node.Name()+`"`)) })
		all[i] = s.ask(node, `1`)
	}
	for i, a := range all {
		require.Equal(s.t, `"`+nodes[i].Name()+`"`, string(a.wait(core.Answered).Value))
	}
}

// Sent is called once for each request, before anybody can have seen it.
func sentBeforeHandOver(s *stage) {
	node := s.node(core.NodeOptions{})
	s.start()
	s.respond(s.peer(), node, func(r *request) {
		if n := s.tap.timesSent(r.id); n != 1 {
			s.t.Errorf("Sent was called %d times when request %s arrived, want 1", n, r.id)
		}
		r.echo(s.t)
	})
	all := make([]*asked, 100)
	for i := range all {
		all[i] = s.ask(node, `1`)
	}
	for _, a := range all {
		require.True(s.t, a.wait(core.Answered).Sent)
		require.Equal(s.t, 1, s.tap.timesSent(a.id))
	}
}

// A request for which Sent is false has ended meanwhile: it does not leave.
func sentRefused(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{})
	s.tap.before = func(r *core.Request) {
		if string(r.Value) == `"refused"` {
			s.tap.refuse(r.ID)
		}
	}
	refused := s.ask(node, `"refused"`)
	next := s.ask(node, `"next"`)
	r := receive(s.t, requests, "the next request")
	require.Equal(s.t, `"next"`, string(r.value))
	r.echo(s.t)
	next.wait(core.Answered)
	require.Equal(s.t, 1, s.tap.timesSent(refused.id))
	require.True(s.t, s.engine.Fail(refused.id, core.ErrNotSent))
	require.False(s.t, refused.wait(core.NotPublished).Sent)
}

// A request whose deadline passes before the bus gets around to it does not leave.
func deadlinePassed(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{})
	expired := &asked{t: s.t, results: make(chan core.Result, 1)}
	s.tap.before = func(r *core.Request) {
		if string(r.Value) == `"expired"` {
			require.False(s.t, expired.wait(core.NotPublished).Sent)
		}
	}
	s.engine.Begin(&core.Call{Node: node, Value: []byte(`"expired"`), Timeout: 20 * time.Millisecond}, expired)
	next := s.ask(node, `"next"`)
	r := receive(s.t, requests, "the next request")
	require.Equal(s.t, `"next"`, string(r.value))
	r.echo(s.t)
	next.wait(core.Answered)
}

// Who asks may use the request's bytes again as soon as Begin has returned; the bus may use the
// answer's bytes again as soon as Resolve has.
func slicesReused(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{})
	value := make([]byte, 0, 64)
	properties := make([]core.Property, 1)
	all := make([]*asked, 200)
	for i := range all {
		value = fmt.Appendf(value[:0], `{"n":%d}`, i)
		properties[0] = core.Property{Name: "n", Value: fmt.Sprint(i)}
		all[i] = s.askCall(core.Call{Node: node, Value: value, Properties: properties})
	}
	for i := range all {
		r := receive(s.t, requests, "a request")
		require.Equal(s.t, fmt.Sprintf(`{"n":%d}`, i), string(r.value))
		if s.rig.Features().Properties {
			require.Contains(s.t, r.Properties, core.Property{Name: "n", Value: fmt.Sprint(i)})
		}
		r.echo(s.t)
	}
	for i, a := range all {
		require.Equal(s.t, fmt.Sprintf(`{"n":%d}`, i), string(a.wait(core.Answered).Value))
	}
}

func bigPayloads(s *stage) {
	limit := s.rig.Features().MaxPayload
	if limit == 0 {
		limit = 256 << 10
	}
	node, _, requests := s.begin(core.NodeOptions{})
	const around = 200 // id, timestamp and the names of the members
	for _, size := range []int{2, 1000, 4096, 65535, 65536, 256<<10 - around, limit - around} {
		if size > limit-around {
			continue
		}
		value := append(append([]byte{'"'}, bytes.Repeat([]byte{'x'}, size-2)...), '"')
		a := s.ask(node, string(value))
		r := receive(s.t, requests, fmt.Sprint("a request of ", size, " bytes"))
		require.True(s.t, bytes.Equal(value, r.value), "a request of %d bytes came as one of %d", size, len(r.value))
		r.echo(s.t)
		got := a.wait(core.Answered).Value
		require.True(s.t, bytes.Equal(value, got), "an answer of %d bytes came as one of %d", size, len(got))
	}
}
