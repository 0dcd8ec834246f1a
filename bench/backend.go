package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mem"
)

// maxHeld bounds what a responder keeps.
const maxHeld = 1 << 20

// holdTimeout is that of all transactions: none is to end by itself.
const holdTimeout = 10 * time.Minute

// Backend is an engine on a bus inside of the process, and the responder.
type Backend struct {
	Engine *core.Engine
	bus    *mem.Bus

	mu      sync.Mutex // guards all below
	holding bool
	held    []heldRequest
	more    chan struct{} // one token: there are more held
}

// heldRequest is as much of a request as a responder needs to answer it with its text.
type heldRequest struct {
	id    core.ID
	topic string
	value []byte
}

// NewBackend starts one.
func NewBackend() (*Backend, error) {
	bus, err := mem.New(mem.Options{})
	if err != nil {
		return nil, err
	}
	engine, err := core.New(bus, core.Options{})
	if err != nil {
		return nil, err
	}
	return &Backend{Engine: engine, bus: bus, more: make(chan struct{}, 1)}, nil
}

// AddNode adds a node with a responder. inspect is its core.NodeOptions.Inspect.
func (b *Backend) AddNode(name string, inspect func(*core.Reply) error) (*core.Node, error) {
	topic := "bench/" + name
	node, err := b.Engine.AddNode(core.NodeOptions{Name: name, Topic: topic, Timeout: holdTimeout, Inspect: inspect})
	if err != nil {
		return nil, err
	}
	_, err = b.bus.Respond(topic, b.respond)
	return node, err
}

// respond answers a request at once, on the bus's goroutine, or keeps it.
func (b *Backend) respond(r *mem.Request) {
	b.mu.Lock()
	if b.holding && len(b.held) < maxHeld {
		b.held = append(b.held, heldRequest{id: r.ID, topic: r.ResponseTopic, value: append([]byte(nil), r.Value...)})
		b.mu.Unlock()
		select {
		case b.more <- struct{}{}:
		default:
		}
		return
	}
	b.mu.Unlock()
	_ = r.Answer(r.Value) // a closed bus, or one that is full, shows as an answer that is lost
}

// Hold makes the responder keep requests from now on.
func (b *Backend) Hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holding = true
}

// AwaitHeld returns when so many requests are kept.
func (b *Backend) AwaitHeld(ctx context.Context, n int) error {
	for {
		b.mu.Lock()
		held := len(b.held)
		b.mu.Unlock()
		if held >= n {
			return nil
		}
		select {
		case <-b.more:
		case <-ctx.Done():
			return fmt.Errorf("bench: %d requests are held, want %d: %w", held, n, ctx.Err())
		}
	}
}

// Release answers what is kept, and everything at once from now on.
func (b *Backend) Release() error {
	b.mu.Lock()
	held := b.held
	b.held, b.holding = nil, false
	b.mu.Unlock()
	for _, r := range held {
		payload := core.AppendRequest(nil, r.id, time.Now().UnixMilli(), r.value) // answers have the same form
		if err := b.bus.Send(mem.Message{Topic: r.topic, Payload: payload}); err != nil {
			return err
		}
	}
	return nil
}

// Close ends engine and bus.
func (b *Backend) Close() error {
	err := b.Engine.Close()
	if closing := b.bus.Close(); err == nil {
		err = closing
	}
	return err
}
