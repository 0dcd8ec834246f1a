//go:build !race

package mqtt

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// discard completes and keeps nothing.
type discard struct{}

func (discard) Complete(core.Result) {}

// Nothing that a request or its answer does here makes garbage: not on the requester's goroutine,
// not on the one that writes, and not on the one that reads, decodes and resolves.
func TestNothingIsAllocated(t *testing.T) {
	bus, err := Dial(Options{URL: "mqtt://x", Logger: quiet()})
	require.NoError(t, err)
	engine, err := core.New(bus, core.Options{})
	require.NoError(t, err)
	defer engine.Close()
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "services/plant/line/1", Timeout: time.Hour})
	require.NoError(t, err)
	near, far := net.Pipe()
	defer far.Close()
	go io.Copy(io.Discard, far)
	c := newConn(near, &bus.broker, engine, &bus.counters)
	c.setLimits(limits{packet: maxMaxPacket, qos: 2, retain: true, receiveMaximum: 100})
	c.start(func() {}, nil)
	defer c.Close()
	bus.publishers[0].conn.Store(c)
	bus.answers.up.Store(true)
	bus.answers.all[0].active.Store(true)

	call := core.Call{Node: node, Value: []byte(`{"order":4711}`), Properties: []core.Property{{Name: "http-method", Value: "POST"}}}
	var buf []byte
	ask := func() {
		id := engine.Begin(&call, discard{})
		payload := append(append([]byte(`{"id":"`), id.String()...), `","value":{"done":true}}`...)
		buf = appendMessage(buf[:0], &Message{Topic: node.AnswerTopic(), Payload: payload, ContentType: "application/json"})
	}
	answer := func() { require.NoError(t, bus.answers.incoming(nil, buf[0], buf[2:])) }
	for range 1000 { // whatever grows has grown
		ask()
		answer()
	}
	begun := testing.AllocsPerRun(200, func() { engine.Cancel(engine.Begin(&call, discard{})) })
	require.Zero(t, begun, "allocations to publish")

	ids := make(chan []byte, 300)
	for range cap(ids) {
		ask()
		ids <- append([]byte(nil), buf...)
	}
	resolved := testing.AllocsPerRun(200, func() {
		packet := <-ids
		if err := bus.answers.incoming(nil, packet[0], packet[2:]); err != nil {
			t.Error(err)
		}
	})
	require.Zero(t, resolved, "allocations to resolve an answer")
	stats := engine.Stats(node)
	require.EqualValues(t, 1201, stats.Answers[core.Matched])
}
