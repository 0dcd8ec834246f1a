package mqtt

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// TestMuteBroker: one that takes everything and says nothing any more, as a machine does that has
// lost its power, is given up after twice the keep-alive. What was handed over meanwhile may have
// been done; what comes later was not.
func TestMuteBroker(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url(), KeepAlive: time.Second}, core.NodeOptions{Topic: "a", Timeout: 200 * time.Millisecond})
	g.start()
	s.pair()
	s.script(func(s *scripted) { s.mute, s.reject = true, func(c net.Conn) { c.Close() } })
	began := time.Now()
	_, done := g.begin(0, `1`)
	require.True(t, g.end(done, core.Timeout).Sent)
	g.until(func() bool { return g.bus.publishers[0].conn.Load() == nil && !g.bus.answers.up.Load() })
	require.Less(t, time.Since(began), 4*time.Second)
	g.untilLogged("PINGRESP timed out")
	_, done = g.begin(0, `2`)
	require.False(t, g.end(done, core.NotPublished).Sent)
}

// TestHangsUpAfterConnack: that is no connection, and trying again and again is slow.
func TestHangsUpAfterConnack(t *testing.T) {
	var mu sync.Mutex
	attempts := map[string][]time.Time{}
	s := newScripted(t, func(s *scripted) {
		s.reject = func(c net.Conn) {
			defer c.Close()
			p, err := packets.ReadPacket(c)
			if err != nil {
				return
			}
			mu.Lock()
			id := p.Content.(*packets.Connect).ClientID
			attempts[id] = append(attempts[id], time.Now())
			mu.Unlock()
			accepted(&packets.Properties{}).WriteTo(c)
		}
	})
	g := newGateway(t, Options{URL: s.url(), ClientID: "gw"}, core.NodeOptions{Topic: "a", Wait: true, Timeout: 500 * time.Millisecond})
	go g.bus.Start(t.Context())
	_, done := g.begin(0, `1`)
	g.end(done, core.NotPublished)
	g.until(func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(attempts["gw"]) >= 4 && len(attempts["gw-p0"]) >= 4
	})
	g.untilLogged("the broker closed the connection")
	mu.Lock()
	defer mu.Unlock()
	for id, at := range attempts {
		for i := range 3 {
			require.GreaterOrEqual(t, at[i+1].Sub(at[i]), minBackoff<<i-10*time.Millisecond, "%s", id)
		}
	}
	require.Zero(t, g.bus.Stats().PacketsWritten)
	require.GreaterOrEqual(t, g.bus.Stats().Reconnects+g.bus.Stats().ConnectFailures, uint64(4))
}

// TestNeverConnack: a broker that accepts connections and says nothing.
func TestNeverConnack(t *testing.T) {
	s := newScripted(t, func(s *scripted) { s.reject = func(c net.Conn) { io.Copy(io.Discard, c) } })
	g := newGateway(t, Options{URL: s.url(), DialTimeout: 50 * time.Millisecond},
		core.NodeOptions{Topic: "a", Wait: true, Timeout: 300 * time.Millisecond}, core.NodeOptions{Topic: "b"})
	go g.bus.Start(t.Context())
	_, waits := g.begin(0, `1`)
	_, done := g.begin(1, `2`)
	g.end(done, core.NotPublished)
	require.GreaterOrEqual(t, g.end(waits, core.NotPublished).Elapsed, 300*time.Millisecond)
	g.until(func() bool { return g.bus.Stats().ConnectFailures >= 2 })
	g.untilLogged("no answer to CONNECT within 50ms")
	require.Zero(t, g.bus.Broker())
}

