package embedded

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

func TestBusyPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	addr := taken.Addr().String()
	_, err = Start(Options{Addr: addr})
	require.ErrorContains(t, err, addr+" is in use")
	require.ErrorContains(t, err, "name another port")
	b, err := Start(Options{Addr: addr, AnyPort: true})
	require.NoError(t, err)
	defer b.Close(context.Background())
	host, port, err := net.SplitHostPort(b.Addr())
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	require.NotEqual(t, taken.Addr().(*net.TCPAddr).Port, n)
	c, err := net.Dial("tcp", b.Addr())
	require.NoError(t, err)
	c.Close()
	_, err = Start(Options{Addr: "192.0.2.1:1883", AnyPort: true}) // TEST-NET-1: nobody's
	require.ErrorContains(t, err, "cannot listen on 192.0.2.1:1883")
}

func TestOptions(t *testing.T) {
	_, err := Start(Options{Addr: "nowhere", MaxInFlight: -1, MaxPacket: 10, MaxClients: -1, MaxRetained: -1, MaxBacklog: -1, MaxBacklogTotal: -1})
	for _, want := range []string{`Addr is "nowhere"`, "MaxInFlight is -1", "MaxPacket is 10", "MaxClients is -1", "MaxRetained is -1", "MaxBacklog is -1", "MaxBacklogTotal is -1"} {
		require.ErrorContains(t, err, want)
	}
	o := Options{MaxPacket: 100 << 20}
	require.NoError(t, o.complete())
	require.Equal(t, DefaultAddr, o.Addr)
	require.GreaterOrEqual(t, o.MaxBacklog, o.MaxPacket)
}

func TestAttachNeedsAnEngine(t *testing.T) {
	b, err := Start(Options{Addr: "127.0.0.1:0"})
	require.NoError(t, err)
	defer b.Close(context.Background())
	other, err := Start(Options{Addr: "127.0.0.1:0"})
	require.NoError(t, err)
	defer other.Close(context.Background())
	engine, err := core.New(other, core.Options{})
	require.NoError(t, err)
	defer engine.Close()
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "n"})
	require.NoError(t, err)
	require.ErrorContains(t, b.Attach(node), "not bound to an engine")
}

// A client that reads nothing does not keep Close longer than ctx.
func TestCloseDoesNotWaitForEver(t *testing.T) {
	b, err := Start(Options{Addr: "127.0.0.1:0"})
	require.NoError(t, err)
	near, far := net.Pipe()
	defer far.Close()
	b.admit(near)
	go func() { _, _ = far.Write(connect("deaf", true)) }()
	require.Eventually(t, func() bool { return b.server.Clients.Len() == 1 }, patience, time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, b.Close(ctx), context.Canceled)
	require.NoError(t, b.Close(ctx), "closing again does nothing")
	require.Zero(t, b.Stats().Clients)
}

func TestCloseSaysGoodbye(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	conn, in := g.open()
	five := connect("five", true)
	five[8], five[1] = 5, five[1]+1 // MQTT 5, and no properties
	_, err := conn.Write(append(append(append([]byte{}, five[:12]...), 0), five[12:]...))
	require.NoError(t, err)
	head := make([]byte, 2)
	_, err = in.Read(head)
	require.NoError(t, err)
	require.Equal(t, byte(0x20), head[0])
	three := g.dial("three", true)
	require.NoError(t, g.broker.Close(context.Background()))
	_, err = in.Discard(int(head[1]))
	require.NoError(t, err)
	kind, err := in.ReadByte()
	require.NoError(t, err)
	require.Equal(t, byte(0xe0), kind, "DISCONNECT")
	_, err = three.in.ReadByte()
	require.Error(t, err)
}

// What costs is the responder's connection: he is in this process too.
func BenchmarkRequestAndAnswer(b *testing.B) {
	g := newGateway(b, Options{}, core.NodeOptions{})
	w := g.dial("responder", true)
	stopped := w.respond()
	c := newTally(b.N, core.Answered)
	window := make(chan struct{}, 64)
	value := []byte(`{"order":4711,"material":"steel","quantity":12.5}`)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		window <- struct{}{}
		g.engine.Begin(&core.Call{Node: g.node, Value: value}, paced{c, window})
	}
	<-c.done
	b.StopTimer()
	if c.wrong.Load() > 0 {
		b.Fatalf("%d were not answered", c.wrong.Load())
	}
	w.conn.Close()
	<-stopped
}

type paced struct {
	*tally
	window chan struct{}
}

func (p paced) Complete(r core.Result) {
	<-p.window
	p.tally.Complete(r)
}

func BenchmarkPublish(b *testing.B) {
	broker, err := Start(Options{Addr: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	defer broker.Close(context.Background())
	engine, err := core.New(broker, core.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Close()
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "a"})
	if err != nil {
		b.Fatal(err)
	}
	broker.sink = always{}
	r := core.Request{Node: node, Value: []byte(`{"order":4711}`), Deadline: time.Now().Add(time.Hour)}
	b.ReportAllocs()
	for b.Loop() {
		if err := broker.Publish(&r); err != nil {
			b.Fatal(err)
		}
	}
}

// always is a sink that lets everything pass.
type always struct{}

func (always) Sent(core.ID) bool        { return true }
func (always) Resolve(core.Answer) bool { return true }
func (always) Fail(core.ID, error) bool { return true }

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		broker, err := Start(Options{Addr: "127.0.0.1:0"})
		if err != nil {
			b.Fatal(err)
		}
		if err := broker.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
