package mqtt

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// requireValues takes requests and compares their values and their order.
func (c *client) requireValues(values ...string) (last *packets.Publish) {
	c.t.Helper()
	for _, value := range values {
		last = next[*packets.Publish](c)
		require.Contains(c.t, string(last.Payload), `"value":`+value+`}`)
	}
	return last
}

// TestWaitForTheFirstConnection: requests that come before Start wait, and leave in their order.
func TestWaitForTheFirstConnection(t *testing.T) {
	for qos := range byte(3) {
		s := newScripted(t)
		g := newGateway(t, Options{URL: s.url()},
			core.NodeOptions{Topic: "a", QoS: qos, Wait: true, Timeout: time.Minute}, core.NodeOptions{Topic: "b"})
		_, first := g.begin(0, `1`)
		g.begin(0, `2`)
		_, fails := g.begin(1, `"does not wait"`)
		g.end(fails, core.NotPublished)
		require.EqualValues(t, 2, g.bus.Stats().Waiting)
		require.Positive(t, g.bus.Stats().BacklogBytes)
		g.start()
		answers, publisher := s.pair()
		request := publisher.requireValues("1")
		publisher.requireValues("2")
		g.begin(0, `3`)
		publisher.requireValues("3")
		require.Zero(t, g.bus.Stats().Waiting)
		answers.answer(request, `4`)
		require.Equal(t, `4`, string(g.end(first, core.Answered).Value))
		g.until(func() bool { return g.bus.Stats().BacklogBytes == 0 })
	}
}

// TestWaitForTheSubscription: the connection is there before the subscription is made again.
func TestWaitForTheSubscription(t *testing.T) {
	grant := make(chan struct{})
	permit := sync.OnceFunc(func() { close(grant) })
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", Wait: true, Timeout: time.Minute})
	t.Cleanup(permit)
	g.start()
	s.pair()
	s.script(func(s *scripted) { s.suback = func(string) byte { <-grant; return 1 } })
	s.dropAll()
	answers, publisher := s.pair()
	next[*packets.Subscribe](answers)
	g.until(func() bool { return g.bus.publishers[0].conn.Load() != nil })
	g.begin(0, `1`)
	_, done := g.begin(0, `2`)
	require.EqualValues(t, 2, g.bus.Stats().Waiting)
	require.Empty(t, publisher.in)
	permit()
	answers.answer(publisher.requireValues("1", "2"), `3`)
	g.end(done, core.Answered)
}

// TestWaitAgain: what was accepted and not handed over when the connection was lost waits for the
// next one, in front of what came meanwhile. What was handed over is not sent again.
func TestWaitAgain(t *testing.T) {
	s := newScripted(t, func(s *scripted) {
		s.connack = allow(func(p *packets.Properties) { one := uint16(1); p.ReceiveMaximum = &one })
	})
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 1, Wait: true, Timeout: time.Minute},
		core.NodeOptions{Topic: "b", QoS: 1, Timeout: time.Minute})
	g.start()
	_, publisher := s.pair()
	g.begin(0, `1`)
	publisher.requireValues("1")
	g.begin(0, `2`)
	g.begin(0, `3`)
	_, fails := g.begin(1, `"does not wait"`)
	for round := range 3 { // again and again
		s.dropAll()
		g.until(func() bool { return g.bus.publishers[0].conn.Load() == nil })
		if round == 0 {
			g.end(fails, core.NotPublished)
			g.begin(0, `4`)
		}
		_, publisher = s.pair()
		switch round {
		case 0:
			publisher.requireValues("2")
		case 1:
			publisher.requireValues("3")
		case 2:
			id := publisher.requireValues("4").PacketID
			g.begin(0, `5`)
			publisher.acknowledge(packets.PUBACK, id, 0)
			publisher.requireValues("5")
		}
	}
	require.EqualValues(t, 5, g.bus.Stats().PacketsWritten)
	require.Zero(t, g.bus.Stats().Waiting)
	require.EqualValues(t, 1, g.bus.Stats().Unsent, "of the node that does not wait")
}

