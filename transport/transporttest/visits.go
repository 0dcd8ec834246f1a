package transporttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mem"
)

func serverAnswered(h *house) {
	node, null := h.node(core.NodeOptions{}), h.node(core.NodeOptions{Name: "null"})
	h.respond(node, echo)
	h.respond(null, func(r *mem.Request) error { return r.Answer(nil) })
	h.open()
	values := []string{`""`, `"ready"`, `"ä \"quoted\" 😀"`, `"` + strings.Repeat("x", 50_000) + `"`}
	if v, ok := h.rig.(Valuer); ok {
		values = append(values, v.Values()...)
	}
	r := h.requester()
	for _, value := range values {
		reply := h.ask(r, node, value)
		require.Equal(h.t, core.Answered.String(), reply.Outcome.String(), reply.Message)
		require.Equal(h.t, value, string(reply.Value))
	}
	reply := h.ask(r, null, `"x"`)
	require.Equal(h.t, core.Answered.String(), reply.Outcome.String(), reply.Message)
	require.Equal(h.t, `null`, string(reply.Value))
	require.NoError(h.t, r.Close())
}

// Each outcome reaches the requester as itself, on one connection.
func serverOutcomes(h *house) {
	tests := []struct {
		outcome core.Outcome
		refuse  error                    // by the bus
		respond func(*mem.Request) error // nil: nobody does
		timeout time.Duration
	}{
		{outcome: core.Answered, respond: echo},
		{outcome: core.ResponderError, respond: func(r *mem.Request) error { return r.Fail(503, "no material") }},
		{outcome: core.Timeout, timeout: 100 * time.Millisecond},
		{outcome: core.NotPublished, refuse: core.ErrNotSent},
		{outcome: core.NoSubscriber, refuse: core.ErrNoSubscriber},
		{outcome: core.Shed, refuse: core.ErrShed},
		{outcome: core.RuleFailed, refuse: core.ErrRuleFailed},
		{outcome: core.BadResponse, respond: func(r *mem.Request) error { return r.Send([]byte(`{"id":"` + r.ID.String() + `"}`)) }},
	}
	nodes := make([]*core.Node, len(tests))
	for i, tt := range tests {
		nodes[i] = h.node(core.NodeOptions{Name: tt.outcome.String(), Timeout: tt.timeout})
		h.bus.refuse[nodes[i].Name()] = tt.refuse
		if tt.respond != nil {
			h.respond(nodes[i], tt.respond)
		}
	}
	h.open()
	r := h.requester()
	for i, tt := range tests {
		reply := h.ask(r, nodes[i], `"x"`)
		require.Equal(h.t, tt.outcome.String(), reply.Outcome.String(), reply.Message)
		h.nextEnd(tt.outcome)
		if tt.outcome == core.ResponderError {
			requireIfSet(h, 503, reply.Code)
			requireIfSet(h, "no material", reply.Message)
		}
	}
	require.NoError(h.t, r.Close())
}

// requireIfSet compares what a protocol need not hand on.
func requireIfSet[T comparable](h *house, want, got T) {
	h.t.Helper()
	var unset T
	if got != unset {
		require.Equal(h.t, want, got)
	}
}

func serverNeverEarly(h *house) {
	node := h.node(core.NodeOptions{Timeout: 300 * time.Millisecond})
	h.open()
	r := h.requester()
	began := time.Now()
	reply := h.ask(r, node, `"x"`)
	require.Equal(h.t, core.Timeout.String(), reply.Outcome.String(), reply.Message)
	require.GreaterOrEqual(h.t, time.Since(began), node.Timeout())
	require.NoError(h.t, r.Close())
}

func serverOneAfterTheOther(h *house) {
	node := h.node(core.NodeOptions{})
	h.respond(node, echo)
	h.open()
	r := h.requester()
	for i := range 200 {
		value := fmt.Sprintf(`"%d"`, i)
		reply := h.ask(r, node, value)
		require.Equal(h.t, core.Answered.String(), reply.Outcome.String(), reply.Message)
		require.Equal(h.t, value, string(reply.Value))
	}
	require.NoError(h.t, r.Close())
}

// All are held before the first is answered, and each gets the answer to its own request.
func serverHeldAtOnce(h *house) {
	const n = 200
	node := h.node(core.NodeOptions{})
	requests := h.listen(node)
	h.open()
	visits, arrived := make([]*visit, n), make([]*mem.Request, n)
	for i := range visits {
		visits[i] = h.visit(node, fmt.Sprintf(`"requester %d"`, i))
	}
	for i := range arrived {
		arrived[i] = receive(h.t, requests, fmt.Sprint("request ", i, " of ", n, " that are held at once"))
	}
	require.Equal(h.t, n, h.engine.Held())
	rand.Shuffle(n, func(i, j int) { arrived[i], arrived[j] = arrived[j], arrived[i] })
	for _, r := range arrived {
		require.NoError(h.t, echo(r))
	}
	for i, v := range visits {
		require.Equal(h.t, fmt.Sprintf(`"requester %d"`, i), string(v.wait(h.t, core.Answered).Value))
	}
}

