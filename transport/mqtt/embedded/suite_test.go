package embedded

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/transporttest"
)

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
	return transporttest.Features{Properties: true, Retain: true, Wait: true, NoSubscriber: true}
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
