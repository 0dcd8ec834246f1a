package mqtt

import (
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

func allow(change func(*packets.Properties)) func(*packets.Connect) *packets.Connack {
	return func(*packets.Connect) *packets.Connack {
		p := &packets.Properties{}
		change(p)
		return accepted(p)
	}
}

// TestReceiveMaximum: of QoS 1 and 2 only so many are on their way; the others wait.
func TestReceiveMaximum(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		s := newScripted(t, func(s *scripted) {
			s.connack = allow(func(p *packets.Properties) { two := uint16(2); p.ReceiveMaximum = &two })
		})
		g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: qos, Timeout: time.Minute}, core.NodeOptions{Topic: "b"})
		g.start()
		answers, publisher := s.pair()
		for _, value := range []string{`1`, `2`, `3`} {
			g.begin(0, value)
		}
		first, second := next[*packets.Publish](publisher), next[*packets.Publish](publisher)
		require.Equal(t, qos, first.QoS)
		require.NotEqual(t, first.PacketID, second.PacketID)
		_, done := g.begin(1, `"QoS 0 passes"`)
		other := next[*packets.Publish](publisher)
		require.Equal(t, "b/treq", other.Topic)
		answers.answer(other, `1`)
		g.end(done, core.Answered)
		if qos == 1 {
			publisher.acknowledge(packets.PUBACK, second.PacketID, 0x10)
		} else {
			publisher.acknowledge(packets.PUBREC, second.PacketID, 0)
			require.Equal(t, second.PacketID, next[*packets.Pubrel](publisher).PacketID)
			require.Empty(t, publisher.in)
			publisher.acknowledge(packets.PUBCOMP, second.PacketID, 0)
		}
		require.Contains(t, string(next[*packets.Publish](publisher).Payload), `"value":3`)
		publisher.acknowledge(packets.PUBACK, 999, 0x80) // nobody's
	}
}

// TestBrokerRefusesRequest: PUBACK and PUBREC with a failure end it as not published.
func TestBrokerRefusesRequest(t *testing.T) {
	for qos, kind := range map[byte]byte{1: packets.PUBACK, 2: packets.PUBREC} {
		s := newScripted(t, func(s *scripted) {
			s.connack = allow(func(p *packets.Properties) { one := uint16(1); p.ReceiveMaximum = &one })
		})
		g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: qos})
		g.start()
		answers, publisher := s.pair()
		_, done := g.begin(0, `1`)
		publisher.acknowledge(kind, next[*packets.Publish](publisher).PacketID, 0x97)
		r := g.end(done, core.NotPublished)
		require.Contains(t, r.Message, "broker refused the request: quota exceeded (0x97)")
		require.True(t, r.RetrySafe())
		require.NoError(t, g.bus.PublishMessage(Message{Topic: "m", QoS: qos}))
		publisher.acknowledge(kind, next[*packets.Publish](publisher).PacketID, 0x87)
		_, done = g.begin(0, `2`)
		answers.answer(next[*packets.Publish](publisher), `3`)
		g.end(done, core.Answered)
		require.EqualValues(t, 1, g.bus.Stats().Dropped)
		// It is told once its place is free again, for the request above.
		require.Eventually(t, func() bool { return strings.Contains(g.log.String(), "the broker refused a message") }, patience, time.Millisecond)
	}
}

// TestExpiredIsNotSent: what ended while it waited is not sent when its turn comes.
func TestExpiredIsNotSent(t *testing.T) {
	s := newScripted(t, func(s *scripted) {
		s.connack = allow(func(p *packets.Properties) { one := uint16(1); p.ReceiveMaximum = &one })
	})
	g := newGateway(t, Options{URL: s.url()},
		core.NodeOptions{Topic: "a", QoS: 1, Timeout: time.Minute},
		core.NodeOptions{Topic: "b", QoS: 1, Timeout: 50 * time.Millisecond})
	g.start()
	_, publisher := s.pair()
	g.begin(0, `1`)
	first := next[*packets.Publish](publisher)
	_, expires := g.begin(1, `2`)
	cancelled, done := g.begin(0, `3`)
	g.begin(0, `4`)
	require.Equal(t, "the request could not be published in time", g.end(expires, core.NotPublished).Message)
	require.True(t, g.engine.Cancel(cancelled))
	g.end(done, core.Cancelled)
	publisher.acknowledge(packets.PUBACK, first.PacketID, 0)
	require.Contains(t, string(next[*packets.Publish](publisher).Payload), `"value":4`)
	require.EqualValues(t, 2, g.bus.Stats().Expired)
}

