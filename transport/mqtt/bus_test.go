package mqtt

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

func TestRequestAndAnswer(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "plant/a"})
	g.start()
	require.True(t, g.bus.Ready())
	answers, publisher := s.pair()
	id, done := g.begin(0, `{"x":1}`)
	request := next[*packets.Publish](publisher)
	require.Equal(t, "plant/a/treq", request.Topic)
	require.Zero(t, request.QoS)
	require.False(t, request.Retain)
	require.Contains(t, string(request.Payload), `"value":{"x":1}`)
	p := request.Properties
	require.Equal(t, "plant/a/tres", p.ResponseTopic)
	require.Equal(t, id[:], p.CorrelationData)
	require.EqualValues(t, 2, *p.MessageExpiry)
	require.Equal(t, "application/json", p.ContentType)
	require.Len(t, p.User, 1)
	require.Equal(t, "flowsync-timeout-ms", p.User[0].Key)
	left, err := strconv.Atoi(p.User[0].Value)
	require.NoError(t, err)
	require.LessOrEqual(t, left, 2000)
	require.Greater(t, left, 1000)
	answers.answer(request, `"yes"`)
	require.Equal(t, `"yes"`, string(g.end(done, core.Answered).Value))
}

// TestAnswerByCorrelationData: the payload need not have an id.
func TestAnswerByCorrelationData(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
	g.start()
	answers, publisher := s.pair()
	_, done := g.begin(0, `1`)
	request := next[*packets.Publish](publisher)
	answers.publish(&packets.Publish{Topic: "a/tres", Payload: []byte(`{"value":2}`),
		Properties: &packets.Properties{CorrelationData: request.Properties.CorrelationData}})
	require.Equal(t, `2`, string(g.end(done, core.Answered).Value))
}

// TestTwoRoles: a request must never be sent again, an answer must survive a reconnect.
func TestTwoRoles(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url(), ClientID: "gw", Username: "u", Password: "p", KeepAlive: 7 * time.Second, MaxPacket: 4096, Connections: 2},
		core.NodeOptions{Topic: "a"})
	g.start()
	byID := map[string]*packets.Connect{}
	for range 3 {
		cp := receive(t, s.clients).connect
		byID[cp.ClientID] = cp
		require.EqualValues(t, 7, cp.KeepAlive)
		require.Equal(t, "u", cp.Username)
		require.Equal(t, "p", string(cp.Password))
		require.EqualValues(t, 4096, *cp.Properties.MaximumPacketSize)
		require.EqualValues(t, receiveMaximum, *cp.Properties.ReceiveMaximum)
		require.True(t, cp.CleanStart, "nothing of an earlier process is wanted")
	}
	require.EqualValues(t, 60, *byID["gw"].Properties.SessionExpiryInterval)
	for _, publisher := range []string{"gw-p0", "gw-p1"} {
		require.Nil(t, byID[publisher].Properties.SessionExpiryInterval, "absent means that it ends with the connection")
	}
}

// TestSubscribedBeforePublished: an answer must not get lost because it comes too early.
func TestSubscribedBeforePublished(t *testing.T) {
	asked, grant := make(chan string, 1), make(chan struct{})
	permit := sync.OnceFunc(func() { close(grant) })
	s := newScripted(t, func(s *scripted) {
		s.suback = func(filter string) byte {
			asked <- filter
			<-grant
			return 1
		}
	})
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
	t.Cleanup(permit)
	_, done := g.begin(0, `1`)
	require.Contains(t, g.end(done, core.NotPublished).Message, "the bus is not started")

	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan error)
	go func() { started <- g.bus.Start(ctx) }()
	answers, publisher := s.pair()
	require.Equal(t, "a/tres", receive(t, asked))
	g.until(func() bool { return g.bus.publishers[0].conn.Load() != nil })
	_, done = g.begin(0, `2`)
	detail := g.end(done, core.NotPublished).Message
	require.Contains(t, detail, `not yet subscribed to "a/tres"`)
	s.requireSecret(detail)
	require.False(t, g.bus.Ready())
	cancel()
	require.ErrorContains(t, receive(t, started), "not yet subscribed")

	permit()
	g.start()
	sub := next[*packets.Subscribe](answers)
	require.Equal(t, []packets.SubOptions{{Topic: "a/tres", QoS: 1, RetainHandling: 2}}, sub.Subscriptions)
	_, done = g.begin(0, `3`)
	request := next[*packets.Publish](publisher)
	require.Contains(t, string(request.Payload), `"value":3`, "nothing was published before")
	answers.answer(request, `4`)
	g.end(done, core.Answered)
}