// TestWaitUntilTheDeadline: what expires while the broker stays away is told so in time, and
// forgotten.
func TestWaitUntilTheDeadline(t *testing.T) {
	g := newGateway(t, Options{URL: "mqtt://x"}, core.NodeOptions{Topic: "a", Wait: true, Timeout: 100 * time.Millisecond},
		core.NodeOptions{Topic: "b", Wait: true, Timeout: time.Minute})
	g.begin(1, `"longer"`)
	began := time.Now()
	var all []completions
	for range 100 {
		_, done := g.begin(0, `1`)
		all = append(all, done)
	}
	for _, done := range all {
		require.Equal(t, "the request could not be published in time", g.end(done, core.NotPublished).Message)
	}
	require.GreaterOrEqual(t, time.Since(began), 100*time.Millisecond)
	g.until(func() bool { return g.bus.Stats().Waiting == 1 })
	require.EqualValues(t, 100, g.bus.Stats().Expired)
	require.Less(t, g.bus.Stats().BacklogBytes, int64(1000))
}

// TestExpiredInACrowd: what expires is forgotten also while more comes all the time.
func TestExpiredInACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, Options{URL: "mqtt://x"}, core.NodeOptions{Topic: "a", Wait: true, Timeout: 100 * time.Millisecond},
			core.NodeOptions{Topic: "b", Wait: true, Timeout: time.Minute})
		_, done := g.begin(0, `1`)
		for range 40 {
			g.begin(1, `2`)
			time.Sleep(expireEvery / 2)
		}
		g.end(done, core.NotPublished)
		require.EqualValues(t, 1, g.bus.Stats().Expired)
		require.EqualValues(t, 40, g.bus.Stats().Waiting)
	})
}

// TestWaitIsBounded: of one node, of all, and what has expired makes room.
func TestWaitIsBounded(t *testing.T) {
	g := newGateway(t, Options{URL: "mqtt://x", Backlog: minBacklog},
		core.NodeOptions{Topic: "a", Wait: true, Timeout: 200 * time.Millisecond}, core.NodeOptions{Topic: "b", Wait: true, Timeout: time.Minute})
	value := `"` + strings.Repeat("x", 1000) + `"`
	var last completions
	flood := func() (accepted int) {
		for ; ; accepted++ {
			_, done := g.begin(0, value)
			select {
			case r := <-done:
				require.Equal(t, core.Shed, r.Outcome, "%s", r.Message)
				require.Contains(t, r.Message, "too many bytes wait")
				return accepted
			default:
				last = done
			}
		}
	}
	first := flood()
	require.InDelta(t, 0.75*minBacklog, g.bus.Stats().BacklogBytes, 0.05*minBacklog)
	_, other := g.begin(1, value)
	require.Empty(t, other, "it is not shed because another node floods")
	g.end(last, core.NotPublished)
	g.until(func() bool { return g.bus.Stats().Waiting == 1 })
	require.InDelta(t, first, flood(), 3)
}

// TestWaitEndsWithTheBus: nobody waits for a bus that is closed, nor for one that was never started.
func TestWaitEndsWithTheBus(t *testing.T) {
	for _, connected := range []bool{false, true} {
		s := newScripted(t, func(s *scripted) {
			s.connack = allow(func(p *packets.Properties) { one := uint16(1); p.ReceiveMaximum = &one })
		})
		g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 1, Wait: true, Timeout: time.Minute})
		var held completions
		if connected {
			g.start()
			_, publisher := s.pair()
			_, held = g.begin(0, `0`)
			publisher.requireValues("0")
		}
		_, first := g.begin(0, `1`)
		_, second := g.begin(0, `2`)
		ctx, cancel := contextThatIsOver()
		defer cancel()
		err := g.bus.Close(ctx)
		require.Equal(t, connected, err != nil, "%v", err)
		require.False(t, g.end(first, core.NotPublished).Sent)
		g.end(second, core.NotPublished)
		_, third := g.begin(0, `3`)
		require.Contains(t, g.end(third, core.NotPublished).Message, "closed")
		require.Empty(t, held)
		require.Zero(t, g.bus.Stats().Waiting)
		require.Zero(t, g.bus.Stats().BacklogBytes)
	}
}

