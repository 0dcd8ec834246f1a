package gateway

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/core"
)

// heldLink is a broker that keeps the rules of a node waiting, as slow rules would: Publish
// waits for the test.
type heldLink struct {
	link
	entered chan string // message
	proceed chan struct{}
	sink    core.Sink
}

func (l *heldLink) Bind(s core.Sink) { l.sink = s }

func (*heldLink) Attach(*core.Node) error { return nil }

func (l *heldLink) Publish(r *core.Request) error {
	l.entered <- string(r.AppendMessage(nil))
	<-l.proceed
	l.sink.Sent(r.ID)
	return nil
}

type rulesRig struct {
	*core.Engine
	t    *testing.T
	link *heldLink
	bus  *ruleBus
	node *core.Node
}

func newRulesRig(t *testing.T, timeout time.Duration) *rulesRig {
	l := &heldLink{entered: make(chan string, 100), proceed: make(chan struct{})}
	r := &rulesRig{t: t, link: l, bus: newRuleBus(l)}
	var err error
	r.Engine, err = core.New(r.bus, core.Options{MaxInFlight: 2 * queueItems})
	require.NoError(t, err)
	r.node, err = r.AddNode(core.NodeOptions{Name: "n", Topic: "t", Timeout: timeout})
	require.NoError(t, err)
	pipeline, err := compile([]rules.Spec{{Kind: "filter", Args: map[string]any{"expression": "true"}}}, true)
	require.NoError(t, err)
	r.bus.add(r.node, pipeline)
	t.Cleanup(func() { require.NoError(t, r.Engine.Close()) })
	return r
}

// ends collects how transactions end.
type ends struct {
	mu  sync.Mutex
	all map[core.Outcome]int
}

func (e *ends) Complete(r core.Result) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.all == nil {
		e.all = map[core.Outcome]int{}
	}
	e.all[r.Outcome]++
}

func (e *ends) count(o core.Outcome) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.all[o]
}

// TestSlowRules: while the rules of a node are slow, a requester's goroutine is not, deadlines
// hold, and what is over is not published; the others go in order.
func TestSlowRules(t *testing.T) {
	r := newRulesRig(t, time.Minute)
	var done ends
	value := []byte("1")
	r.Begin(&core.Call{Node: r.node, Value: value, Properties: []core.Property{{Name: "a"}}}, &done)
	require.Contains(t, receive(t, r.link.entered), `"value":1}`)
	r.Begin(&core.Call{Node: r.node, Value: value}, &done)
	value[0] = '9' // the queued request is a copy
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	short := r.Do(ctx, &core.Call{Node: r.node, Value: []byte("2"), Timeout: 20 * time.Millisecond})
	require.Equal(t, core.NotPublished, short.Outcome)
	require.NoError(t, ctx.Err())
	for i := range 10 {
		r.Begin(&core.Call{Node: r.node, Value: fmt.Append(nil, 10+i)}, &done)
	}
	close(r.link.proceed)
	require.Contains(t, receive(t, r.link.entered), `"value":1}`)
	for i := range 10 {
		require.Contains(t, receive(t, r.link.entered), fmt.Sprintf(`"value":%d}`, 10+i))
	}
	r.bus.stop()
}

// TestRulesQueueIsBounded: what does not fit is shed, and what waits at the end was not published.
func TestRulesQueueIsBounded(t *testing.T) {
	r := newRulesRig(t, time.Minute)
	var done ends
	r.Begin(&core.Call{Node: r.node}, &done)
	receive(t, r.link.entered)
	fit := queueBytes / (requestOverhead + 3000)
	for range fit + 5 {
		r.Begin(&core.Call{Node: r.node, Value: make([]byte, 3000)}, &done)
	}
	require.Equal(t, 5, done.count(core.Shed))
	stopped := make(chan struct{})
	go func() {
		r.bus.stop()
		close(stopped)
	}()
	require.Eventually(t, func() bool { return r.bus.requests[r.node].closing.Load() }, 5*time.Second, time.Millisecond)
	close(r.link.proceed)
	receive(t, stopped)
	require.Equal(t, fit, done.count(core.NotPublished))
	r.bus.stop()
	require.Equal(t, core.NotPublished, r.Do(context.Background(), &core.Call{Node: r.node}).Outcome)
}