// TestNodeAddedLater: its subscription is made without a reconnect.
func TestNodeAddedLater(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
	g.start()
	answers, _ := s.pair()
	next[*packets.Subscribe](answers)
	_, err := g.engine.AddNode(core.NodeOptions{Name: "b", Topic: "b"})
	require.NoError(t, err)
	require.Equal(t, "b/tres", next[*packets.Subscribe](answers).Subscriptions[0].Topic)
	g.start()
}

func TestAttachRefusesBadTopics(t *testing.T) {
	g := newGateway(t, Options{URL: "mqtt://localhost"})
	for _, topic := range []string{"a/+", "a/#", "a\x00b", "a\tb"} {
		_, err := g.engine.AddNode(core.NodeOptions{Name: topic, Topic: topic})
		require.ErrorContains(t, err, "topic", "%q", topic)
	}
	b, err := Dial(Options{URL: "mqtt://localhost"})
	require.NoError(t, err)
	other, err := core.New(&unbound{}, core.Options{})
	require.NoError(t, err)
	defer other.Close()
	node, err := other.AddNode(core.NodeOptions{Name: "n", Topic: "n"})
	require.NoError(t, err)
	require.ErrorContains(t, b.Attach(node), "not bound to an engine")
	require.ErrorIs(t, b.Publish(&core.Request{Node: node}), core.ErrNotSent)
	require.NoError(t, b.Close(t.Context()))
}

type unbound struct{}

func (*unbound) Publish(*core.Request) error { return nil }

// TestManyNodes: SUBSCRIBE packets are batched.
func TestManyNodes(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()})
	const nodes = 1000
	for i := range nodes {
		name := fmt.Sprintf("plant/line/%d", i)
		_, err := g.engine.AddNode(core.NodeOptions{Name: name, Topic: name})
		require.NoError(t, err)
	}
	g.start()
	answers, _ := s.pair()
	seen, packetCount := map[string]bool{}, 0
	for len(seen) < nodes {
		packetCount++
		for _, o := range next[*packets.Subscribe](answers).Subscriptions {
			require.False(t, seen[o.Topic])
			seen[o.Topic] = true
		}
	}
	require.Equal(t, (nodes+subscribeFilters-1)/subscribeFilters, packetCount)
}

// TestRefusedSubscription is loud, keeps the bus from being ready, and does not harm others.
func TestRefusedSubscription(t *testing.T) {
	s := newScripted(t, func(s *scripted) {
		s.suback = func(filter string) byte {
			if filter == "b/tres" {
				return 0x87
			}
			return 1
		}
	})
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"}, core.NodeOptions{Topic: "b"})
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan error)
	go func() { started <- g.bus.Start(ctx) }()
	answers, publisher := s.pair()
	g.until(func() bool { return g.bus.Stats().RefusedSubscriptions == 1 })
	g.until(func() bool { return g.bus.publishers[0].conn.Load() != nil })
	cancel()
	require.ErrorContains(t, receive(t, started), `refused the subscription to "b/tres": not authorized (0x87)`)
	require.False(t, g.bus.Ready())
	g.untilLogged("b/tres")

	_, done := g.begin(1, `1`)
	detail := g.end(done, core.NotPublished).Message
	require.Contains(t, detail, "not authorized (0x87)")
	s.requireSecret(detail)
	_, done = g.begin(0, `2`)
	answers.answer(next[*packets.Publish](publisher), `3`)
	g.end(done, core.Answered)

	s.script(func(s *scripted) { s.suback = nil })
	_, err := g.engine.AddNode(core.NodeOptions{Name: "c", Topic: "c"}) // whatever is missing is tried again
	require.NoError(t, err)
	g.start()
	g.untilLogged("now accepts the subscription")
}

