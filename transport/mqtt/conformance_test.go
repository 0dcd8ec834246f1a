package mqtt

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	mochipackets "github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/transporttest"
)

// TestConformance runs the suite against a broker in this process, over TCP.
func TestConformance(t *testing.T) {
	transporttest.Bus(t, func(t *testing.T) transporttest.BusRig {
		return newRig(t, &mochiBroker{address: freeAddress(t)})
	})
}

func freeAddress(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// process is a broker that can be taken away and brought back, empty, at the same address.
type process interface {
	start() error
	kill() error
	at() string // host:port
}

type mochiBroker struct {
	address  string
	server   *mochi.Server
	listener *tracked
}

// tracked is a listener that can cut its connections.
type tracked struct {
	net.Listener
	mu    sync.Mutex // guards conns
	conns []net.Conn
}

func (l *tracked) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.conns = append(l.conns, c)
	}
	return c, err
}

func (l *tracked) cut() {
	l.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.Close()
	}
}

// everybody may do everything.
type everybody struct{ mochi.HookBase }

func (*everybody) Provides(kind byte) bool {
	return kind == mochi.OnConnectAuthenticate || kind == mochi.OnACLCheck
}
func (*everybody) OnConnectAuthenticate(*mochi.Client, mochipackets.Packet) bool { return true }
func (*everybody) OnACLCheck(*mochi.Client, string, bool) bool                   { return true }

func (m *mochiBroker) at() string { return m.address }

func (m *mochiBroker) start() error {
	l, err := net.Listen("tcp", m.address)
	if err != nil {
		return err
	}
	m.listener = &tracked{Listener: l}
	m.server = mochi.New(&mochi.Options{Logger: quiet()})
	if err := m.server.AddHook(new(everybody), nil); err != nil {
		return err
	}
	if err := m.server.AddListener(listeners.NewNet("tcp", m.listener)); err != nil {
		return err
	}
	return m.server.Serve()
}

// kill cuts the connections and waits until mochi has noticed: its Close takes a read lock
// twice, and stands still for ever if a client that leaves asks for the lock in between.
func (m *mochiBroker) kill() error {
	m.listener.cut()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for began := time.Now(); atomic.LoadInt64(&m.server.Info.ClientsConnected) > 0; <-look.C {
		if time.Since(began) > patience {
			return errors.New("mochi still has clients")
		}
	}
	return m.server.Close()
}

// rig is a bus with its broker and its peers.
type rig struct {
	process process
	bus     *Bus
	reports bool // the broker says that nobody is subscribed; mochi does not

	mu     sync.Mutex // guards both below
	peers  []*peer
	closed bool
}

func newRig(t *testing.T, p process) *rig {
	require.NoError(t, p.start())
	bus, err := Dial(Options{URL: "mqtt://" + p.at(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	return &rig{process: p, bus: bus}
}

func (r *rig) Bus() core.Bus                       { return r.bus }
func (r *rig) Start(ctx context.Context) error     { return r.bus.Start(ctx) }
func (r *rig) Connected(ctx context.Context) error { return r.bus.Start(ctx) }
func (r *rig) Break() error                        { return r.process.kill() }
func (r *rig) Mend() error                         { return r.process.start() }

func (r *rig) Features() transporttest.Features {
	return transporttest.Features{Properties: true, Retain: true, Wait: true, NoSubscriber: r.reports}
}

func (r *rig) Peer(ctx context.Context) (transporttest.Peer, error) {
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", r.process.at())
	if err != nil {
		return nil, err
	}
	p := &peer{handlers: map[string]func(transporttest.Message){}}
	p.client = paho.NewClient(paho.ClientConfig{Conn: raw, OnPublishReceived: []func(paho.PublishReceived) (bool, error){p.receive}})
	_, err = p.client.Connect(ctx, &paho.Connect{ClientID: "peer-" + raw.LocalAddr().String(), CleanStart: true, KeepAlive: 60})
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.peers = append(r.peers, p)
	}
	return p, err
}

func (r *rig) Close(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	err := r.bus.Close(ctx)
	for _, p := range r.peers {
		p.client.Disconnect(&paho.Disconnect{}) // its broker may be gone
	}
	return errors.Join(err, r.process.kill())
}

// peer is a responder with paho, as users write them.
type peer struct {
	client *paho.Client

	mu       sync.Mutex // guards handlers
	handlers map[string]func(transporttest.Message)
}

func (p *peer) Subscribe(topic string, handler func(transporttest.Message)) error {
	p.mu.Lock()
	p.handlers[topic] = handler
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := p.client.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: topic, QoS: 1, RetainAsPublished: true}}})
	return err
}

func (p *peer) receive(got paho.PublishReceived) (bool, error) {
	p.mu.Lock()
	handler := p.handlers[got.Packet.Topic]
	p.mu.Unlock()
	if handler == nil {
		return false, nil
	}
	in := got.Packet.Properties
	m := transporttest.Message{Topic: got.Packet.Topic, Payload: got.Packet.Payload, Retain: got.Packet.Retain,
		CorrelationData: in.CorrelationData, ResponseTopic: in.ResponseTopic, ContentType: in.ContentType}
	if in.MessageExpiry != nil {
		m.Expiry = time.Duration(*in.MessageExpiry) * time.Second
	}
	for _, u := range in.User {
		m.Properties = append(m.Properties, core.Property{Name: u.Key, Value: u.Value})
	}
	handler(m)
	return true, nil
}

func (p *peer) Publish(m transporttest.Message) error {
	out := &paho.PublishProperties{CorrelationData: m.CorrelationData, ResponseTopic: m.ResponseTopic, ContentType: m.ContentType}
	for _, property := range m.Properties {
		out.User.Add(property.Name, property.Value)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := p.client.Publish(ctx, &paho.Publish{Topic: m.Topic, Payload: m.Payload, Retain: m.Retain, Properties: out})
	return err
}