// TestWaitInVain: what the broker will not take ends with its reason, as soon as that is known.
func TestWaitInVain(t *testing.T) {
	s := newScripted(t, func(s *scripted) {
		s.connack = allow(modest)
		s.suback = func(filter string) byte {
			if filter == "refused/tres" {
				return 0x87
			}
			return 1
		}
	})
	wait := func(topic string, qos byte) core.NodeOptions {
		return core.NodeOptions{Topic: topic, QoS: qos, Wait: true, Timeout: time.Minute}
	}
	g := newGateway(t, Options{URL: s.url()}, wait("refused", 0), wait("qos", 2), wait("large", 1), wait("good", 1))
	var all []completions
	for n, value := range []string{`1`, `1`, `"` + strings.Repeat("x", 6000) + `"`, `1`} {
		_, done := g.begin(n, value)
		all = append(all, done)
	}
	ctx, cancel := contextThatIsOver()
	defer cancel()
	require.Error(t, g.bus.Start(ctx))
	answers, publisher := s.pair()
	for n, want := range []string{"not authorized (0x87)", "allows QoS 1 at most", "the broker takes 5000"} {
		r := g.end(all[n], core.NotPublished)
		require.Contains(t, r.Message, want)
		require.False(t, r.Sent)
	}
	answers.answer(publisher.requireValues("1"), `2`)
	g.end(all[3], core.Answered)
	_, done := g.begin(0, `1`)
	require.Contains(t, g.end(done, core.NotPublished).Message, "not authorized (0x87)", "that does not pass by itself")
}

// TestWaitInOrder: whatever the connection does, requests of a node leave in the order in which
// they came, each at most once, and those that never left say so.
func TestWaitInOrder(t *testing.T) {
	for qos := range byte(2) {
		s := newScripted(t)
		g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: qos, Wait: true, Timeout: time.Minute})
		g.start()
		arrived := make(chan int, 1<<16)
		serve := func(c *client) {
			for {
				select {
				case p := <-c.in:
					if request, ok := p.Content.(*packets.Publish); ok {
						var n int
						_, value, _ := strings.Cut(string(request.Payload), `"value":`)
						_, err := fmt.Sscanf(value, "%d", &n)
						require.NoError(t, err)
						if request.QoS > 0 {
							c.acknowledge(packets.PUBACK, request.PacketID, 0)
						}
						arrived <- n
					}
				case <-c.gone:
					return
				}
			}
		}
		stop := make(chan struct{})
		var running sync.WaitGroup
		running.Go(func() {
			for {
				select {
				case c := <-s.clients:
					running.Go(func() { serve(c) })
				case <-stop:
					return
				}
			}
		})
		const requests, losses = 5000, 5
		for i := range requests {
			g.begin(0, fmt.Sprint(i))
			if i%(requests/losses) == requests/losses/2 {
				s.dropAll()
			}
		}
		g.until(func() bool { return g.bus.Ready() && g.bus.Stats().Waiting == 0 && g.bus.Stats().BacklogBytes == 0 })
		before, seen := -1, 0
		for before != requests-1 {
			n := receive(t, arrived)
			require.Greater(t, n, before, "out of order, or again")
			before = n
			seen++
		}
		require.EqualValues(t, requests, g.bus.Stats().PacketsWritten)
		require.LessOrEqual(t, seen, requests)
		s.dropAll()
		close(stop)
		require.NoError(t, g.engine.Close())
		ctx, cancel := contextThatIsOver()
		g.bus.Close(ctx)
		cancel()
		s.dropAll()
		running.Wait()
	}
}
