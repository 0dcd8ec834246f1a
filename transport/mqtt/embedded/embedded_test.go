package embedded

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/transporttest"
)

// patience is how long a test waits for something that must happen.
const patience = 20 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func receive[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		require.FailNow(t, "nothing came")
		panic("unreachable")
	}
}

// logged keeps what was logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// gateway is a broker with an engine and one node, "n" on topic "a".
type gateway struct {
	t      testing.TB
	broker *Broker
	engine *core.Engine
	node   *core.Node
	log    *logged
}

func newGateway(t testing.TB, o Options, n core.NodeOptions) *gateway {
	t.Helper()
	g := &gateway{t: t, log: new(logged)}
	o.Addr = "127.0.0.1:0"
	o.Logger = slog.New(slog.NewTextHandler(g.log, nil))
	var err error
	g.broker, err = Start(o)
	require.NoError(t, err)
	g.engine, err = core.New(g.broker, core.Options{MaxInFlight: 200_000})
	require.NoError(t, err)
	n.Name, n.Topic = "n", "a"
	if n.Timeout == 0 {
		n.Timeout = time.Minute
	}
	g.node, err = g.engine.AddNode(n)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, g.engine.Close())
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, g.broker.Close(ctx))
	})
	return g
}

// completions is a completer that passes results on.
type completions chan core.Result

func (c completions) Complete(r core.Result) {
	r.Value = append([]byte(nil), r.Value...)
	c <- r
}

func (g *gateway) begin(value string) (core.ID, completions) {
	done := make(completions, 1)
	return g.engine.Begin(&core.Call{Node: g.node, Value: []byte(value)}, done), done
}

func (g *gateway) end(done completions, want core.Outcome) core.Result {
	g.t.Helper()
	r := receive(g.t, done)
	require.Equal(g.t, want.String(), r.Outcome.String(), "%s", r.Message)
	return r
}

// until waits for something that shows only in counters.
func (g *gateway) until(condition func() bool) {
	g.t.Helper()
	require.Eventually(g.t, condition, patience, time.Millisecond)
}

func answerTo(request []byte, value string) []byte {
	_, rest, _ := strings.Cut(string(request), `"id":"`)
	return []byte(`{"id":"` + rest[:core.IDTextLen] + `","value":` + value + `}`)
}

// wire is a client that speaks MQTT 3.1.1 byte by byte.
type wire struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
	out  *bufio.Writer
}

// dial connects a client with MQTT 3.1.1, keep-alive off.
func (g *gateway) dial(id string, clean bool) *wire {
	g.t.Helper()
	conn, in := g.open()
	w := &wire{g.t, conn, in, bufio.NewWriterSize(conn, 64<<10)}
	_, err := conn.Write(connect(id, clean))
	require.NoError(g.t, err)
	kind, body := w.next()
	require.Equal(g.t, byte(0x20), kind)
	require.Zero(g.t, body[1], "the broker refused")
	return w
}

// open connects and says nothing.
func (g *gateway) open() (net.Conn, *bufio.Reader) {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.broker.Addr())
	require.NoError(g.t, err)
	g.t.Cleanup(func() { conn.Close() })
	return conn, bufio.NewReaderSize(conn, 64<<10)
}

func connect(id string, clean bool) []byte {
	flags := byte(0)
	if clean {
		flags = 2
	}
	return connectWith(flags, text(id))
}

func connectWith(flags byte, rest []byte) []byte {
	body := append([]byte{0, 4, 'M', 'Q', 'T', 'T', 4, flags, 0, 0}, rest...)
	return append([]byte{0x10, byte(len(body))}, body...)
}

func text(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }

func (w *wire) put(kind byte, body []byte) error {
	head := []byte{kind}
	for n := len(body); ; {
		b := byte(n & 127)
		if n >>= 7; n > 0 {
			head = append(head, b|128)
			continue
		}
		head = append(head, b)
		break
	}
	if _, err := w.out.Write(head); err != nil {
		return err
	}
	_, err := w.out.Write(body)
	return err
}

func (w *wire) send(kind byte, body []byte) {
	w.t.Helper()
	require.NoError(w.t, w.put(kind, body))
	require.NoError(w.t, w.out.Flush())
}

func (w *wire) subscribe(topic string, qos byte) {
	w.t.Helper()
	w.send(0x82, append(append([]byte{0, 9}, text(topic)...), qos))
	kind, body := w.next()
	require.Equal(w.t, byte(0x90), kind)
	require.Equal(w.t, qos, body[2])
}

func (w *wire) publish(flags byte, topic string, payload []byte) {
	w.t.Helper()
	w.send(0x30|flags, publication(flags, topic, payload))
}

func publication(flags byte, topic string, payload []byte) []byte {
	body := text(topic)
	if flags&6 != 0 {
		body = append(body, 0, 7)
	}
	return append(body, payload...)
}

