package responder_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/fuzz/chaos/broker"
	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/responder"
	"github.com/flowsync-go/flowsync/fuzz/chaos/script"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const topic = "services/plant/press"

// rig is a responder at a broker, and who asks it.
type rig struct {
	broker *broker.Broker
	conn   net.Conn
	in     *bufio.Reader
	n      int
	// connected says whenever the responder has connected and subscribed.
	connected chan struct{}
}

func newRig(t *testing.T, qos byte) *rig {
	t.Helper()
	b, err := broker.New(broker.Options{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	connected := make(chan struct{}, 10)
	var running sync.WaitGroup
	running.Go(func() {
		responder.Run(ctx, responder.Options{
			Broker: b.Addr(), ClientID: "responder", QoS: qos, Filters: []string{"services/plant/+/treq"},
			Logger: slog.New(slog.DiscardHandler), Deadline: map[string]time.Duration{topic: 100 * time.Millisecond},
		}, func() { connected <- struct{}{} })
	})
	<-connected
	r := &rig{broker: b, connected: connected}
	r.conn, err = net.Dial("tcp", b.Addr())
	require.NoError(t, err)
	require.NoError(t, r.conn.SetDeadline(time.Now().Add(20*time.Second)))
	r.in = bufio.NewReader(r.conn)
	hello := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect}, ProtocolVersion: 5,
		Connect: packets.ConnectParams{ProtocolName: []byte("MQTT"), Clean: true, ClientIdentifier: "asker"},
	}
	r.write(t, hello.ConnectEncode)
	subscribe := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, ProtocolVersion: 5, PacketID: 1,
		Filters: packets.Subscriptions{{Filter: "services/plant/+/tres"}},
	}
	r.write(t, subscribe.SubscribeEncode)
	for _, want := range []byte{packets.Connack, packets.Suback} {
		require.Equal(t, want, r.read(t).FixedHeader.Type)
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
		require.NoError(t, r.conn.Close())
		require.NoError(t, b.Close())
	})
	return r
}

func (r *rig) write(t *testing.T, encode func(*bytes.Buffer) error) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, encode(&b))
	_, err := b.WriteTo(r.conn)
	require.NoError(t, err)
}

func (r *rig) read(t *testing.T) (p packets.Packet) {
	t.Helper()
	first, err := r.in.ReadByte()
	require.NoError(t, err)
	require.NoError(t, p.FixedHeader.Decode(first))
	p.FixedHeader.Remaining, _, err = packets.DecodeLength(r.in)
	require.NoError(t, err)
	body := make([]byte, p.FixedHeader.Remaining)
	_, err = io.ReadFull(r.in, body)
	require.NoError(t, err)
	p.ProtocolVersion = 5
	if p.FixedHeader.Type == packets.Publish {
		require.NoError(t, p.PublishDecode(body))
	}
	return p
}

// ask publishes a request and returns its id.
func (r *rig) ask(t *testing.T, on string, value []byte) string {
	t.Helper()
	r.n++
	id := fmt.Sprintf("00000000-0000-4000-8000-%012d", r.n)
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	require.NoError(t, err)
	p := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish}, ProtocolVersion: 5, TopicName: on + "/treq",
		Payload:    fmt.Appendf(nil, `{"id":"%s","timestamp":1,"value":%s}`, id, value),
		Properties: packets.Properties{CorrelationData: raw},
	}
	r.write(t, p.PublishEncode)
	return id
}

func (r *rig) answer(t *testing.T) string {
	t.Helper()
	return string(r.read(t).Payload)
}

func TestScripts(t *testing.T) {
	r := newRig(t, 1)
	number := uint64(1)
	ask := func(s script.Script) (id, value string) {
		number++
		marker := script.Marker(number, s)
		v := history.AppendValue(nil, marker, 0)
		return r.ask(t, topic, v), string(v)
	}
	right := func(id, value string) string { return `{"id":"` + id + `","timestamp":1,"value":` + value + `}` }

	for _, s := range []script.Script{script.Echo, script.Soon, script.Slow, script.Late} {
		id, value := ask(s)
		require.Equal(t, right(id, value), r.answer(t), s)
	}
	for _, s := range []script.Script{script.Twice, script.Again} {
		id, value := ask(s)
		require.Equal(t, right(id, value), r.answer(t), s)
		require.Equal(t, right(id, value), r.answer(t), s)
	}
	id, _ := ask(script.Error)
	require.Contains(t, r.answer(t), `{"id":"`+id+`","timestamp":1,"error":{"code":`)
	id, _ = ask(script.Unusable)
	require.Contains(t, r.answer(t), `{"id":"`+id+`","timestamp":1,"result":`)
	id, value := ask(script.Malformed)
	require.Equal(t, `{"id":"`+id+`","value":`, r.answer(t))
	require.Equal(t, right(id, value), r.answer(t))
	id, value = ask(script.Stranger)
	require.Contains(t, r.answer(t), "stranger")
	require.Equal(t, right(id, value), r.answer(t))
	id, value = ask(script.Extend)
	require.Equal(t, `{"id":"`+id+`","extend":50}`, r.answer(t))
	require.Equal(t, right(id, value), r.answer(t))
	id, value = ask(script.Disagree)
	require.Equal(t, right(id, value), r.answer(t))
	require.Equal(t, right(id, value), r.answer(t))
	id, value = ask(script.Past)
	require.NotContains(t, r.answer(t), id)
	require.Equal(t, right(id, value), r.answer(t))
	_, value = ask(script.Correlated)
	require.Equal(t, `{"value":`+value+`}`, r.answer(t))
	_, value = ask(script.Upper)
	require.Contains(t, r.answer(t), value)
	_, _ = ask(script.Big)
	require.Greater(t, len(r.answer(t)), 20_000)
	id, _ = ask(script.Endless)
	for range 5 {
		require.Equal(t, `{"id":"`+id+`","extend":50}`, r.answer(t))
	}
	_, _ = ask(script.Silent)
	id, value = ask(script.Echo) // what is silent has not been answered before
	require.Equal(t, right(id, value), r.answer(t))
}

// The value of a Variable is a text; what is no request is not answered; the broker may forget.
func TestTextsAndStrangers(t *testing.T) {
	r := newRig(t, 0)
	marker := script.Marker(2, script.Echo)
	_ = r.ask(t, topic, []byte(`{"no":"marker"}`))
	id := r.ask(t, topic+"Text", fmt.Appendf(nil, "%q", history.Text(marker)))
	require.Equal(t, `{"id":"`+id+`","timestamp":1,"value":"`+history.Text(marker)+`"}`, r.answer(t))
}

// When the connection has ended it makes another one, and answers as before.
func TestConnectsAgain(t *testing.T) {
	r := newRig(t, 1)
	require.Equal(t, 1, r.broker.Disconnect("responder", 0x8b))
	<-r.connected
	require.EqualValues(t, 3, r.broker.Stats().Connects)
	value := history.AppendValue(nil, script.Marker(2, script.Echo), 0)
	id := r.ask(t, topic, value)
	require.Equal(t, `{"id":"`+id+`","timestamp":1,"value":`+string(value)+`}`, r.answer(t))
}
