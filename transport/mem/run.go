package mem

import (
	"fmt"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// run is the one goroutine of a bus: it moves messages from the outbox through the network to
// those who listen.
func (b *Bus) run() {
	defer close(b.stopped)
	n := newNetwork(&b.options)
	timer := time.NewTimer(maxDelay)
	defer timer.Stop()
	var spare []parcel
	for {
		batch, closed := b.take(spare)
		now := time.Now()
		for i := range batch {
			b.leave(n, &batch[i], now)
		}
		clear(batch)
		spare = batch[:0]
		if closed {
			return
		}
		b.arrive(n)
		b.rest(n, timer)
	}
}

// take empties the outbox.
func (b *Bus) take(spare []parcel) (batch []parcel, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	batch, b.outbox = b.outbox, spare
	return batch, b.closed
}

// leave puts a message from the outbox on its way. A request is marked sent just before.
func (b *Bus) leave(n *network, p *parcel, now time.Time) {
	b.mu.Lock()
	sink, lost := b.sink, b.closed || p.epoch != b.epoch
	b.mu.Unlock()
	request := !p.id.IsZero()
	copies := 0
	switch {
	case lost && request:
		sink.Fail(p.id, fmt.Errorf("%w: the bus was disconnected or closed", core.ErrNotSent))
	case lost || request && !sink.Sent(p.id):
	default:
		b.retain(p)
		copies = n.accept(*p, now)
	}
	b.settle(1 - copies)
}

// retain keeps a message that wants it and takes the mark off it: those who are subscribed
// already get it as any other (MQTT 5 §3.3.1.3, Retain As Published 0).
func (b *Bus) retain(p *parcel) {
	if !p.message.Retain || p.to != nil || p.node != nil {
		return
	}
	live := *p.message
	live.Retain = false
	b.mu.Lock()
	defer b.mu.Unlock()
	_, known := b.retained[live.Topic]
	switch {
	case len(live.Payload) == 0:
		delete(b.retained, live.Topic)
	case known || len(b.retained) < b.options.Limit:
		b.retained[live.Topic] = p.message
	}
	p.message = &live
}

// settle takes n messages off those that are under way.
func (b *Bus) settle(n int) {
	b.mu.Lock()
	b.pending -= n
	b.mu.Unlock()
}

// arrive delivers what is due.
func (b *Bus) arrive(n *network) {
	now := time.Now()
	for {
		p, ok := n.due(now)
		if !ok {
			return
		}
		b.deliver(&p)
		b.settle(1)
	}
}

func (b *Bus) deliver(p *parcel) {
	m := p.message
	b.mu.Lock()
	if b.closed || p.epoch != b.epoch {
		b.mu.Unlock()
		return
	}
	sink, node, subscribers := b.sink, p.node, b.subscribers[m.Topic]
	if p.to == nil && node == nil {
		node = b.nodes[m.Topic]
	}
	b.mu.Unlock()
	if p.to != nil {
		p.to.handler(m)
		return
	}
	if node != nil {
		sink.Resolve(core.Answer{Node: node, Payload: m.Payload, CorrelationData: m.CorrelationData, Stale: m.Retain})
	}
	if p.node != nil {
		return
	}
	for _, s := range subscribers {
		s.handler(m)
	}
}

// rest waits until the next message arrives or there is something new to do.
func (b *Bus) rest(n *network, timer *time.Timer) {
	if len(n.delayed) == 0 {
		<-b.wake
		return
	}
	timer.Reset(time.Until(n.delayed[0].at))
	select {
	case <-b.wake:
	case <-timer.C:
	}
}
