package embedded

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// drain reads and says nothing, until the connection ends.
func (w *wire) drain() (stopped <-chan struct{}) {
	done := make(chan struct{})
	_ = w.conn.SetReadDeadline(time.Time{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, w.in)
	}()
	return done
}

func (g *gateway) flood(topic string, qos byte, messages, size int) {
	g.t.Helper()
	payload := make([]byte, size)
	for range messages {
		require.NoError(g.t, g.broker.PublishMessage(mqtt.Message{Topic: topic, QoS: qos, Payload: payload}))
	}
}

// The broker bounds what is not acknowledged by its number, 65 535, whatever it weighs.
func TestUnacknowledgedIsBounded(t *testing.T) {
	for _, clean := range []bool{true, false} {
		for _, qos := range []byte{1, 2} {
			t.Run(fmt.Sprint("QoS", qos, "clean ", clean), func(t *testing.T) {
				g := newGateway(t, Options{MaxBacklog: 2 << 20}, core.NodeOptions{})
				w := g.dial("mute", clean)
				w.subscribe("foo/#", qos)
				stopped := w.drain()
				g.flood("foo/a", 2, 100, 50_000)
				receive(t, stopped)
				g.until(func() bool { return g.broker.Stats().Clients == 0 })
				require.EqualValues(t, 1, g.broker.Stats().SlowClients)
				require.LessOrEqual(t, g.broker.Stats().BacklogBytes, int64(2<<20+60_000))
			})
		}
	}
}

// Clients who each stay below their own limit do not take more than all may have together, and
// who reads is not disconnected for those who do not.
func TestBacklogOfAllIsBounded(t *testing.T) {
	const total = 4 << 20
	g := newGateway(t, Options{MaxBacklog: 2 << 20, MaxBacklogTotal: total, MaxPacket: 1 << 20}, core.NodeOptions{})
	healthy := g.dial("healthy", true)
	stopped := healthy.respond()
	const sleepers = 10
	var asleep []*wire
	for i := range sleepers {
		w := g.dial(fmt.Sprint("asleep", i), i%2 == 0)
		require.NoError(t, w.conn.(*net.TCPConn).SetReadBuffer(4096))
		w.subscribe("foo", byte(i%3))
		asleep = append(asleep, w)
	}
	most := int64(0)
	for range 40 {
		g.flood("foo", 2, 1, 200_000)
		most = max(most, g.broker.Stats().BacklogBytes)
		_, done := g.begin(`1`)
		g.end(done, core.Answered)
	}
	require.LessOrEqual(t, most, int64(total+sleepers*210_000), "what is being added may be above for a moment")
	g.until(func() bool { return g.broker.Stats().SlowClients > 0 })
	require.Contains(t, g.log.String(), "too much waits for all")
	for _, w := range asleep {
		w.conn.Close()
	}
	healthy.conn.Close()
	<-stopped
	g.until(func() bool { return g.broker.Stats().Clients == 0 })
}

// Whoever acknowledges, goes, or is dropped, gives back all that was counted for him.
func TestBacklogIsGivenBack(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	w := g.dial("one", false)
	w.subscribe("foo", 2)
	g.flood("foo", 2, 2, 100)
	g.flood("foo", 1, 1, 100)
	ids := make([][]byte, 0, 3)
	for range 3 {
		_, body := w.next()
		ids = append(ids, body[5:7])
	}
	const each = ackOverhead + len("foo") + 100
	wait := func(messages int64) {
		g.until(func() bool { return g.broker.Stats().BacklogBytes == messages*int64(each) })
	}
	wait(3)
	w.send(0x50, ids[0]) // PUBREC
	kind, _ := w.next()
	require.Equal(t, byte(0x62), kind)
	wait(2)
	w.send(0x70, ids[0]) // PUBCOMP
	w.send(0x40, ids[2]) // PUBACK
	wait(1)
	w.conn.Close()
	g.until(func() bool { return g.broker.Stats().Clients == 0 })
	g.flood("foo", 2, 1, 100)
	wait(2) // the session keeps what waits
	w = g.dial("one", false)
	w.message()
	w.message()
	wait(2) // the session goes on
	g.dial("one", true)
	wait(0)
}

// A session without a connection is bounded as a client is.
func TestBacklogOfWhoIsAway(t *testing.T) {
	g := newGateway(t, Options{MaxBacklog: 2 << 20}, core.NodeOptions{})
	w := g.dial("away", false)
	w.subscribe("foo", 1)
	w.conn.Close()
	g.until(func() bool { return g.broker.Stats().Clients == 0 })
	for range 100 {
		g.flood("foo", 1, 1, 50_000)
		require.LessOrEqual(t, g.broker.Stats().BacklogBytes, int64(2<<20+60_000))
	}
	require.Greater(t, g.broker.Stats().Dropped, uint64(40))
	require.Zero(t, g.broker.Stats().SlowClients, "nobody was disconnected")
}

// A message that found the queue of its client full is taken back by the broker without its
// packet id.
func TestLedgerAudit(t *testing.T) {
	l := ledger{budget: &budget{limit: 1 << 30}}
	for id := range uint16(10) {
		l.charge(&packets.Packet{PacketID: id})
	}
	never := func(uint16) bool { t.Fatal("asked in vain"); return false }
	require.Equal(t, 10*ackOverhead, l.audit(never))
	l.distrust()
	require.Equal(t, 3*ackOverhead, l.audit(func(id uint16) bool { return id < 3 }))
	l.settle(0)
	l.settle(0)
	require.EqualValues(t, 2*ackOverhead, l.budget.held.Load())
	l.close()
	require.Zero(t, l.charge(&packets.Packet{PacketID: 1}))
	l.settle(1)
	require.Zero(t, l.budget.held.Load())
}

// The broker writes to a client under a lock that a publisher of QoS 1 needs. A client that does
// not read must not hold him up, and is disconnected when too much waits.
func TestSlowSubscriberDoesNotBlockPublishers(t *testing.T) {
	for _, qos := range []byte{0, 1, 2} {
		t.Run(fmt.Sprint("QoS", qos), func(t *testing.T) {
			g := newGateway(t, Options{MaxBacklog: 2 << 20}, core.NodeOptions{QoS: qos})
			healthy := g.dial("healthy", true)
			stopped := healthy.respond()
			sleeper := g.dial("sleeper", true)
			sleeper.subscribe("a/treq", qos)
			value := `"` + strings.Repeat("x", 64<<10) + `"`
			begun := time.Now()
			for i := 0; g.broker.Stats().SlowClients == 0; i++ {
				require.Less(t, i, 2000, "the client that does not read was not given up")
				_, done := g.begin(value)
				g.end(done, core.Answered)
			}
			require.Less(t, time.Since(begun), writeTimeout, "publishers waited")
			g.until(func() bool { return g.broker.Stats().Clients == 1 })
			require.Contains(t, g.log.String(), "does not read")
			_, done := g.begin(`1`)
			g.end(done, core.Answered)
			healthy.conn.Close()
			<-stopped
		})
	}
}
