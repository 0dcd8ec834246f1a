package embedded

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// tally counts outcomes and says when n have come.
type tally struct {
	left  atomic.Int64
	wrong atomic.Int64
	want  core.Outcome
	done  chan struct{}
}

func newTally(n int, want core.Outcome) *tally {
	c := &tally{want: want, done: make(chan struct{})}
	c.left.Store(int64(n))
	return c
}

func (c *tally) Complete(r core.Result) {
	if r.Outcome != c.want {
		c.wrong.Add(1)
	}
	if c.left.Add(-1) == 0 {
		close(c.done)
	}
}

// At the broker's defaults such a burst loses half of itself without a word.
func TestBurstOf100000LosesNothing(t *testing.T) {
	const n = 100_000
	g := newGateway(t, Options{}, core.NodeOptions{Timeout: 2 * time.Minute})
	w := g.dial("responder", true)
	stopped := w.respond()
	c := newTally(n, core.Answered)
	for i := range n {
		g.engine.Begin(&core.Call{Node: g.node, Value: fmt.Appendf(nil, `{"n":%d}`, i)}, c)
	}
	select {
	case <-c.done:
	case <-time.After(time.Minute):
		require.Failf(t, "lost", "%d of %d are still held; %+v", c.left.Load(), n, g.broker.Stats())
	}
	require.Zero(t, c.wrong.Load())
	s := g.broker.Stats()
	require.Zero(t, s.Dropped+s.SlowClients)
	require.EqualValues(t, n, s.Requests)
	require.EqualValues(t, n, s.Answers)
	w.conn.Close()
	<-stopped
}

// A handler that publishes what it is subscribed to runs for as long as it likes, on a stack
// that does not grow.
func TestMappingLoopDoesNotOverflowTheStack(t *testing.T) {
	const rounds = 200_000 // of a few hundred bytes of stack each, they would be 100 MB and more
	g := newGateway(t, Options{}, core.NodeOptions{})
	done := make(chan struct{})
	count := 0
	require.NoError(t, g.broker.Subscribe("loop", 0, func(m mqtt.Message) {
		if count++; count == rounds {
			close(done)
			return
		}
		if err := g.broker.PublishMessage(m); err != nil {
			t.Error(err)
		}
	}))
	require.NoError(t, g.broker.PublishMessage(mqtt.Message{Topic: "loop", Payload: []byte("1")}))
	receive(t, done)
	require.Zero(t, g.broker.Stats().HandlersDropped)
}

// A loop that doubles what it is given fills the queue and then loses messages, counted; requests
// that would need the queue are shed, and answers go on.
func TestMappingLoopThatGrowsIsBounded(t *testing.T) {
	g := newGateway(t, Options{MaxInFlight: 100}, core.NodeOptions{})
	stopped := g.dial("responder", true)
	done := stopped.respond()
	full, release := make(chan struct{}), make(chan struct{})
	require.NoError(t, g.broker.Subscribe("loop", 0, func(m mqtt.Message) {
		for range 2 {
			if err := g.broker.PublishMessage(m); err != nil {
				return // closed
			}
		}
		if g.broker.Stats().HandlersDropped > 0 {
			select {
			case <-release:
			default:
				close(full)
				<-release
			}
		}
	}))
	_, ok := g.begin(`"before the handler"`)
	g.end(ok, core.Answered)
	require.NoError(t, g.broker.PublishMessage(mqtt.Message{Topic: "loop"}))
	receive(t, full)
	_, ok = g.begin(`"not for handlers"`)
	g.end(ok, core.Answered)
	require.NoError(t, g.broker.Subscribe("+/treq", 0, func(mqtt.Message) {}))
	_, shed := g.begin(`"for handlers"`)
	r := g.end(shed, core.Shed)
	require.False(t, r.Sent)
	require.Contains(t, g.log.String(), "feed themselves")
	close(release)
	stopped.conn.Close()
	<-done
}

