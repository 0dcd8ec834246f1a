package embedded

import (
	"context"
	"crypto/rand"
	"net"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// FuzzPackets plays programs of what three clients send, in MQTT 3.1, 3.1.1 and 5, right and wrong,
// to a broker of its own. Whatever they do, another client is given his messages once each and a
// request that he answers is answered, before and after; the broker lets go of the three, closes in
// time, leaves no goroutine, and believes no length before the bytes are there.
func FuzzPackets(f *testing.F) {
	const dial, raw, subscribe, publish, ack, leave, ping, ask, unsubscribe = 0, 1, 2, 3, 4, 5, 6, 7, 8
	add := func(program ...byte) { // with QoS 0, which takes the short way, and with QoS 1
		f.Add(append([]byte{0}, program...))
		f.Add(append([]byte{1}, program...))
	}
	for version := range byte(3) {
		c := 64 * version
		add(dial, 0, c, 2, subscribe, 0, 1, 0, subscribe, 0, 3, 1, publish, 0, 0x32, 1, 3, '1', '2', '3', ping, 0, ask, unsubscribe, 0, 1, leave, 0)
		add(dial, 0, c+1, 0, dial, 1, c, 2, subscribe, 0, 2, 2, publish, 1, 0x35, 4, 1, 'x', ack, 0, 0, 1, ack, 0, 3, 1, ack, 1, 2, 7, ask, leave, 0, dial, 0, c+1, 0, ping, 0)
		add(dial, 0, c+2, 0x2e, subscribe, 0, 5, 0, subscribe, 0, 6, 2, publish, 0, 0x31, 0, 0, publish, 0, 0x33, 2, 1, '{', dial, 1, c+2, 0, ask, publish, 1, 0x30, 0, 2, '{', '}')
		for kind := range byte(16) { // each type of packet, with little in it
			add(dial, 0, c, 2, raw, 0, 6, kind<<4, 4, 0, 1, 0, 0, raw, 0, 3, kind<<4|2, 1, 0, ping, 0, ask)
		}
	}
	add(raw, 0, 14, 0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 0, ask)
	add(raw, 0, 18, 0x10, 16, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 0, 3, 0x21, 0, 1, 0, 0, subscribe, 0, 0, 1, publish, 0, 0x32, 0, 1, 'a', publish, 0, 0x32, 0, 1, 'b', ping, 0)
	add(dial, 0, 128, 2, raw, 0, 12, 0x30, 10, 0, 1, 'x', 6, 0x23, 0, 1, 0x01, 1, 0x0b, raw, 0, 9, 0x82, 7, 0, 1, 2, 0x0b, 1, 0, 1, ask)
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) > 2000 {
			return
		}
		goroutines, allocated := runtime.NumGoroutine(), allocatedSoFar()
		s := newStage(t, program)
		s.ask()
		s.play()
		s.ask()
		s.close()
		require.Less(t, allocatedSoFar()-allocated, uint64(8<<20), "bytes were allocated for %d", len(program))
		for until := time.Now().Add(patience); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
			require.True(t, time.Now().Before(until), "goroutines are left")
		}
	})
}

func allocatedSoFar() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// stage is a broker, its gateway, a client who behaves, and three who do what the program says.
type stage struct {
	t         *testing.T
	program   program
	broker    *Broker
	engine    *core.Engine
	bystander *bystander
	actors    [3]actor
}

func newStage(t *testing.T, p program) *stage {
	b, err := Start(Options{Addr: "127.0.0.1:0", MaxInFlight: 1000, MaxPacket: 16 << 10, MaxClients: 8, MaxBacklog: 1 << 20, MaxBacklogTotal: 4 << 20, MaxRetained: 1 << 10})
	require.NoError(t, err)
	engine, err := core.New(b, core.Options{Shards: 1, MaxInFlight: 1000})
	require.NoError(t, err)
	_, err = engine.AddNode(core.NodeOptions{Name: "n", Topic: "a", Timeout: patience, QoS: p.next() & 1})
	require.NoError(t, err)
	return &stage{t: t, program: p, broker: b, engine: engine, bystander: newBystander(t, b.Addr())}
}

// ask lets the bystander answer a request, and hear from himself.
func (s *stage) ask() {
	done := make(completions, 1)
	value := `"` + rand.Text() + `"`
	s.engine.Begin(&core.Call{Node: s.engine.Nodes()[0], Value: []byte(value)}, done)
	r := receive(s.t, done)
	require.Equal(s.t, core.Answered, r.Outcome, "%s", r.Message)
	require.Equal(s.t, value, string(r.Value))
	s.bystander.talk(value)
}

func (s *stage) play() {
	for steps := 0; len(s.program) > 0 && steps < 60; steps++ {
		op := s.program.next() % 9
		if op == 7 {
			s.ask()
			continue
		}
		a := &s.actors[s.program.next()%3]
		if a.conn == nil {
			a.open(s.t, s.broker.Addr())
		}
		a.act(op, &s.program)
	}
}

func (s *stage) close() {
	for i := range s.actors {
		s.actors[i].leave()
	}
	for until := time.Now().Add(patience); s.broker.Stats().Clients > 1; runtime.Gosched() {
		require.True(s.t, time.Now().Before(until), "the broker has not noticed that clients are gone")
	}
	s.bystander.close()
	require.NoError(s.t, s.engine.Close())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(s.t, s.broker.Close(ctx))
}

// bystander subscribes to requests, which he answers, and to topics on which only he publishes.
type bystander struct {
	*wire
	topic   string
	heard   chan string
	stopped <-chan struct{}
}

func newBystander(t *testing.T, addr string) *bystander {
	conn, in, out := connection(t, addr)
	b := &bystander{wire: &wire{t, conn, in, out}, topic: "by/" + rand.Text(), heard: make(chan string, 100)}
	_, err := conn.Write(connect(rand.Text(), true))
	require.NoError(t, err)
	kind, body := b.next()
	require.Equal(t, []byte{0x20, 0, 0}, append([]byte{kind}, body...))
	b.subscribe("a/treq", 0)
	b.subscribe("by/+", 0)
	b.stopped = b.answering(func(kind byte, body []byte) error {
		if kind>>4 != 3 {
			return nil
		}
		topic, payload := split(kind, body)
		if topic == b.topic {
			b.heard <- string(payload)
			return nil
		}
		answer, err := echo(payload)
		if topic != "a/treq" || err != nil { // of the actors
			return nil //nolint:nilerr // it is theirs to be wrong
		}
		return b.put(0x30, publication(0, "a/tres", answer))
	})
	return b
}

// talk publishes to itself. It does so by a connection of its own: the other is that of answers.
func (b *bystander) talk(text string) {
	conn, in, out := connection(b.t, b.conn.RemoteAddr().String())
	defer conn.Close()
	w := &wire{b.t, conn, in, out}
	_, err := conn.Write(connect(rand.Text(), true))
	require.NoError(b.t, err)
	w.next()
	w.publish(2, b.topic, []byte(text))
	w.next() // PUBACK
	require.Equal(b.t, text, receive(b.t, b.heard))
	require.Empty(b.t, b.heard)
}

func (b *bystander) close() {
	b.conn.(*net.TCPConn).CloseWrite()
	receive(b.t, b.stopped)
	b.conn.Close()
	require.Empty(b.t, b.heard)
}
