package transporttest

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/core"
)

// stage is where one case of the bus suite plays: a rig, an engine on its bus, and whatever
// answers completed nothing.
type stage struct {
	t      *testing.T
	ctx    context.Context
	rig    BusRig
	tap    *tap
	engine *core.Engine
	strays chan core.Stray
	prefix string // of topics, used by nobody else
}

// play runs one case and then looks whether everything adds up and nothing is left.
func play(t *testing.T, factory BusFactory, scene func(*stage)) {
	existing := goleak.IgnoreCurrent()
	s := &stage{t: t, strays: make(chan core.Stray, 1024), prefix: "conformance/" + rand.Text() + "/"}
	// Twice the patience: whatever does not come fails before this ends.
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	s.ctx = ctx
	s.rig = factory(t)
	bus := s.rig.Bus()
	require.Implements(t, (*core.Binder)(nil), bus, "a bus needs to know its engine")
	s.tap = newTap(bus)
	var err error
	s.engine, err = core.New(s.tap, core.Options{Observer: s})
	require.NoError(t, err)
	defer func() {
		require.NoError(t, s.engine.Close())
		require.NoError(t, s.rig.Close(ctx))
		requireAddsUp(t, s.engine)
		goleak.VerifyNone(t, existing)
	}()
	scene(s)
}

// requireAddsUp is invariant 8 of core, at the end: nothing is held any more.
func requireAddsUp(t *testing.T, engine *core.Engine) {
	t.Helper()
	for _, node := range engine.Nodes() {
		stats := engine.Stats(node)
		sum := uint64(0)
		for _, n := range stats.Ended {
			sum += n
		}
		require.Equal(t, stats.Begun, sum, "node %s: begun and ended", node.Name())
		require.Zero(t, stats.Held, "node %s", node.Name())
	}
	require.Zero(t, engine.Held())
	require.Zero(t, engine.HeldBytes())
}

// Ended implements core.Observer.
func (s *stage) Ended(*core.Node, core.Result) {}

// Stray implements core.Observer.
func (s *stage) Stray(_ *core.Node, stray *core.Stray) {
	kept := *stray
	kept.Payload = append([]byte{}, stray.Payload...)
	select {
	case s.strays <- kept:
	default: // more than any case makes, none looks at them all
	}
}

// nextStray waits for the next answer that completes nothing.
func (s *stage) nextStray(want core.AnswerKind) core.Stray {
	s.t.Helper()
	got := receive(s.t, s.strays, "an answer that completes nothing")
	require.Equal(s.t, want.String(), got.Kind.String(), "payload %q, error %v", got.Payload, got.Err)
	return got
}

// node adds a node; the options need no topic.
func (s *stage) node(o core.NodeOptions) *core.Node {
	s.t.Helper()
	if o.Name == "" {
		o.Name = "n"
	}
	o.Topic = s.prefix + o.Name
	if o.Timeout == 0 {
		o.Timeout = 3 * patience // the case ends it otherwise
	}
	node, err := s.engine.AddNode(o)
	require.NoError(s.t, err)
	return node
}

func (s *stage) start() {
	s.t.Helper()
	require.NoError(s.t, s.rig.Start(s.ctx))
}

func (s *stage) peer() Peer {
	s.t.Helper()
	peer, err := s.rig.Peer(s.ctx)
	require.NoError(s.t, err)
	return peer
}

// request is a request as it arrived at a peer.
type request struct {
	Message
	id    core.ID
	value []byte
	peer  Peer
	node  *core.Node
}

// respond has a peer call f for each request of a node. f does not block.
func (s *stage) respond(peer Peer, node *core.Node, f func(*request)) {
	s.t.Helper()
	require.NoError(s.t, peer.Subscribe(node.RequestTopic(), func(m Message) {
		m.Payload = append([]byte{}, m.Payload...)
		m.CorrelationData = append([]byte(nil), m.CorrelationData...)
		m.Properties = append([]core.Property(nil), m.Properties...)
		content, err := core.DecodeAnswer(m.Payload) // requests have the same form
		if err != nil || content.ID.IsZero() {
			s.t.Errorf("a request arrived that is none: %q", m.Payload)
			return
		}
		f(&request{m, content.ID, content.Value, peer, node})
	}))
}

// listen has a peer collect the requests of a node.
func (s *stage) listen(peer Peer, node *core.Node) <-chan *request {
	s.t.Helper()
	requests := make(chan *request, 4096)
	s.respond(peer, node, func(r *request) {
		select {
		case requests <- r:
		default:
			s.t.Errorf("more than %d requests arrived", cap(requests))
		}
	})
	return requests
}

// begin is a node on a bus that is connected, and the requests that arrive at a peer.
func (s *stage) begin(o core.NodeOptions) (*core.Node, Peer, <-chan *request) {
	s.t.Helper()
	node := s.node(o)
	s.start()
	peer := s.peer()
	return node, peer, s.listen(peer, node)
}

// send publishes what the format says with the request's id as answer.
func (r *request) send(t *testing.T, format string) {
	t.Helper()
	r.sendMessage(t, Message{Payload: fmt.Appendf(nil, format, r.id)})
}

func (r *request) sendMessage(t *testing.T, m Message) {
	t.Helper()
	m.Topic = r.node.AnswerTopic()
	if err := r.peer.Publish(m); err != nil { // no require: this may be the peer's goroutine
		t.Errorf("peer cannot publish: %v", err)
	}
}

// answer answers with a value.
func (r *request) answer(t *testing.T, value []byte) {
	t.Helper()
	r.sendMessage(t, Message{Payload: core.AppendRequest(nil, r.id, time.Now().UnixMilli(), value)})
}

// echo answers with the value of the request.
func (r *request) echo(t *testing.T) {
	t.Helper()
	r.answer(t, r.value)
}

// asked is a transaction that a case has begun.
type asked struct {
	t       *testing.T
	id      core.ID
	results chan core.Result
}

// Complete implements core.Completer. A second call is a fault.
func (a *asked) Complete(r core.Result) {
	if r.Value != nil {
		r.Value = append([]byte{}, r.Value...)
	}
	select {
	case a.results <- r:
	default:
		a.t.Errorf("transaction %s ended twice, then as %s", a.id, r.Outcome)
	}
}

// ask begins a transaction. What was given to Begin is spoiled as soon as it returns.
func (s *stage) ask(node *core.Node, value string) *asked {
	return s.askCall(core.Call{Node: node, Value: []byte(value)})
}

func (s *stage) askCall(call core.Call) *asked {
	a := &asked{t: s.t, results: make(chan core.Result, 1)}
	a.id = s.engine.Begin(&call, a)
	spoil(call.Value)
	for i := range call.Properties {
		call.Properties[i] = core.Property{Name: "spoiled", Value: "spoiled"}
	}
	return a
}

// wait waits for the end and compares how it came.
func (a *asked) wait(want core.Outcome) core.Result {
	a.t.Helper()
	got := receive(a.t, a.results, "the end of transaction "+a.id.String())
	require.Equal(a.t, want.String(), got.Outcome.String(), "transaction %s: %s", a.id, got.Message)
	return got
}

// receive waits for an event, not for ever.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case got := <-from:
		return got
	case <-timer.C:
		t.Fatalf("waited %v in vain for %s", patience, what)
		panic("unreachable")
	}
}
