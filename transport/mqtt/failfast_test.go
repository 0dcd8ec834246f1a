package mqtt

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// pass acknowledges the probe of a node that fails fast.
func (c *client) pass(reason byte) *packets.Publish {
	c.t.Helper()
	p := next[*packets.Publish](c)
	require.Contains(c.t, p.Topic, probeSuffix)
	c.acknowledge(packets.PUBACK, p.PacketID, reason)
	return p
}

// TestFailFast: when the broker says that nobody is subscribed the request ends, and its place in
// the window is free again.
func TestFailFast(t *testing.T) {
	s := newScripted(t, func(s *scripted) {
		s.connack = allow(func(p *packets.Properties) { one := uint16(1); p.ReceiveMaximum = &one })
	})
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 1, FailFast: true, Timeout: time.Minute})
	g.start()
	answers, publisher := s.pair()
	publisher.pass(0)
	for n := range uint64(3) {
		_, done := g.begin(0, `1`)
		publisher.acknowledge(packets.PUBACK, next[*packets.Publish](publisher).PacketID, 0x10)
		r := g.end(done, core.NoSubscriber)
		require.Equal(t, "no responder is subscribed to a/treq", r.Message)
		require.True(t, r.RetrySafe())
		require.Equal(t, n+1, g.bus.Stats().NoSubscriber)
	}
	require.Equal(t, Reported, g.bus.Broker().NoSubscriber, "now it is known")
	_, done := g.begin(0, `2`)
	request := next[*packets.Publish](publisher)
	publisher.acknowledge(packets.PUBACK, request.PacketID, 0)
	answers.answer(request, `3`)
	g.end(done, core.Answered)
}

// TestFailFastWithQoS2: PUBREC says it too, and the exchange goes on.
func TestFailFastWithQoS2(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 2, Timeout: time.Minute})
	g.failFast(0)
	g.start()
	_, publisher := s.pair()
	_, done := g.begin(0, `1`)
	id := next[*packets.Publish](publisher).PacketID
	publisher.acknowledge(packets.PUBREC, id, 0x10)
	g.end(done, core.NoSubscriber)
	require.Equal(t, id, next[*packets.Pubrel](publisher).PacketID)
	publisher.acknowledge(packets.PUBCOMP, id, 0)
	c, err := g.bus.publishers[0].connection()
	require.NoError(t, err)
	require.NoError(t, c.drain(t.Context()))
}

// failFast has a node fail fast that may not be configured like that.
func (g *gateway) failFast(node int) {
	rt, ok := g.bus.routes.Load(g.engine.Nodes()[node])
	require.True(g.t, ok)
	rt.unheard = core.ErrNoSubscriber
}

// TestFailFastIsAskedFor: without it, and where a later subscriber is given the request, what the
// broker says ends nothing. It is counted.
func TestFailFastIsAskedFor(t *testing.T) {
	for _, o := range []core.NodeOptions{{QoS: 1}, {QoS: 1, Retain: true, FailFast: true}} {
		s := newScripted(t)
		o.Topic, o.Timeout = "a", time.Minute
		g := newGateway(t, Options{URL: s.url()}, o)
		g.start()
		answers, publisher := s.pair()
		if o.FailFast {
			publisher.pass(0)
		}
		_, done := g.begin(0, `1`)
		request := next[*packets.Publish](publisher)
		publisher.acknowledge(packets.PUBACK, request.PacketID, 0x10)
		g.until(func() bool { return g.bus.Stats().NoSubscriber == 1 })
		require.Empty(t, done)
		answers.answer(request, `2`)
		g.end(done, core.Answered)
	}
}

// TestFailFastAfterWaiting: a request that has waited for the broker ends at once too when its responders
// are not back yet. Without failFast it was handed over, and may have been done: timeout.
func TestFailFastAfterWaiting(t *testing.T) {
	grant := make(chan struct{})
	permit := sync.OnceFunc(func() { close(grant) })
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 1, FailFast: true, Wait: true, Timeout: time.Minute},
		core.NodeOptions{Topic: "b", QoS: 1, Wait: true, Timeout: 3 * time.Second})
	t.Cleanup(permit)
	g.start()
	_, publisher := s.pair()
	publisher.pass(0x10)
	s.script(func(s *scripted) { s.suback = func(string) byte { <-grant; return 1 } })
	s.dropAll()
	answers, publisher := s.pair()
	next[*packets.Subscribe](answers)
	_, fails := g.begin(0, `1`)
	_, hangs := g.begin(1, `1`)
	require.EqualValues(t, 2, g.bus.Stats().Waiting)
	require.Empty(t, fails)
	permit()
	for range 3 {
		publisher.acknowledge(packets.PUBACK, next[*packets.Publish](publisher).PacketID, 0x10) // the probe, and both
	}
	r := g.end(fails, core.NoSubscriber)
	require.True(t, r.RetrySafe())
	require.Less(t, r.Elapsed, time.Minute/2)
	r = g.end(hangs, core.Timeout)
	require.False(t, r.RetrySafe())
	require.EqualValues(t, 2, g.bus.Stats().NoSubscriber)
}

// TestAnswerBeforePuback: who answers faster than the broker acknowledges has answered, whatever
// the broker says then.
func TestAnswerBeforePuback(t *testing.T) {
	for _, reason := range []byte{0x10, 0x97} {
		s := newScripted(t)
		g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 1, FailFast: true, Timeout: time.Minute})
		g.start()
		answers, publisher := s.pair()
		publisher.pass(0)
		_, done := g.begin(0, `1`)
		request := next[*packets.Publish](publisher)
		answers.answer(request, `2`)
		require.Equal(t, `2`, string(g.end(done, core.Answered).Value))
		publisher.acknowledge(packets.PUBACK, request.PacketID, reason)
		g.until(func() bool { return g.bus.Stats().NoSubscriber+g.bus.Stats().RefusedRequests == 1 })
		ended := g.engine.Stats(g.engine.Nodes()[0]).Ended
		require.EqualValues(t, 1, ended[core.Answered])
		require.Zero(t, ended[core.NoSubscriber]+ended[core.NotPublished])
	}
}

// TestRefusedRequests: each reason that PUBACK and PUBREC may have is named, counted, logged, and
// says that the request was not published.
func TestRefusedRequests(t *testing.T) {
	reasons := []byte{0x80, 0x83, 0x87, 0x90, 0x91, 0x93, 0x97, 0x99, 0xf7}
	for kind, qos := range map[byte]byte{packets.PUBACK: 1, packets.PUBREC: 2} {
		s := newScripted(t)
		g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: qos, Timeout: time.Minute})
		g.start()
		_, publisher := s.pair()
		for i, reason := range reasons {
			_, done := g.begin(0, `1`)
			publisher.acknowledge(kind, next[*packets.Publish](publisher).PacketID, reason)
			r := g.end(done, core.NotPublished)
			require.Contains(t, r.Message, fmt.Sprintf("(0x%02x)", reason))
			require.True(t, r.RetrySafe())
			require.EqualValues(t, i+1, g.bus.Stats().RefusedRequests)
		}
		g.untilLogged("the broker refused a request")
		require.True(t, g.bus.Ready(), "the connection is none the worse for it")
	}
}