// TestBacklogSheds: what waits is bounded, and what has expired makes room.
func TestBacklogSheds(t *testing.T) {
	s := newScripted(t, func(s *scripted) {
		s.connack = allow(func(p *packets.Properties) { one := uint16(1); p.ReceiveMaximum = &one })
	})
	g := newGateway(t, Options{URL: s.url(), Backlog: minBacklog},
		core.NodeOptions{Topic: "a", QoS: 1, Timeout: time.Minute},
		core.NodeOptions{Topic: "b", QoS: 1, Timeout: 100 * time.Millisecond},
		core.NodeOptions{Topic: "c", Timeout: time.Minute})
	g.start()
	_, publisher := s.pair()
	g.begin(0, `1`)
	next[*packets.Publish](publisher)
	big := `"` + strings.Repeat("x", minBacklog/2) + `"`
	_, first := g.begin(1, big)
	_, second := g.begin(1, big)
	_, third := g.begin(0, `1`)
	shed := g.end(third, core.Shed).Message
	require.Contains(t, shed, "bytes wait to be written to the broker")
	s.requireSecret(shed)
	require.ErrorIs(t, g.bus.PublishMessage(Message{Topic: "m"}), core.ErrShed)
	require.Greater(t, g.bus.Stats().BacklogBytes, int64(minBacklog))
	g.end(first, core.NotPublished)
	g.end(second, core.NotPublished)
	_, fourth := g.begin(0, `2`)
	require.Empty(t, fourth)
	_, fifth := g.begin(2, `3`)
	require.Contains(t, string(next[*packets.Publish](publisher).Payload), `"value":3`)
	require.Empty(t, fifth)
	require.EqualValues(t, 2, g.bus.Stats().Expired)
}

// TestBrokersLimits: what the broker said in its CONNACK that it does not take is not sent.
func TestBrokersLimits(t *testing.T) {
	for name, c := range map[string]struct {
		allow func(*packets.Properties)
		node  core.NodeOptions
		value string
		want  string
	}{
		"packet": {func(p *packets.Properties) { n := uint32(1000); p.MaximumPacketSize = &n }, core.NodeOptions{}, `"` + strings.Repeat("x", 1000) + `"`, "takes 1000"},
		"qos":    {func(p *packets.Properties) { n := byte(0); p.MaximumQOS = &n }, core.NodeOptions{QoS: 1}, `1`, "allows QoS 0 at most, this is QoS 1"},
		"retain": {func(p *packets.Properties) { n := byte(0); p.RetainAvailable = &n }, core.NodeOptions{Retain: true}, `1`, "does not allow retained messages"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(t, func(s *scripted) { s.connack = allow(c.allow) })
			c.node.Topic = "a"
			g := newGateway(t, Options{URL: s.url()}, c.node, core.NodeOptions{Topic: "b"})
			g.start()
			_, publisher := s.pair()
			_, done := g.begin(0, c.value)
			detail := g.end(done, core.NotPublished).Message
			require.Contains(t, detail, c.want)
			s.requireSecret(detail)
			g.begin(1, `"small"`)
			require.Contains(t, string(next[*packets.Publish](publisher).Payload), "small", "nothing else was sent")
		})
	}
}

// TestWildcardsNotSupported: the broker said before that it would refuse.
func TestWildcardsNotSupported(t *testing.T) {
	s := newScripted(t, func(s *scripted) {
		s.connack = allow(func(p *packets.Properties) { n := byte(0); p.WildcardSubAvailable, p.SubIDAvailable = &n, &n })
	})
	g := newGateway(t, Options{URL: s.url()})
	require.NoError(t, g.bus.Subscribe("a", 0, func(Message) {}))
	require.NoError(t, g.bus.Subscribe("a/+", 0, func(Message) {}))
	go g.bus.Start(t.Context())
	g.until(func() bool { return g.bus.Stats().RefusedSubscriptions == 1 })
	require.False(t, g.bus.Ready())
	g.untilLogged("does not support wildcards")
}

func TestPublishMessage(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()})
	g.start()
	_, publisher := s.pair()
	payload := []byte("1")
	require.NoError(t, g.bus.PublishMessage(Message{Topic: "t/1", Payload: payload, QoS: 1, Retain: true, ContentType: "text/plain"}))
	payload[0] = '2' // it was copied
	p := next[*packets.Publish](publisher)
	require.Equal(t, "t/1", p.Topic)
	require.Equal(t, "1", string(p.Payload))
	require.EqualValues(t, 1, p.QoS)
	require.True(t, p.Retain)
	require.Equal(t, "text/plain", p.Properties.ContentType)
	for want, m := range map[string]Message{
		"wildcard":          {Topic: "t/+"},
		"is empty":          {},
		"want 0, 1 or 2":    {Topic: "t", QoS: 3},
		"control character": {Topic: "t", ContentType: "a\x01"},
	} {
		require.ErrorContains(t, g.bus.PublishMessage(m), want)
	}
	require.ErrorContains(t, g.bus.Subscribe("a/#/b", 0, nil), "last level")
	require.ErrorContains(t, g.bus.Subscribe("a", 3, nil), "want 0, 1 or 2")
}

// TestSubscribeRaisesQoS: two handlers of one filter share a subscription with the higher QoS.
func TestSubscribeRaisesQoS(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url(), ClientID: "gw"})
	got := make(chan int, 10)
	require.NoError(t, g.bus.Subscribe("t", 0, func(Message) { got <- 1 }))
	g.start()
	listener := s.named("gw-sub")
	require.Zero(t, next[*packets.Subscribe](listener).Subscriptions[0].QoS)
	require.NoError(t, g.bus.Subscribe("t", 1, func(Message) { got <- 2 }))
	require.EqualValues(t, 1, next[*packets.Subscribe](listener).Subscriptions[0].QoS)
	g.start()
	listener.publish(&packets.Publish{Topic: "t"})
	require.Equal(t, 1, receive(t, got))
	require.Equal(t, 2, receive(t, got))
}
