package transporttest

import (
	"slices"
	"sync"

	"github.com/flowsync-go/flowsync/core"
)

// tap stands between engine and bus: it counts what passes, makes trouble where a case asks for
// it, and spoils byte slices as soon as their next owner must not look at them any more.
type tap struct {
	bus  core.Bus
	sink core.Sink

	before func(*core.Request) // if set, called before the bus gets a request
	after  func(*core.Request) // if set, called when the bus has taken it

	mu      sync.Mutex // guards all below
	sent    map[core.ID]int
	order   []core.ID // of the first calls of Sent
	refused map[core.ID]bool
}

func newTap(bus core.Bus) *tap {
	return &tap{bus: bus, sent: map[core.ID]int{}, refused: map[core.ID]bool{}}
}

// Bind implements core.Binder.
func (p *tap) Bind(sink core.Sink) {
	p.sink = sink
	p.bus.(core.Binder).Bind(p)
}

// Attach implements core.Attacher.
func (p *tap) Attach(node *core.Node) error {
	if a, ok := p.bus.(core.Attacher); ok {
		return a.Attach(node)
	}
	return nil
}

// Publish implements core.Bus.
func (p *tap) Publish(r *core.Request) error {
	if p.before != nil {
		p.before(r)
	}
	err := p.bus.Publish(r)
	if p.after != nil {
		p.after(r)
	}
	return err
}

// Sent implements core.Sink.
func (p *tap) Sent(id core.ID) bool {
	p.mu.Lock()
	if p.sent[id]++; p.sent[id] == 1 {
		p.order = append(p.order, id)
	}
	refused := p.refused[id]
	p.mu.Unlock()
	return !refused && p.sink.Sent(id)
}

// Resolve implements core.Sink. The engine gets a copy that is spoiled afterwards.
func (p *tap) Resolve(a core.Answer) bool {
	payload := append([]byte{}, a.Payload...)
	a.Payload = payload
	ok := p.sink.Resolve(a)
	spoil(payload)
	return ok
}

// Fail implements core.Sink.
func (p *tap) Fail(id core.ID, err error) bool { return p.sink.Fail(id, err) }

// refuse makes Sent return false for a request.
func (p *tap) refuse(id core.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused[id] = true
}

// timesSent is how often the bus has called Sent for a request.
func (p *tap) timesSent(id core.ID) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent[id]
}

// handed returns the requests for which Sent was called, in that order.
func (p *tap) handed() []core.ID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.order)
}

func spoil(b []byte) {
	for i := range b {
		b[i] = '!'
	}
}
