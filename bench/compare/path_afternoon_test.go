package compare

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
	"github.com/google/uuid"

	"github.com/flowsync-go/flowsync/bench"
)

// afternoon is the gateway that a Go programmer writes in an afternoon with what is at hand:
// net/http, autopaho, a map with a mutex, a channel and time.After.
func afternoon(c bench.Config) (bench.Server, error) {
	ctx, cancel := context.WithCancel(context.Background())
	g := &afternoonGateway{waiting: map[string]chan json.RawMessage{}}
	if err := g.connect(ctx, c.Broker); err != nil {
		cancel()
		return bench.Server{}, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		cancel()
		return bench.Server{}, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+bench.Echo, g.serve)
	server := &http.Server{Handler: mux}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	stop := func() error {
		err := server.Close()
		<-served // which says that it was closed
		cancel()
		<-g.client.Done()
		return err
	}
	return bench.Server{Address: ln.Addr().String(), Stop: stop}, nil
}

type afternoonGateway struct {
	client *autopaho.ConnectionManager

	mu      sync.Mutex
	waiting map[string]chan json.RawMessage
}

type afternoonMessage struct {
	ID        string          `json:"id"`
	Timestamp int64           `json:"timestamp"`
	Value     json.RawMessage `json:"value"`
}

func (g *afternoonGateway) connect(ctx context.Context, broker string) error {
	subscribed := make(chan error, 1)
	var err error
	g.client, err = autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls: []*url.URL{{Scheme: "mqtt", Host: broker}},
		KeepAlive:  30,
		OnConnectionUp: func(client *autopaho.ConnectionManager, _ *paho.Connack) {
			_, err := client.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: bench.EchoTopic + "/tres"}}})
			select {
			case subscribed <- err:
			default:
			}
		},
		ClientConfig: paho.ClientConfig{
			ClientID:          "afternoon",
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){g.receive},
		},
	})
	if err != nil {
		return err
	}
	return <-subscribed
}

func (g *afternoonGateway) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 100_000))
	if err != nil || !json.Valid(body) {
		http.Error(w, "want JSON", http.StatusBadRequest)
		return
	}
	id := uuid.NewString()
	payload, err := json.Marshal(afternoonMessage{id, time.Now().UnixMilli(), body})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer := make(chan json.RawMessage, 1)
	g.mu.Lock()
	g.waiting[id] = answer
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		delete(g.waiting, id)
		g.mu.Unlock()
	}()
	if _, err := g.client.Publish(r.Context(), &paho.Publish{Topic: bench.EchoTopic + "/treq", Payload: payload}); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	select {
	case value := <-answer:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(value)
	case <-time.After(10 * time.Second):
		http.Error(w, "no answer", http.StatusGatewayTimeout)
	case <-r.Context().Done():
	}
}

func (g *afternoonGateway) receive(p paho.PublishReceived) (bool, error) {
	var m afternoonMessage
	if err := json.Unmarshal(p.Packet.Payload, &m); err != nil {
		return true, nil
	}
	g.mu.Lock()
	answer := g.waiting[m.ID]
	g.mu.Unlock()
	if answer != nil {
		select {
		case answer <- m.Value:
		default: // it was answered before
		}
	}
	return true, nil
}
