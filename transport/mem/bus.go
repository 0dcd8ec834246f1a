package mem

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// ErrClosed is returned by everything but Publish after Close.
var ErrClosed = errors.New("mem: bus is closed")

// Bus is a bus inside the process. It implements [core.Bus], [core.Binder] and [core.Attacher].
// All methods may be called from many goroutines, and from handlers, except for Close.
type Bus struct {
	options Options
	wake    chan struct{} // one token: there is something to do
	stopped chan struct{}

	mu          sync.Mutex // guards all below; no callback under it
	sink        core.Sink
	outbox      []parcel                   // not yet on its way, in order; what waits for the broker too
	pending     int                        // in the outbox, in the hands of run, or on its way
	nodes       map[string]*core.Node      // by answer topic
	subscribers map[string][]*subscription // by topic, in order
	retained    map[string]*Message        // by topic
	away        bool                       // disconnected
	epoch       int                        // how often it was disconnected: what is older is lost
	closed      bool
}

// parcel is one message under way.
type parcel struct {
	message  *Message
	id       core.ID    // of a request; zero for everything else
	from     *core.Node // of a request
	deadline time.Time  // of a request
	to       *subscription
	node     *core.Node // of a retained answer that waits for nobody but this node
	epoch    int
}

// waits says whether it is a request that waits while the broker is away.
func (p *parcel) waits() bool { return p.from != nil && p.from.Wait() }

type subscription struct{ handler func(*Message) }

// New returns a running bus. Close it when it is not needed any more. The error lists everything
// that is wrong with the options.
func New(options Options) (*Bus, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	b := &Bus{
		options:     options,
		wake:        make(chan struct{}, 1),
		stopped:     make(chan struct{}),
		nodes:       map[string]*core.Node{},
		subscribers: map[string][]*subscription{},
		retained:    map[string]*Message{},
	}
	go b.run()
	return b, nil
}

// Bind implements [core.Binder].
func (b *Bus) Bind(sink core.Sink) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sink = sink
}

// Attach implements [core.Attacher]. A message that is retained on the answer topic is stale.
func (b *Bus) Attach(node *core.Node) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	b.nodes[node.AnswerTopic()] = node
	if m := b.retained[node.AnswerTopic()]; m != nil {
		b.putLocked(parcel{message: m, node: node})
	}
	return nil
}

// Publish implements [core.Bus].
func (b *Bus) Publish(r *core.Request) error {
	p := parcel{message: messageOf(r), id: r.ID, from: r.Node, deadline: r.Deadline}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return fmt.Errorf("%w: the bus is closed", core.ErrNotSent)
	case b.away && !p.waits():
		return fmt.Errorf("%w: the bus is disconnected", core.ErrNotSent)
	case b.pending >= b.options.Limit:
		return fmt.Errorf("%w: %d messages are under way", core.ErrShed, b.pending)
	}
	b.putLocked(p)
	return nil
}

// Send publishes a message, as a responder does. It copies what it keeps. While the bus is
// disconnected the message is lost.
func (b *Bus) Send(m Message) error { return b.send(m.clone()) }

// send takes a message over.
func (b *Bus) send(m *Message) error {
	p := parcel{message: m}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return ErrClosed
	case b.away:
		return nil
	case b.pending >= b.options.Limit:
		return fmt.Errorf("mem: %d messages are under way: %w", b.pending, core.ErrShed)
	}
	b.putLocked(p)
	return nil
}

func (b *Bus) putLocked(p parcel) {
	p.epoch = b.epoch
	b.pending++
	b.outbox = append(b.outbox, p)
	b.wakeUp()
}

func (b *Bus) wakeUp() {
	select {
	case b.wake <- struct{}{}:
	default: // it has a token
	}
}

// Subscribe calls handler for each message on topic, without wildcards, in the order of arrival
// and one at a time, until stop is called. It begins with the retained one, if there is any.
func (b *Bus) Subscribe(topic string, handler func(*Message)) (stop func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, ErrClosed
	}
	s := &subscription{handler}
	b.subscribers[topic] = append(b.subscribers[topic], s)
	if m := b.retained[topic]; m != nil {
		b.putLocked(parcel{message: m, to: s})
	}
	return func() { b.unsubscribe(topic, s) }, nil
}

func (b *Bus) unsubscribe(topic string, s *subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// A copy, because run may be going through the old one.
	left := slices.DeleteFunc(slices.Clone(b.subscribers[topic]), func(other *subscription) bool { return other == s })
	if len(left) == 0 {
		delete(b.subscribers, topic)
		return
	}
	b.subscribers[topic] = left
}

// Respond makes f the responder of a node topic (without /treq) until stop is called. Messages
// that are not requests, and retained ones, do not reach it.
func (b *Bus) Respond(topic string, f func(*Request)) (stop func(), err error) {
	return b.Subscribe(topic+"/treq", func(m *Message) {
		content, err := core.DecodeAnswer(m.Payload) // requests have the same form
		if err != nil || m.Retain {
			return
		}
		if m.ResponseTopic == "" {
			c := *m
			c.ResponseTopic = topic + "/tres"
			m = &c
		}
		f(&Request{Message: m, ID: content.ID, Value: content.Value, bus: b})
	})
}

// Disconnect takes the broker away: requests that have not left end as not_published, new ones
// are refused, messages under way and retained ones are lost. Subscriptions stay. Requests of nodes
// that wait (core.NodeOptions.Wait) and have not left, or come now, wait for Connect.
func (b *Bus) Disconnect() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = true
	b.epoch++
	clear(b.retained)
	b.wakeUp()
}

// Connect brings the broker back.
func (b *Bus) Connect() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = false
	b.wakeUp()
}

// Close stops the bus and returns when its goroutine has ended: no handler runs afterwards.
// Requests that have not left end as not_published. Further calls do nothing. It must not be
// called from a handler.
func (b *Bus) Close() error {
	b.mu.Lock()
	b.closed = true
	b.wakeUp()
	b.mu.Unlock()
	<-b.stopped
	return nil
}

func appendQuoted(dst []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil { // cannot be: every string can be written
		panic(err)
	}
	return append(dst, quoted...)
}
