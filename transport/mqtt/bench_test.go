package mqtt

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// anySink agrees to everything.
type anySink struct{ sent atomic.Int64 }

func (s *anySink) Sent(core.ID) bool      { s.sent.Add(1); return true }
func (*anySink) Resolve(core.Answer) bool { return true }
func (*anySink) Fail(core.ID, error) bool { return true }

// connected returns both ends of a TCP connection.
func connected(b *testing.B) (near, far net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	near, err = net.Dial("tcp", l.Addr().String())
	require.NoError(b, err)
	far, err = l.Accept()
	require.NoError(b, err)
	return near, far
}

// loopback returns a TCP connection whose far end reads everything and keeps nothing.
func loopback(b *testing.B) net.Conn {
	near, far := connected(b)
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(io.Discard, far)
	}()
	b.Cleanup(func() {
		near.Close()
		far.Close()
		<-done
	})
	return near
}

// BenchmarkPublish is one request from Publish to the socket; paho is the same through its
// Publish, on a plain connection.
func BenchmarkPublish(b *testing.B) {
	capture := &capture{make(chan core.Request, 1)}
	engine, err := core.New(capture, core.Options{})
	require.NoError(b, err)
	defer engine.Close()
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "services/plant/line/1", Timeout: time.Hour})
	require.NoError(b, err)
	engine.Begin(&core.Call{Node: node, Value: bytes.Repeat([]byte("1"), 200), Properties: []core.Property{{Name: "http-method", Value: "POST"}, {Name: "http-path", Value: "/data/line/1"}}}, make(completions, 1))
	r := <-capture.requests

	b.Run("own", func(b *testing.B) {
		sink, counted := new(anySink), new(counters)
		checked, err := Options{URL: "mqtt://x"}.complete()
		require.NoError(b, err)
		c := newConn(loopback(b), &checked, sink, counted)
		c.setLimits(limits{packet: maxMaxPacket, qos: 2, retain: true, receiveMaximum: 100})
		c.start(func() {}, nil)
		defer c.Close()
		rt := newRoute(node)
		b.ReportAllocs()
		for b.Loop() {
			for c.request(rt, &r) != nil { // shed: let the writer catch up
				require.NoError(b, c.drain(context.Background()))
			}
		}
		require.NoError(b, c.drain(context.Background()))
		b.ReportMetric(float64(counted.packets.Load())/float64(counted.batches.Load()), "packets/write")
	})
	b.Run("paho", func(b *testing.B) {
		conn := packets.NewThreadSafeConn(loopback(b))
		payload := r.AppendMessage(nil)
		b.ReportAllocs()
		for b.Loop() {
			p := RequestProperties(&r)
			out := &paho.Publish{Topic: node.RequestTopic(), Payload: payload, Properties: &paho.PublishProperties{
				ResponseTopic: p.ResponseTopic, CorrelationData: p.CorrelationData, MessageExpiry: &p.MessageExpiry, ContentType: p.ContentType}}
			for _, u := range p.User {
				out.Properties.User.Add(u.Name, u.Value)
			}
			_, err := out.Packet().WriteTo(conn)
			require.NoError(b, err)
		}
	})
}

// BenchmarkAnswer is one answer from the reader's buffer to the sink.
func BenchmarkAnswer(b *testing.B) {
	bus, err := Dial(Options{URL: "mqtt://x", Logger: quiet()})
	require.NoError(b, err)
	engine, err := core.New(bus, core.Options{})
	require.NoError(b, err)
	defer engine.Close()
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "services/plant/line/1"})
	require.NoError(b, err)
	bus.Bind(new(anySink))
	packet := appendMessage(nil, &Message{Topic: node.AnswerTopic(), Payload: bytes.Repeat([]byte("1"), 250)})
	body := packet[3:]
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, bus.answers.incoming(nil, packet[0], body))
	}
}

// BenchmarkGather is what the writer makes of requests that come one after the other and of many
// at once: ns/op is the time from Publish until the far end has it, with one sender, and packets
// per write show that nothing waits for company when idle, and what gathers under load.
func BenchmarkGather(b *testing.B) {
	for _, senders := range []int{1, 8, 64, 512} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) { gather(b, senders) })
	}
}

// gather has each sender wait until its request has arrived before it sends the next.
func gather(b *testing.B, senders int) {
	near, far := connected(b)
	defer far.Close()
	capture := &capture{make(chan core.Request, 1)}
	engine, err := core.New(capture, core.Options{})
	require.NoError(b, err)
	defer engine.Close()
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "services/plant/line/1", Timeout: time.Hour})
	require.NoError(b, err)
	engine.Begin(&core.Call{Node: node, Value: bytes.Repeat([]byte("1"), 200)}, make(completions, 1))
	r := <-capture.requests
	checked, err := Options{URL: "mqtt://x"}.complete()
	require.NoError(b, err)
	counted := new(counters)
	c := newConn(near, &checked, new(anySink), counted)
	c.setLimits(limits{packet: maxMaxPacket, qos: 2, retain: true, receiveMaximum: 100})
	c.start(func() {}, nil)
	defer c.Close()
	rt := newRoute(node)
	size := len(appendRequest(nil, &rt.form, &r)) // all have this size, so the far end need not parse

	arrived := make([]chan struct{}, senders)
	order := make(chan int, senders) // who is next in what arrives
	for i := range arrived {
		arrived[i] = make(chan struct{}, 1)
	}
	var mu sync.Mutex // order is that of publishing
	var left atomic.Int64
	left.Store(int64(b.N))
	var all, reading sync.WaitGroup
	reading.Go(func() {
		buf := make([]byte, 1<<20)
		for had := 0; ; {
			n, err := far.Read(buf)
			if err != nil {
				return
			}
			for had += n; had >= size; had -= size {
				arrived[<-order] <- struct{}{}
			}
		}
	})
	b.ReportAllocs()
	b.ResetTimer()
	for i := range senders {
		all.Go(func() {
			own := r
			for left.Add(-1) >= 0 {
				mu.Lock()
				order <- i
				err := c.request(rt, &own)
				mu.Unlock()
				if err != nil {
					b.Error(err)
					return
				}
				<-arrived[i]
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(counted.packets.Load())/float64(counted.batches.Load()), "packets/write")
	far.Close()
	reading.Wait()
}
