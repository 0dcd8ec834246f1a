package broker

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// gateway is flowsync's engine on a bus to a scripted broker.
type gateway struct {
	t      testing.TB
	engine *core.Engine
	node   *core.Node
}

// results is a completer.
type results chan core.Result

func (r results) Complete(result core.Result) {
	result.Value = bytes.Clone(result.Value)
	r <- result
}

func newGateway(t testing.TB, b *Broker, o core.NodeOptions) *gateway {
	bus, err := mqtt.Dial(mqtt.Options{URL: "mqtt://" + b.Addr(), ClientID: "gateway", Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(t, err)
	engine, err := core.New(bus, core.Options{})
	require.NoError(t, err)
	o.Name, o.Topic = "press", "press"
	node, err := engine.AddNode(o)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, bus.Start(ctx))
	t.Cleanup(func() {
		require.NoError(t, engine.Close())
		gone, cancel := context.WithCancel(context.Background())
		cancel() // do not flush
		bus.Close(gone)
	})
	return &gateway{t: t, engine: engine, node: node}
}

// begin begins a transaction.
func (g *gateway) begin() results {
	done := make(results, 1)
	g.engine.Begin(&core.Call{Node: g.node, Value: []byte(`"question"`)}, done)
	return done
}

// end waits for the end of a transaction.
func (g *gateway) end(from results, want core.Outcome) core.Result {
	g.t.Helper()
	select {
	case r := <-from:
		require.Equal(g.t, want, r.Outcome, "%s", r.Message)
		return r
	case <-time.After(patience):
		require.FailNow(g.t, "it has not ended")
		panic("unreachable")
	}
}

// responder subscribes to the requests.
func responder(t testing.TB, b *Broker) *peer {
	p, _ := connect(t, b, "responder", nil)
	p.subscribe(0, packets.SubOptions{Topic: "+/treq", QoS: 1})
	return p
}

// answers gives one request its own value back.
func (p *peer) answers() {
	p.t.Helper()
	m := hear[*packets.Publish](p)
	require.Equal(p.t, "press/tres", m.Properties.ResponseTopic)
	p.publish("press/tres", string(m.Payload), 0, nil)
}

func TestGatewayOnThisBroker(t *testing.T) {
	for qos := range byte(3) {
		b := newBroker(t, Options{})
		g := newGateway(t, b, core.NodeOptions{QoS: qos})
		r := responder(t, b)
		for range 10 {
			done := g.begin()
			r.answers()
			require.JSONEq(t, `"question"`, string(g.end(done, core.Answered).Value))
		}
	}
}

func TestGatewayIsRefused(t *testing.T) {
	b := newBroker(t, Options{})
	g := newGateway(t, b, core.NodeOptions{QoS: 1})
	b.Act(Rule{On: Publish, Topic: "press/treq", Do: Refuse, Reason: 0x97})
	r := g.end(g.begin(), core.NotPublished)
	require.True(t, r.RetrySafe())
}

func TestGatewayIsNotAnswered(t *testing.T) {
	b := newBroker(t, Options{})
	g := newGateway(t, b, core.NodeOptions{QoS: 1, Timeout: 50 * time.Millisecond})
	b.Act(Rule{On: Publish, Topic: "press/treq", Do: Silent})
	g.end(g.begin(), core.Timeout)
}

func TestGatewayGetsAnAnswerTwice(t *testing.T) {
	b := newBroker(t, Options{})
	g := newGateway(t, b, core.NodeOptions{})
	r := responder(t, b)
	b.Act(Rule{On: Deliver, Client: "gateway", Do: Twice})
	done := g.begin()
	r.answers()
	g.end(done, core.Answered)
	require.Eventually(t, func() bool { return g.engine.Stats(g.node).Answers[core.Duplicate] == 1 }, patience, time.Millisecond)
}

// An answer that comes while the gateway is away is there when it is back.
func TestGatewayComesBack(t *testing.T) {
	b := newBroker(t, Options{})
	g := newGateway(t, b, core.NodeOptions{Timeout: patience})
	r := responder(t, b)
	done := g.begin()
	m := hear[*packets.Publish](r)
	require.Equal(t, 1, b.Disconnect("gateway", packets.DisconnectSessionTakenOver))
	r.publish("press/tres", string(m.Payload), 1, nil)
	hear[*packets.Puback](r)
	g.end(done, core.Answered)
}