func (w *wire) next() (kind byte, body []byte) {
	w.t.Helper()
	require.NoError(w.t, w.conn.SetReadDeadline(time.Now().Add(patience)))
	kind, body, err := w.read()
	require.NoError(w.t, err)
	return kind, body
}

func (w *wire) read() (kind byte, body []byte, err error) {
	if kind, err = w.in.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(w.in)
	if err != nil {
		return 0, nil, err
	}
	body = make([]byte, n)
	_, err = io.ReadFull(w.in, body)
	return kind, body, err
}

// message reads a PUBLISH.
func (w *wire) message() (topic string, payload []byte) {
	w.t.Helper()
	kind, body := w.next()
	require.Equal(w.t, byte(0x30), kind&0xf0)
	return split(kind, body)
}

func split(kind byte, body []byte) (topic string, payload []byte) {
	n := 2 + int(binary.BigEndian.Uint16(body))
	topic = string(body[2:n])
	if kind&6 != 0 {
		n += 2
	}
	return topic, body[n:]
}

// respond answers every request with its own value, until the connection ends.
func (w *wire) respond() (stopped <-chan struct{}) {
	w.t.Helper()
	w.subscribe("a/treq", 0)
	require.NoError(w.t, w.conn.SetReadDeadline(time.Time{}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			kind, body, err := w.read()
			if err != nil {
				return
			}
			_, payload := split(kind, body)
			request, err := core.DecodeAnswer(payload)
			if err != nil {
				return
			}
			answer := core.AppendRequest(nil, request.ID, 1, request.Value)
			if w.put(0x30, publication(0, "a/tres", answer)) != nil || w.in.Buffered() == 0 && w.out.Flush() != nil {
				return
			}
		}
	}()
	return done
}

// The bus passes what every bus passes, with an MQTT 5 client of another make as responder.
func TestConformance(t *testing.T) {
	transporttest.Bus(t, func(t *testing.T) transporttest.BusRig {
		b, err := Start(Options{Addr: "127.0.0.1:0"})
		require.NoError(t, err)
		return &rig{broker: b}
	})
}

type rig struct {
	broker *Broker
	mu     sync.Mutex // guards peers
	peers  []*paho.Client
}

func (r *rig) Bus() core.Bus               { return r.broker }
func (r *rig) Start(context.Context) error { return nil }

func (r *rig) Features() transporttest.Features {
	return transporttest.Features{Properties: true, Retain: true}
}

func (r *rig) Close(ctx context.Context) error {
	err := r.broker.Close(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.peers {
		<-c.Done()
	}
	return err
}

func (r *rig) Peer(ctx context.Context) (transporttest.Peer, error) {
	conn, err := net.Dial("tcp", r.broker.Addr())
	if err != nil {
		return nil, err
	}
	p := &peer{handlers: map[string]func(transporttest.Message){}}
	p.client = paho.NewClient(paho.ClientConfig{
		Conn:              conn,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){p.received},
	})
	if _, err := p.client.Connect(ctx, &paho.Connect{ClientID: fmt.Sprintf("peer-%p", p), CleanStart: true, KeepAlive: 30}); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.peers = append(r.peers, p.client)
	return p, nil
}

type peer struct {
	client   *paho.Client
	mu       sync.Mutex // guards handlers
	handlers map[string]func(transporttest.Message)
}

func (p *peer) received(r paho.PublishReceived) (bool, error) {
	p.mu.Lock()
	handle := p.handlers[r.Packet.Topic]
	p.mu.Unlock()
	props := r.Packet.Properties
	m := transporttest.Message{
		Topic: r.Packet.Topic, Payload: r.Packet.Payload, Retain: r.Packet.Retain,
		CorrelationData: props.CorrelationData, ResponseTopic: props.ResponseTopic, ContentType: props.ContentType,
	}
	if props.MessageExpiry != nil {
		m.Expiry = time.Duration(*props.MessageExpiry) * time.Second
	}
	for _, u := range props.User {
		m.Properties = append(m.Properties, core.Property{Name: u.Key, Value: u.Value})
	}
	if handle != nil {
		handle(m)
	}
	return true, nil
}

func (p *peer) Subscribe(topic string, handler func(transporttest.Message)) error {
	p.mu.Lock()
	p.handlers[topic] = handler
	p.mu.Unlock()
	_, err := p.client.Subscribe(context.Background(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: topic, QoS: 1}}})
	return err
}

func (p *peer) Publish(m transporttest.Message) error {
	_, err := p.client.Publish(context.Background(), &paho.Publish{
		Topic: m.Topic, Payload: m.Payload, Retain: m.Retain,
		Properties: &paho.PublishProperties{CorrelationData: m.CorrelationData, ResponseTopic: m.ResponseTopic, ContentType: m.ContentType},
	})
	return err
}