// TestRetainedAnswerIsStale: with Retain As Published 0 only what is from before has the flag.
func TestRetainedAnswerIsStale(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
	g.start()
	answers, publisher := s.pair()
	_, done := g.begin(0, `1`)
	request := next[*packets.Publish](publisher)
	answers.publish(&packets.Publish{Topic: "a/tres", Retain: true, Payload: answerTo(request.Payload, `"old"`)})
	answers.answer(request, `"new"`)
	require.Equal(t, `"new"`, string(g.end(done, core.Answered).Value))
}

// TestAnswersAreAcknowledged: QoS 1 with PUBACK, QoS 2 with PUBREC and PUBCOMP; a repetition of
// a QoS 2 message is not delivered again.
func TestAnswersAreAcknowledged(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
	got := make(chan Message, 10)
	require.NoError(t, g.bus.Subscribe("t/+", 2, func(m Message) { got <- m }))
	g.start()
	listener := s.named(g.bus.listener.link.clientID)
	sub := next[*packets.Subscribe](listener)
	require.Equal(t, []packets.SubOptions{{Topic: "t/+", QoS: 2, RetainHandling: 1}}, sub.Subscriptions)
	require.Equal(t, 1, *sub.Properties.SubscriptionIdentifier)

	listener.publish(&packets.Publish{Topic: "t/1", QoS: 1, PacketID: 7, Retain: true, Properties: &packets.Properties{ContentType: "x"}})
	require.EqualValues(t, 7, next[*packets.Puback](listener).PacketID)
	require.Equal(t, Message{Topic: "t/1", Payload: []byte{}, QoS: 1, Retain: true, ContentType: "x"}, receive(t, got))

	for _, duplicate := range []bool{false, true} {
		listener.publish(&packets.Publish{Topic: "t/2", QoS: 2, PacketID: 8, Duplicate: duplicate})
		require.EqualValues(t, 8, next[*packets.Pubrec](listener).PacketID)
	}
	listener.acknowledge(packets.PUBREL, 8, 0)
	require.EqualValues(t, 8, next[*packets.Pubcomp](listener).PacketID)
	listener.publish(&packets.Publish{Topic: "t/3", QoS: 2, PacketID: 8})
	require.Equal(t, "t/2", receive(t, got).Topic)
	require.Equal(t, "t/3", receive(t, got).Topic)
}

// TestRepetitionsOfTheSameSession: what was delivered but not released is known after a
// reconnect as long as the broker has kept the session, and forgotten as soon as it has not,
// for the packet identifiers then begin anew. A refused CONNECT says nothing about the session.
func TestRepetitionsOfTheSameSession(t *testing.T) {
	for name, c := range map[string]struct {
		connacks []packets.Connack // of the connections that follow
		repeated bool
	}{
		"kept":          {[]packets.Connack{{SessionPresent: true}}, true},
		"kept, refused": {[]packets.Connack{{ReasonCode: 0x88}, {SessionPresent: true}}, true},
		"lost":          {[]packets.Connack{{}}, false},
		"lost, kept":    {[]packets.Connack{{}, {SessionPresent: true}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(t)
			g := newGateway(t, Options{URL: s.url()})
			got := make(chan string, 10)
			require.NoError(t, g.bus.Subscribe("t", 2, func(m Message) { got <- string(m.Payload) }))
			g.start()
			clientID := g.bus.listener.link.clientID
			listener := s.named(clientID)
			next[*packets.Subscribe](listener)
			deliver := func(payload string, duplicate bool) {
				listener.publish(&packets.Publish{Topic: "t", Payload: []byte(payload), QoS: 2, PacketID: 8, Duplicate: duplicate})
				for receive(t, listener.in).Type != packets.PUBREC {
				}
			}
			deliver("first", false)
			for i, connack := range c.connacks {
				s.script(func(s *scripted) {
					s.connack = func(cp *packets.Connect) *packets.Connack {
						answer := accepted(&packets.Properties{})
						if cp.ClientID == clientID {
							answer.SessionPresent, answer.ReasonCode = connack.SessionPresent, connack.ReasonCode
						}
						return answer
					}
				})
				if i == 0 || c.connacks[i-1].ReasonCode == 0 {
					s.dropAll()
				}
				if connack.ReasonCode != 0 {
					g.until(func() bool { return strings.Contains(g.log.String(), "server unavailable (0x88)") })
				} else {
					listener = s.named(clientID)
				}
			}
			deliver("second", true)
			deliver("third", false)
			require.Equal(t, "first", receive(t, got))
			if !c.repeated {
				require.Equal(t, "second", receive(t, got))
			}
			require.Equal(t, "third", receive(t, got))
		})
	}
}

