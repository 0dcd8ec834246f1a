package transporttest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mem"
)

// Server runs the conformance suite for servers, on an engine with the bus of transport/mem.
func Server(t *testing.T, factory ServerFactory) {
	for _, c := range serverCases {
		t.Run(c.name, func(t *testing.T) {
			playServer(t, factory, c.scene)
		})
	}
}

type serverCase struct {
	name  string
	scene func(*house)
}

var serverCases = []serverCase{
	{"Answered", serverAnswered},
	{"Outcomes", serverOutcomes},
	{"NeverEarly", serverNeverEarly},
	{"OneAfterTheOther", serverOneAfterTheOther},
	{"HeldAtOnce", serverHeldAtOnce},
	{"ShedByLimit", serverShedByLimit},
	{"RequesterGone", serverRequesterGone},
	{"Drain", serverDrain},
	{"DrainTimeOver", serverDrainTimeOver},
	{"EngineClosedWithWorkHeld", serverEngineClosed},
	{"ClosedWithWorkHeld", serverClosed},
}

// house is where one case of the server suite plays: a bus with Go functions as responders, an
// engine, and once it is open a server.
type house struct {
	t       *testing.T
	ctx     context.Context
	factory ServerFactory
	bus     *refusingBus
	engine  *core.Engine
	rig     ServerRig
	ended   chan core.Result
}

// refusingBus refuses the requests of some nodes, by name.
type refusingBus struct {
	*mem.Bus
	refuse map[string]error
}

// Publish implements core.Bus.
func (b *refusingBus) Publish(r *core.Request) error {
	if err := b.refuse[r.Node.Name()]; err != nil {
		return err
	}
	return b.Bus.Publish(r)
}

func playServer(t *testing.T, factory ServerFactory, scene func(*house)) {
	existing := goleak.IgnoreCurrent()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	h := &house{t: t, ctx: ctx, factory: factory, ended: make(chan core.Result, 4096)}
	bus, err := mem.New(mem.Options{})
	require.NoError(t, err)
	h.bus = &refusingBus{Bus: bus, refuse: map[string]error{}}
	h.engine, err = core.New(h.bus, core.Options{Observer: h})
	require.NoError(t, err)
	defer func() {
		if h.rig != nil {
			require.NoError(t, h.rig.Close())
		}
		require.NoError(t, h.engine.Close())
		require.NoError(t, bus.Close())
		requireAddsUp(t, h.engine)
		goleak.VerifyNone(t, existing)
	}()
	scene(h)
}

// Ended implements core.Observer.
func (h *house) Ended(_ *core.Node, r core.Result) {
	r.Value = nil // not ours
	select {
	case h.ended <- r:
	default: // more than any case makes, none looks at them all
	}
}

// Stray implements core.Observer.
func (h *house) Stray(*core.Node, *core.Stray) {}

// nextEnd waits for the next end of a transaction.
func (h *house) nextEnd(want core.Outcome) {
	h.t.Helper()
	got := receive(h.t, h.ended, "the end of a transaction")
	require.Equal(h.t, want.String(), got.Outcome.String(), got.Message)
}

func (h *house) node(o core.NodeOptions) *core.Node {
	h.t.Helper()
	if o.Name == "" {
		o.Name = "n"
	}
	o.Topic = "house/" + o.Name
	if o.Timeout == 0 {
		o.Timeout = 3 * patience // the case ends it otherwise
	}
	node, err := h.engine.AddNode(o)
	require.NoError(h.t, err)
	return node
}

// open starts the server with all nodes there are.
func (h *house) open() {
	h.t.Helper()
	h.rig = h.factory(h.t, h.engine, h.engine.Nodes())
}

func (h *house) requester() Requester {
	h.t.Helper()
	r, err := h.rig.Requester()
	require.NoError(h.t, err)
	return r
}

// respond makes f the responder of a node.
func (h *house) respond(node *core.Node, f func(*mem.Request) error) {
	h.t.Helper()
	_, err := h.bus.Respond(node.Topic(), func(r *mem.Request) {
		if err := f(r); err != nil {
			h.t.Errorf("responder of %s: %v", node.Name(), err)
		}
	})
	require.NoError(h.t, err)
}

func echo(r *mem.Request) error { return r.Answer(r.Value) }

// listen collects the requests of a node.
func (h *house) listen(node *core.Node) <-chan *mem.Request {
	h.t.Helper()
	requests := make(chan *mem.Request, 1024)
	h.respond(node, func(r *mem.Request) error {
		requests <- r // more than any case makes
		return nil
	})
	return requests
}

// visit is one request on a requester of its own.
type visit struct {
	cancel context.CancelFunc
	result chan visitResult
}

type visitResult struct {
	Reply
	err error
}

// visit asks in the background, and closes its requester at the end.
func (h *house) visit(node *core.Node, value string) *visit {
	h.t.Helper()
	requester := h.requester()
	ctx, cancel := context.WithCancel(h.ctx)
	v := &visit{cancel: cancel, result: make(chan visitResult, 1)}
	go func() {
		reply, err := requester.Request(ctx, node, []byte(value))
		requester.Close()
		cancel()
		v.result <- visitResult{reply, err}
	}()
	return v
}

func (v *visit) wait(t *testing.T, want core.Outcome) Reply {
	t.Helper()
	got := receive(t, v.result, "a reply")
	require.NoError(t, got.err)
	require.Equal(t, want.String(), got.Outcome.String(), got.Message)
	return got.Reply
}

// hold has n requesters whose requests have arrived at the responder, who does not answer.
func (h *house) hold(node *core.Node, requests <-chan *mem.Request, n int) ([]*visit, []*mem.Request) {
	h.t.Helper()
	visits, arrived := make([]*visit, n), make([]*mem.Request, n)
	for i := range n {
		visits[i] = h.visit(node, `"held"`)
		arrived[i] = receive(h.t, requests, "a request")
	}
	return visits, arrived
}

// ask asks and waits for the reply.
func (h *house) ask(r Requester, node *core.Node, value string) Reply {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.ctx, patience)
	defer cancel()
	reply, err := r.Request(ctx, node, []byte(value))
	require.NoError(h.t, err)
	return reply
}

// requireWithin fails if what began then took too long.
func requireWithin(t *testing.T, began time.Time, limit time.Duration, what string) {
	t.Helper()
	require.LessOrEqual(t, time.Since(began), limit, what)
}
