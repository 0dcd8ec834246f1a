package mqtt

import (
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// modest is a broker that can do less than it might.
func modest(p *packets.Properties) {
	no, one, few, small := byte(0), byte(1), uint16(20), uint32(5000)
	p.ReceiveMaximum, p.MaximumPacketSize, p.MaximumQOS, p.RetainAvailable = &few, &small, &one, &no
	p.WildcardSubAvailable, p.SubIDAvailable, p.SharedSubAvailable = &no, &no, &no
}

// TestBrokerInfo is what CONNACK says, once, in the log too. Without a node that fails fast nothing
// is published to find out more.
func TestBrokerInfo(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 1})
	require.Zero(t, g.bus.Broker())
	g.start()
	_, publisher := s.pair()
	full := BrokerInfo{Version: "5", ReceiveMaximum: 65535, MaxQoS: 2, Retain: true, Wildcards: true, SharedSubscriptions: true, SubscriptionIdentifiers: true}
	require.Equal(t, full, g.bus.Broker())
	g.begin(0, `1`)
	require.Equal(t, "a/treq", next[*packets.Publish](publisher).Topic)
	const line = "what the broker can do"
	require.Equal(t, 1, strings.Count(g.log.String(), line))
	require.Contains(t, g.log.String(), `reports_no_subscriber="not known"`)
	require.NotContains(t, g.log.String(), "WARN")

	s.dropAll()
	s.pair()
	g.start()
	require.Equal(t, 1, strings.Count(g.log.String(), line), "it is the same as before")
	s.script(func(s *scripted) { s.connack = allow(modest) })
	s.dropAll()
	s.pair()
	g.start()
	require.Equal(t, BrokerInfo{Version: "5", ReceiveMaximum: 20, MaxPacket: 5000, MaxQoS: 1}, g.bus.Broker())
	require.Equal(t, 2, strings.Count(g.log.String(), line))
}

// TestProbe asks on a topic that nobody is subscribed to what the broker says then.
func TestProbe(t *testing.T) {
	for reason, want := range map[byte]struct {
		report Report
		word   string
		warns  bool
	}{
		0x10: {Reported, "reports_no_subscriber=yes", false},
		0x00: {NotSeen, `reports_no_subscriber="not seen"`, true},
		0x87: {Refused, "reports_no_subscriber=refused", true},
	} {
		s := newScripted(t)
		g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"}, core.NodeOptions{Topic: "plant/b", QoS: 1, FailFast: true})
		g.start()
		answers, publisher := s.pair()
		require.Equal(t, Unknown, g.bus.Broker().NoSubscriber)
		p := publisher.pass(reason)
		require.Equal(t, "plant/b/probe", p.Topic)
		require.Empty(t, p.Payload)
		require.EqualValues(t, 1, p.QoS)
		require.False(t, p.Retain)
		require.EqualValues(t, 1, *p.Properties.MessageExpiry)
		g.until(func() bool { return g.bus.Broker().NoSubscriber == want.report })
		g.untilLogged(want.word)
		if want.warns {
			g.untilLogged("failFast may have no effect")
			require.Contains(t, g.log.String(), "nodes=plant/b count=1")
		} else {
			require.NotContains(t, g.log.String(), "WARN")
		}
		_, done := g.begin(1, `1`)
		request := next[*packets.Publish](publisher)
		publisher.acknowledge(packets.PUBACK, request.PacketID, 0)
		answers.answer(request, `2`)
		g.end(done, core.Answered)
		require.Zero(t, g.bus.Stats().Dropped+g.bus.Stats().NoSubscriber+g.bus.Stats().RefusedRequests, "the probe is not counted")
	}
}

// TestDoubts: what nodes ask for and the broker cannot do is told once for all of them, and to a
// node that comes later.
func TestDoubts(t *testing.T) {
	s := newScripted(t, func(s *scripted) { s.connack = allow(modest) })
	var nodes []core.NodeOptions
	for _, name := range strings.Split("a b c d e f g", " ") {
		nodes = append(nodes, core.NodeOptions{Topic: name, QoS: 2})
	}
	g := newGateway(t, Options{URL: s.url()}, nodes...)
	g.start()
	log := g.log.String()
	require.Contains(t, log, `the broker does not allow their QoS" broker=`+s.url()+` nodes="a, b, c, d, e" count=7`)
	require.Contains(t, log, "takes only small packets")
	require.NotContains(t, log, "retained")
	_, err := g.engine.AddNode(core.NodeOptions{Name: "late", Topic: "late", Retain: true})
	require.NoError(t, err)
	require.Contains(t, g.log.String(), `does not allow retained messages" broker=`+s.url()+` nodes=late count=1`)
}

// TestProbeEndsTheConnection: some brokers end the connection of who publishes where he may not. The
// probe must not keep the gateway from its work.
func TestProbeEndsTheConnection(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 1, FailFast: true, Timeout: time.Minute})
	g.start()
	for range maxUnanswered {
		_, publisher := s.pair()
		require.Equal(t, "a/probe", next[*packets.Publish](publisher).Topic)
		s.dropAll()
	}
	answers, publisher := s.pair()
	g.start()
	require.Equal(t, Refused, g.bus.Broker().NoSubscriber)
	g.untilLogged("the probe is given up")
	g.untilLogged("failFast may have no effect")
	_, done := g.begin(0, `1`)
	answers.answer(publisher.requireValues("1"), `2`)
	g.end(done, core.Answered)
	for range 2 { // it stays given up, also when a request shows that the broker reports it
		s.dropAll()
		_, publisher = s.pair()
		g.start()
		_, done = g.begin(0, `3`)
		publisher.acknowledge(packets.PUBACK, publisher.requireValues("3").PacketID, 0x10)
		g.end(done, core.NoSubscriber)
		g.until(func() bool { return g.bus.Broker().NoSubscriber == Reported })
	}
}

// TestProbeIsNotPossible: a broker without QoS 1 cannot say it.
func TestProbeIsNotPossible(t *testing.T) {
	s := newScripted(t, func(s *scripted) {
		s.connack = allow(func(p *packets.Properties) { none := byte(0); p.MaximumQOS = &none })
	})
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 1, FailFast: true}, core.NodeOptions{Topic: "b"})
	g.start()
	_, publisher := s.pair()
	g.untilLogged("the broker does not allow their QoS")
	require.Equal(t, Unknown, g.bus.Broker().NoSubscriber)
	g.begin(1, `1`)
	require.Equal(t, "b/treq", next[*packets.Publish](publisher).Topic)
}