// TestDisconnected: the broker says why it ends the connection. It is counted and logged, and the
// connection is made again; what waited, waits on.
func TestDisconnected(t *testing.T) {
	for _, reason := range []byte{0x00, 0x80, 0x82, 0x89, 0x8b, 0x8d, 0x93, 0x95, 0x96, 0x97, 0x98, 0x9c, 0x9f, 0xa0} {
		t.Run(fmt.Sprintf("0x%02x", reason), func(t *testing.T) {
			s := newScripted(t, func(s *scripted) {
				s.connack = allow(func(p *packets.Properties) { one := uint16(1); p.ReceiveMaximum = &one })
			})
			g := newGateway(t, Options{URL: s.url(), ClientID: "gw"}, core.NodeOptions{Topic: "a", QoS: 1, Wait: true, Timeout: time.Minute})
			g.start()
			_, publisher := s.pair()
			g.begin(0, `1`)
			g.begin(0, `2`)
			publisher.requireValues("1")
			bye := packets.NewControlPacket(packets.DISCONNECT)
			bye.Content.(*packets.Disconnect).ReasonCode = reason
			publisher.send(bye)
			s.named("gw-p0").requireValues("2")
			require.EqualValues(t, 1, g.bus.Stats().Disconnects)
			require.Zero(t, g.bus.Stats().Takeovers)
			g.untilLogged(fmt.Sprintf("(0x%02x)", reason))
		})
	}
}

// TestReceiveMaximumReached: a broker that acknowledges nothing. What it has may have been done;
// what waits behind that ends at its deadline, truthfully, and is not sent when there is room again.
func TestReceiveMaximumReached(t *testing.T) {
	s := newScripted(t, func(s *scripted) {
		s.connack = allow(func(p *packets.Properties) { two := uint16(2); p.ReceiveMaximum = &two })
	})
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 1, Timeout: 200 * time.Millisecond})
	g.start()
	answers, publisher := s.pair()
	var all []completions
	for n := range 6 {
		_, done := g.begin(0, fmt.Sprint(n))
		all = append(all, done)
	}
	first := publisher.requireValues("0").PacketID
	publisher.requireValues("1")
	for n, done := range all {
		if n < 2 {
			require.True(t, g.end(done, core.Timeout).Sent)
		} else {
			require.False(t, g.end(done, core.NotPublished).Sent)
		}
	}
	publisher.acknowledge(packets.PUBACK, first, 0)
	_, done := g.begin(0, `"next"`)
	answers.answer(publisher.requireValues(`"next"`), `1`)
	g.end(done, core.Answered)
	require.EqualValues(t, 3, g.bus.Stats().PacketsWritten)
}

// TestMessagesDoNotDisturb: what a broker refuses of messages that are no requests ends none.
func TestMessagesDoNotDisturb(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 1, Timeout: time.Minute})
	g.start()
	answers, publisher := s.pair()
	for n, reason := range []byte{0x10, 0x80, 0x87, 0x97} {
		_, done := g.begin(0, fmt.Sprint(n))
		request := publisher.requireValues(fmt.Sprint(n))
		require.NoError(t, g.bus.PublishMessage(Message{Topic: "a/tend", QoS: 1, Payload: []byte(`{}`)}))
		publisher.acknowledge(packets.PUBACK, next[*packets.Publish](publisher).PacketID, reason)
		publisher.acknowledge(packets.PUBACK, request.PacketID, 0)
		answers.answer(request, `1`)
		g.end(done, core.Answered)
	}
	g.until(func() bool { return g.bus.Stats().Dropped == 3 })
	require.Zero(t, g.bus.Stats().RefusedRequests+g.bus.Stats().NoSubscriber)
	require.True(t, g.bus.Ready())
}

// TestStall: a broker that takes nothing for so long is given up, long before TCP does by itself, and
// what waits goes out on the next connection.
func TestStall(t *testing.T) {
	over := make(chan struct{})
	s := newScripted(t, func(s *scripted) {
		s.reject = func(raw net.Conn) { stalling(raw, over, make(chan *packets.Publish, 1<<16)) }
	})
	t.Cleanup(func() { close(over) })
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", Timeout: time.Minute}, core.NodeOptions{Topic: "b", Wait: true, Timeout: time.Minute})
	g.bus.broker.stall = 500 * time.Millisecond
	g.start()
	value := `"` + strings.Repeat("x", 10_000) + `"`
	for g.bus.Stats().BacklogBytes < 1<<20 { // the kernel has all that it takes
		g.begin(0, value)
	}
	_, waits := g.begin(1, `"waits"`)
	s.script(func(s *scripted) { s.reject = nil })
	began := time.Now()
	s.named(g.bus.publishers[0].link.clientID).requireValues(`"waits"`)
	require.Less(t, time.Since(began), 5*time.Second)
	require.Empty(t, waits)
	g.untilLogged("the broker is not there any more, or took nothing for 10s")
	s.dropAll()
}
