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
		batch, soonest, closed := b.take(spare)
		b.leaveAll(n, batch)
		clear(batch)
		spare = batch[:0]
		if closed {
			return
		}
		b.arrive(n)
		b.rest(n, timer, soonest)
	}
}

// take empties the outbox. While the broker is away those who wait for it stay, until their
// deadline: soonest is the first of them, zero if nobody waits.
func (b *Bus) take(spare []parcel) (batch []parcel, soonest time.Time, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	batch, b.outbox = b.outbox, spare
	if !b.away || b.closed {
		return batch, soonest, b.closed
	}
	now := time.Now()
	leaving := batch[:0]
	for i := range batch {
		p := batch[i]
		if !p.waits() || !now.Before(p.deadline) {
			leaving = append(leaving, p)
			continue
		}
		b.outbox = append(b.outbox, p)
		if soonest.IsZero() || p.deadline.Before(soonest) {
			soonest = p.deadline
		}
	}
	return leaving, soonest, b.closed
}

// leaveAll puts a batch on its way. If the broker goes away meanwhile, who waits for it goes back
// to the front of the outbox, and with the first one all that follow, to keep the order.
func (b *Bus) leaveAll(n *network, batch []parcel) {
	now := time.Now()
	var back []parcel
	for i := range batch {
		p := &batch[i]
		if p.waits() && (len(back) > 0 || b.mustWait(p, now)) {
			back = append(back, *p)
			continue
		}
		b.leave(n, p, now)
	}
	if len(back) > 0 {
		b.mu.Lock()
		b.outbox = append(back, b.outbox...)
		b.wakeUp()
		b.mu.Unlock()
	}
}

// mustWait says whether a request waits for the broker. If not, it belongs to the connection that
// there is now.
func (b *Bus) mustWait(p *parcel, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away && !b.closed && now.Before(p.deadline) {
		return true
	}
	p.epoch = b.epoch
	return false
}

// leave puts a message from the outbox on its way. A request is marked sent just before.
func (b *Bus) leave(n *network, p *parcel, now time.Time) {
	b.mu.Lock()
	sink, lost := b.sink, b.closed || p.epoch != b.epoch
	unheard := p.from != nil && p.from.FailFast() && !p.from.Retain() && len(b.subscribers[p.message.Topic]) == 0
	b.mu.Unlock()
	request := p.from != nil
	copies := 0
	switch {
	case lost && request:
		sink.Fail(p.id, fmt.Errorf("%w: the bus was disconnected or closed", core.ErrNotSent))
	case request && unheard:
		sink.Fail(p.id, fmt.Errorf("%w to %s", core.ErrNoSubscriber, p.message.Topic))
	case lost || request && !sink.Sent(p.id):
	default:
		if request {
			p.message.setTimeLeft(p.deadline.Sub(now))
		}
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

// rest waits until the next message arrives, a request that waits has expired, or there is
// something new to do.
func (b *Bus) rest(n *network, timer *time.Timer, soonest time.Time) {
	if len(n.delayed) > 0 && (soonest.IsZero() || n.delayed[0].at.Before(soonest)) {
		soonest = n.delayed[0].at
	}
	if soonest.IsZero() {
		<-b.wake
		return
	}
	timer.Reset(time.Until(soonest))
	select {
	case <-b.wake:
	case <-timer.C:
	}
}
