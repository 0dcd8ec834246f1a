package embedded

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// A request of a node that fails fast ends at once when nobody is subscribed to it, and is not
// handed over; as soon as somebody is, whoever that is, it waits for the answer.
func TestFailFast(t *testing.T) {
	for name, subscribe := range map[string]func(*gateway) func(){
		"client": func(g *gateway) func() {
			w := g.dial("responder", true)
			w.subscribe("a/#", 0)
			return func() { w.conn.Close() }
		},
		"share group": func(g *gateway) func() {
			w := g.dial("responder", true)
			w.subscribe("$share/g/a/treq", 1)
			return func() { w.conn.Close() }
		},
		"handler": func(g *gateway) func() {
			require.NoError(g.t, g.broker.Subscribe("$share/g/+/treq", 0, func(mqtt.Message) {}))
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, Options{}, core.NodeOptions{QoS: 1, FailFast: true})
			refused := uint64(0)
			fails := func() {
				_, done := g.begin(`1`)
				r := g.end(done, core.NoSubscriber)
				require.Equal(t, "no responder is subscribed to a/treq", r.Message)
				require.False(t, r.Sent)
				require.True(t, r.RetrySafe())
				refused++
				require.Equal(t, refused, g.broker.Stats().NoSubscriber)
			}
			fails()
			g.dial("elsewhere", true).subscribe("a/tres", 1)
			fails()
			leave := subscribe(g)
			id, done := g.begin(`1`)
			require.Empty(t, done)
			require.True(t, g.engine.Cancel(id))
			if leave != nil {
				leave()
				g.until(func() bool { return g.broker.Stats().Clients == 1 })
				fails()
			}
		})
	}
}

// A session that keeps requests of QoS 1 for who is away counts, one that does not keep them does not.
func TestFailFastAndSessions(t *testing.T) {
	for qos, want := range map[byte]core.Outcome{0: core.NoSubscriber, 1: core.Answered} {
		g := newGateway(t, Options{}, core.NodeOptions{QoS: 1, FailFast: true})
		w := g.dial("away", false)
		w.subscribe("a/treq", qos)
		w.conn.Close()
		g.until(func() bool { return g.broker.Stats().Clients == 0 })
		_, done := g.begin(`1`)
		w = g.dial("away", false)
		if qos == 1 {
			_, request := w.message()
			w.publish(0, "a/tres", answerTo(request, `2`))
		}
		g.end(done, want)
	}
}

// What is retained may be read later, and a node that does not fail fast is not looked after.
func TestFailFastIsAskedFor(t *testing.T) {
	for _, o := range []core.NodeOptions{{QoS: 1, FailFast: true, Retain: true}, {QoS: 1}, {}} {
		g := newGateway(t, Options{}, o)
		_, done := g.begin(`1`)
		require.Empty(t, done)
		require.Zero(t, g.broker.Stats().NoSubscriber)
	}
}

func TestBrokerInfo(t *testing.T) {
	g := newGateway(t, Options{MaxPacket: 5000}, core.NodeOptions{})
	require.Equal(t, mqtt.BrokerInfo{
		Version: "5", ReceiveMaximum: receiveMaximum, MaxPacket: 5000, MaxQoS: 2,
		Retain: true, Wildcards: true, SharedSubscriptions: true, SubscriptionIdentifiers: true, NoSubscriber: mqtt.Reported,
	}, g.broker.Broker())
}