// A message that finds the queue of its client full is lost: counted and logged once a second,
// and the request is a timeout, because it was handed over.
func TestPublishDroppedIsReported(t *testing.T) {
	g := newGateway(t, Options{MaxInFlight: 1}, core.NodeOptions{Timeout: 300 * time.Millisecond})
	w := g.dial("responder", true)
	w.subscribe("a/treq", 0)
	cl, ok := g.broker.server.Clients.Get("responder")
	require.True(t, ok)
	cl.Lock() // who writes to this client waits
	const n = 50
	c := newTally(n, core.Timeout)
	for range n {
		g.engine.Begin(&core.Call{Node: g.node, Value: []byte("1")}, c)
	}
	require.GreaterOrEqual(t, g.broker.Stats().Dropped, uint64(n-2))
	receive(t, c.done)
	cl.Unlock()
	require.Zero(t, c.wrong.Load())
	require.Equal(t, 1, strings.Count(g.log.String(), "dropped messages for a client"))
	require.Contains(t, g.log.String(), "client=responder topic=a/treq count=1")
}

// So many requests as may be in flight find room in the queue of a client that is not written to
// for a while. The broker's own limit is 8192.
func TestBurstWaitsForItsClient(t *testing.T) {
	const n = 20_000
	g := newGateway(t, Options{}, core.NodeOptions{})
	w := g.dial("responder", true)
	stopped := w.respond()
	cl, ok := g.broker.server.Clients.Get("responder")
	require.True(t, ok)
	c := newTally(n, core.Answered)
	cl.Lock() // who writes to this client waits
	for range n {
		g.engine.Begin(&core.Call{Node: g.node, Value: []byte("1")}, c)
	}
	cl.Unlock()
	receive(t, c.done)
	require.Zero(t, c.wrong.Load())
	require.Zero(t, g.broker.Stats().Dropped)
	w.conn.Close()
	<-stopped
}

func TestOversizedPacketDisconnectsItsSenderOnly(t *testing.T) {
	g := newGateway(t, Options{MaxPacket: 4096}, core.NodeOptions{Timeout: 200 * time.Millisecond})
	healthy := g.dial("healthy", true)
	stopped := healthy.respond()
	w := g.dial("big", true)
	w.publish(0, "a/tres", make([]byte, 5000))
	_, err := w.in.ReadByte()
	require.Error(t, err, "it was not disconnected")
	g.until(func() bool { return g.broker.Stats().OversizedPackets == 1 })
	require.Contains(t, g.log.String(), "too large a packet")
	_, done := g.begin(`1`)
	g.end(done, core.Answered)
	_, done = g.begin(`"` + strings.Repeat("x", 5000) + `"`)
	require.Contains(t, g.end(done, core.NotPublished).Message, "the embedded broker takes 4096")
	healthy.conn.Close()
	<-stopped
}

// Connections and sessions are bounded, and a connection without CONNECT counts.
func TestClientFlood(t *testing.T) {
	g := newGateway(t, Options{MaxClients: 2}, core.NodeOptions{})
	g.dial("one", false).conn.Close()
	g.until(func() bool { return g.broker.Stats().Clients == 0 })
	var open []io.Closer
	for i := range 2 {
		open = append(open, g.dial(fmt.Sprint("busy", i), true).conn)
	}
	conn, in := g.open()
	_, err := conn.Write(connect("third", true))
	require.NoError(t, err)
	head := make([]byte, 4)
	_, err = io.ReadFull(in, head)
	require.NoError(t, err)
	require.Equal(t, []byte{0x20, 2, 0, 3}, head, "server unavailable")
	_, err = in.ReadByte()
	require.Error(t, err)
	g.until(func() bool { return g.broker.Stats().Clients == 2 })
	for range handshakes {
		c, _ := g.open()
		open = append(open, c)
	}
	g.until(func() bool { return g.broker.Stats().Clients == 2+handshakes })
	_, in = g.open()
	_, err = in.ReadByte()
	require.Error(t, err, "one too many was not turned away")
	require.EqualValues(t, 1, g.broker.Stats().RefusedClients)
	for _, c := range open {
		c.Close()
	}
	g.until(func() bool { return g.broker.Stats().Clients == 0 })
	for i := range 3 { // three sessions that stay, with the one from above
		g.dial(fmt.Sprint("away", i), false).conn.Close()
		g.until(func() bool { return g.broker.Stats().Clients == 0 })
	}
	conn, in = g.open()
	_, err = conn.Write(connect("fifth session", false))
	require.NoError(t, err)
	_, err = in.ReadByte()
	require.Error(t, err)
	require.EqualValues(t, 2, g.broker.Stats().RefusedClients)
	g.dial("away1", false).conn.Close() // who is known may come back
}