// TestHandlersByIdentifier: a copy goes to the subscriptions that the broker names, or, when it
// names none, to all that match.
func TestHandlersByIdentifier(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
	got := make(chan string, 10)
	for _, filter := range []string{"t/#", "t/+"} {
		require.NoError(t, g.bus.Subscribe(filter, 0, func(m Message) { got <- filter + " " + m.Topic }))
	}
	deliver := func(ids ...uint32) {
		g.bus.listener.deliver(&delivery{topic: []byte("t/1"), subscriptions: ids})
	}
	deliver(2)
	require.Equal(t, "t/+ t/1", receive(t, got))
	deliver(1, 2)
	require.Equal(t, "t/# t/1", receive(t, got))
	require.Equal(t, "t/+ t/1", receive(t, got))
	deliver(3, 0) // of nobody
	deliver()
	require.Equal(t, "t/# t/1", receive(t, got))
	require.Equal(t, "t/+ t/1", receive(t, got))
	require.Empty(t, got)
}

// TestOrderOfOneNode: with several connections a node keeps to one.
func TestOrderOfOneNode(t *testing.T) {
	s := newScripted(t)
	const nodes, requests = 20, 50
	g := newGateway(t, Options{URL: s.url(), Connections: 4})
	for i := range nodes {
		name := fmt.Sprintf("n%d", i)
		_, err := g.engine.AddNode(core.NodeOptions{Name: name, Topic: name, QoS: byte(i % 2)})
		require.NoError(t, err)
	}
	g.start()
	for i := range requests {
		for n := range nodes {
			g.begin(n, fmt.Sprint(i))
		}
	}
	type arrival struct {
		connection int
		request    *packets.Publish
	}
	arrivals := make(chan arrival, nodes*requests)
	for range 1 + 4 {
		if c := receive(t, s.clients); c.connect.Properties.SessionExpiryInterval == nil {
			s.wg.Go(func() {
				for {
					select {
					case p := <-c.in:
						request, ok := p.Content.(*packets.Publish)
						if !ok { // DISCONNECT
							return
						}
						arrivals <- arrival{c.RemoteAddr().(*net.TCPAddr).Port, request}
						if request.QoS > 0 {
							c.acknowledge(packets.PUBACK, request.PacketID, 0)
						}
					case <-c.gone:
						return
					}
				}
			})
		}
	}
	seen, pinned, used := map[string]int{}, map[string]int{}, map[int]bool{}
	for range nodes * requests {
		a := receive(t, arrivals)
		topic := a.request.Topic
		require.Contains(t, string(a.request.Payload), fmt.Sprintf(`"value":%d}`, seen[topic]), topic)
		if seen[topic]++; seen[topic] > 1 {
			require.Equal(t, pinned[topic], a.connection, topic)
		}
		pinned[topic] = a.connection
		used[a.connection] = true
	}
	require.Greater(t, len(used), 1, "all nodes on one of four connections")
}
