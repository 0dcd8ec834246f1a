package embedded

import (
	"io"
	"testing"
	"testing/synctest"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// Who comes back to his session while others publish to him hears first that he is connected
// (MQTT 5 §3.2). The broker gives him messages from the moment it knows his new connection.
func TestNothingBeforeConnack(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	w := g.dial("comes back", false)
	w.subscribe("foo", 0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = g.broker.PublishMessage(mqtt.Message{Topic: "foo"})
			}
		}
	}()
	for range 300 {
		w.conn.Close()
		w = g.wire()
		_, err := w.conn.Write(connect("comes back", false))
		require.NoError(t, err)
		kind, _ := w.next()
		require.Equal(t, byte(0x20), kind, "something came before CONNACK")
	}
	close(stop)
	<-stopped
}

// The same on invented time: first CONNACK, then what is sent again, then what is new, once each,
// and within the window.
func TestWindowIsShutUntilEstablished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far, _, ended := ends(1000)
		cl := &broker.Client{State: broker.ClientState{Inflight: broker.NewInflights()}}
		cl.Properties.Props.ReceiveMaximum, cl.Properties.Props.TopicAliasMaximum = 3, 5
		welcomed := 0
		c.takeOver(cl, func() { welcomed++ })
		require.Zero(t, cl.Properties.Props.ReceiveMaximum)
		require.Zero(t, cl.Properties.Props.TopicAliasMaximum)
		publish := func(flags, id byte) []byte { return []byte{0x30 | flags, 6, 0, 1, 'a', 0, id, 'x'} }
		write := func(p []byte) {
			_, err := c.Write(p)
			require.NoError(t, err)
		}
		read := func(want ...[]byte) {
			t.Helper()
			for _, w := range want {
				got := make([]byte, len(w))
				_, err := io.ReadFull(far, got)
				require.NoError(t, err)
				require.Equal(t, w, got)
			}
		}
		const again = dup | 2
		connack := []byte{0x20, 2, 1, 0}
		for id := byte(3); id <= 5; id++ {
			write(publish(2, id))
			write(publish(0, id))
		}
		synctest.Wait()
		require.Zero(t, welcomed)
		require.Equal(t, 6*8, c.held())
		write(connack)
		require.Equal(t, 1, welcomed)
		for id := byte(1); id <= 4; id++ { // 3 and 4 came early, and are in the session by now
			write(publish(again, id))
		}
		write(publish(2, 6))
		read(connack, publish(again, 1), publish(again, 2), publish(again, 3))
		require.False(t, c.established.Load())
		c.establish()
		require.True(t, c.established.Load())
		read(publish(0, 3), publish(0, 4), publish(0, 5))
		for id := uint16(1); id <= 3; id++ {
			c.acknowledge(id)
		}
		read(publish(again, 4), publish(2, 5), publish(2, 6))
		synctest.Wait()
		require.Zero(t, c.held())
		require.Zero(t, c.budget.held.Load())
		require.NoError(t, c.Close())
		<-ended
	})
}

// A client who was away is given what is published once he has been told that he is connected,
// though the lane was open without him, and the broker is still busy with what waited for him.
func TestLaneAndReturn(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	g.broker.settleAtOnce()
	w := g.dial("comes back", false)
	w.subscribe("a/treq", 0)
	w.subscribe("foo", 1)
	w.conn.Close()
	g.until(func() bool { return g.broker.Stats().Clients == 0 })
	const waiting = 2000
	g.flood("foo", 1, waiting, 10)
	require.True(t, g.lanePlan().open)
	require.Empty(t, g.lanePlan().receivers)
	w = g.dial("comes back", false)
	g.begin(`1`)
	for range waiting + 1 {
		if topic, _ := w.message(); topic == "a/treq" {
			return
		}
	}
	require.Fail(t, "the request did not arrive")
}

// A session that has expired takes its subscriptions with it. The broker forgets them.
func TestExpiredSession(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	w := g.dial("away too long", false)
	w.subscribe("foo", 1)
	w.conn.Close()
	g.until(func() bool { return g.broker.Stats().Clients == 0 })
	cl, ok := g.broker.server.Clients.Get("away too long")
	require.True(t, ok)
	(&hook{b: g.broker}).OnClientExpired(cl)
	g.broker.server.Clients.Delete(cl.ID)
	w = g.dial("away too long", false)
	g.flood("foo", 1, 1, 1)
	w.nothing()
}