func serverShedByLimit(h *house) {
	node := h.node(core.NodeOptions{MaxInFlight: 1})
	requests := h.listen(node)
	h.open()
	visits, arrived := h.hold(node, requests, 1)
	for range 3 {
		h.visit(node, `"too many"`).wait(h.t, core.Shed)
	}
	require.NoError(h.t, echo(arrived[0]))
	visits[0].wait(h.t, core.Answered)
	next := h.visit(node, `"there is room again"`)
	require.NoError(h.t, echo(receive(h.t, requests, "the next request")))
	next.wait(h.t, core.Answered)
}

// A requester that goes away ends its own transaction, within a second, and no other.
func serverRequesterGone(h *house) {
	node := h.node(core.NodeOptions{})
	requests := h.listen(node)
	h.open()
	visits, arrived := h.hold(node, requests, 3)
	began := time.Now()
	visits[1].cancel()
	h.nextEnd(core.Cancelled)
	requireWithin(h.t, began, time.Second, "from the requester's going to the end of its transaction")
	require.ErrorIs(h.t, receive(h.t, visits[1].result, "the request to return").err, context.Canceled)
	require.Equal(h.t, 2, h.engine.Held())
	for _, r := range arrived {
		require.NoError(h.t, echo(r))
	}
	visits[0].wait(h.t, core.Answered)
	visits[2].wait(h.t, core.Answered)
	require.EqualValues(h.t, 1, h.engine.Stats(node).Ended[core.Cancelled])
}

// shutdown drains engine and server side by side, as a process that is told to end does.
func (h *house) shutdown(ctx context.Context) (engine, server chan error) {
	h.t.Helper()
	now, cancel := context.WithCancel(ctx)
	cancel()
	// The engine refuses requests from here on; it does not wait.
	require.ErrorIs(h.t, h.engine.Drain(now), context.Canceled)
	engine, server = make(chan error, 1), make(chan error, 1)
	go func() { engine <- h.engine.Drain(ctx) }()
	go func() { server <- h.rig.Shutdown(ctx) }()
	return engine, server
}

// What is held is finished; who comes now is refused, by the server or by its absence.
func serverDrain(h *house) {
	node := h.node(core.NodeOptions{})
	requests := h.listen(node)
	h.open()
	visits, arrived := h.hold(node, requests, 20)
	engine, server := h.shutdown(h.ctx)
	h.requireRefused(node)
	for _, r := range arrived {
		require.NoError(h.t, echo(r))
	}
	for _, v := range visits {
		v.wait(h.t, core.Answered)
	}
	require.NoError(h.t, receive(h.t, engine, "the engine to be drained"))
	require.NoError(h.t, receive(h.t, server, "the server to be shut down"))
	require.NoError(h.t, h.rig.Close())
	require.Empty(h.t, requests, "a request was published while draining")
}

func (h *house) requireRefused(node *core.Node) {
	h.t.Helper()
	r, err := h.rig.Requester()
	if err != nil {
		return // nobody listens any more
	}
	ctx, cancel := context.WithTimeout(h.ctx, patience)
	defer cancel()
	reply, err := r.Request(ctx, node, []byte(`"refused"`))
	require.NotErrorIs(h.t, err, context.DeadlineExceeded, "a request is held while draining")
	if err == nil {
		require.Equal(h.t, core.Shutdown.String(), reply.Outcome.String(), reply.Message)
	}
	require.NoError(h.t, r.Close())
}

// When the drain time is over the engine is closed; requesters are told so.
func serverDrainTimeOver(h *house) {
	node := h.node(core.NodeOptions{})
	requests := h.listen(node)
	h.open()
	visits, _ := h.hold(node, requests, 5)
	ctx, cancel := context.WithCancel(h.ctx)
	engine, server := h.shutdown(ctx)
	cancel()
	require.ErrorIs(h.t, receive(h.t, engine, "the engine to give up draining"), context.Canceled)
	receive(h.t, server, "the server to give up waiting") // its error depends on who was first
	require.NoError(h.t, h.engine.Close())
	for _, v := range visits {
		v.wait(h.t, core.Shutdown)
	}
}

func serverEngineClosed(h *house) {
	node := h.node(core.NodeOptions{})
	requests := h.listen(node)
	h.open()
	visits, _ := h.hold(node, requests, 5)
	require.NoError(h.t, h.engine.Close())
	for _, v := range visits {
		v.wait(h.t, core.Shutdown)
	}
	h.visit(node, `"afterwards"`).wait(h.t, core.Shutdown)
}

// Closing the server at once is going away for all its requesters.
func serverClosed(h *house) {
	node := h.node(core.NodeOptions{})
	requests := h.listen(node)
	h.open()
	visits, arrived := h.hold(node, requests, 5)
	closed := make(chan error, 1)
	go func() { closed <- h.rig.Close() }()
	require.NoError(h.t, receive(h.t, closed, "the server to close"))
	for _, v := range visits {
		require.Error(h.t, receive(h.t, v.result, "the request to return").err)
	}
	for range visits {
		h.nextEnd(core.Cancelled)
	}
	require.Zero(h.t, h.engine.Held())
	for _, r := range arrived {
		require.NoError(h.t, echo(r)) // late, harms nobody
	}
	require.NoError(h.t, h.rig.Close(), "closing again does nothing")
}
