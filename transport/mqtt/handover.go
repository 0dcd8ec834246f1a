package mqtt

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// This is the writer's side of an outbox: what is taken out of it, and what becomes of it.

// take waits for something to write. Both nil: the connection has ended, and what overtakes
// has been taken before.
func (o *outbox) take() (control []byte, b *block) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		o.gather()
		if len(o.urgent) > 0 {
			control = o.urgent
			o.urgent, o.taken = o.taken[:0], control
		}
		if o.err == nil {
			b = o.takeBlock()
		}
		if control != nil || b != nil || o.err != nil {
			return control, b
		}
		o.more.Wait()
	}
}

// gather lets everybody run who is ready to: under load they have requests too, which then go
// out in the same write. Writing costs more than all else that is done for a request here.
// Without load nobody is ready, and it takes a fraction of a microsecond; o.mu is held.
func (o *outbox) gather() {
	o.mu.Unlock()
	runtime.Gosched()
	o.mu.Lock()
}

// takeBlock takes from the window and from the queue in turn: neither is held up by more than
// one block of the other; o.mu is held.
func (o *outbox) takeBlock() *block {
	o.turn = !o.turn
	if o.turn {
		if b := o.takeParcels(); b != nil {
			return b
		}
		return o.queue.pop()
	}
	if b := o.queue.pop(); b != nil {
		return b
	}
	return o.takeParcels()
}

// takeParcels puts what the window lets through into a block; o.mu is held.
func (o *outbox) takeParcels() *block {
	var b *block
	for b == nil || len(b.buf) < blockSize {
		p, ok := o.window.pop()
		if !ok {
			break
		}
		if b == nil {
			b = new(block)
		}
		packetID := o.window.start(p.packet, flight{id: p.id, unheard: p.account.unheard()})
		b.buf = append(b.buf, p.packet...)
		b.add(&p, packetID)
	}
	return b
}

// mark tells the engine that the requests of a block are now handed over, and drops those that
// it does not want sent any more.
func (o *outbox) mark(b *block) {
	b.keep(time.Now(), func(e *entry) bool {
		if e.id.IsZero() || o.sink.Sent(e.id) {
			return true
		}
		o.counters.expired.Add(1)
		if e.packetID != 0 {
			o.land(e.packetID)
		}
		return false
	})
	o.counters.packets.Add(uint64(len(b.entries)))
}

// done takes back a block that was written, or that the connection ended on.
func (o *outbox) done(b *block) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wait(-b.waiting)
	o.queue.recycle(b)
}

// abandon takes out what was not handed over before the connection ended: b, which the writer has
// and may be nil, and everything behind it. It goes back to the room of its node, if there is one,
// or ends as not sent.
func (o *outbox) abandon(b *block) {
	if b == nil {
		b = o.pop()
	}
	for ; b != nil; b = o.pop() {
		o.forsake(b.parcels(), b.waiting)
	}
	for parcels, bytes := o.remains(); parcels != nil; parcels, bytes = o.remains() {
		o.forsake(parcels, bytes)
	}
}

func (o *outbox) pop() *block {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queue.pop()
}

// remains takes out what waits in the window, some at a time.
func (o *outbox) remains() (parcels []parcel, bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.window.waiting) > 0 && bytes < blockSize {
		p := o.window.take()
		bytes += len(p.packet)
		parcels = append(parcels, p)
	}
	return parcels, bytes
}

func (o *outbox) forsake(parcels []parcel, bytes int) {
	lost := false
	for i := range parcels {
		switch p := &parcels[i]; {
		case p.id.IsZero():
			o.counters.dropped.Add(1)
			lost = true
		case p.account.room() != nil:
			o.back = append(o.back, *p)
		case o.sink.Fail(p.id, errEnded):
			o.counters.unsent.Add(1)
			lost = true
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost = o.lost || lost
	o.wait(-bytes)
}

// land says that the broker is done with a packet of QoS 1 or 2, and whose it was. False: it
// is not ours, or that was known already.
func (o *outbox) land(packetID uint16) (flight, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, ok := o.window.end(packetID)
	if ok {
		o.more.Signal()
		o.wait(0)
	}
	return f, ok
}

// flying says whose a packet of QoS 2 is that the broker goes on with; the zero flight: not ours.
func (o *outbox) flying(packetID uint16) flight {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.window.flying[packetID]
}

// finish comes last: what the broker has not acknowledged will not be acknowledged here. Those who
// go back to their room are there before there is another connection.
func (o *outbox) finish() {
	lost := false
	if len(o.back) > 0 {
		lost = o.back[0].account.room().takeBack(o.back) // on one connection all have the same
		o.back = nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost = o.lost || lost
	o.ended = true
	o.wait(0)
}

// drain waits until nothing waits to be written any more, or the connection ends, which is an error
// if something was not written. What is written may not be acknowledged: that is waited for for a
// moment, since the second half of QoS 2 follows it, and is no error. Only one caller at a time.
func (o *outbox) drain(ctx context.Context) error {
	o.mu.Lock()
	empty, idle := make(chan struct{}), make(chan struct{})
	o.empty, o.idle = empty, idle
	o.wait(0)
	o.mu.Unlock()
	look := time.NewTicker(5 * expireEvery)
	defer look.Stop()
	for !await(ctx, empty, look.C) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("mqtt: not everything was written to broker %s: %w", o.broker, err)
		}
		o.mu.Lock()
		o.dropExpired() // the window may be shut for good
		o.mu.Unlock()
	}
	brief, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	await(brief, idle, nil)
	return o.remainder()
}

// await waits for an event, which counts even if ctx has ended too. False: it did not come before
// ctx has ended, or before it is time to look after something.
func await(ctx context.Context, event <-chan struct{}, look <-chan time.Time) bool {
	select {
	case <-event:
		return true
	default:
	}
	select {
	case <-event:
		return true
	case <-look:
		return false
	case <-ctx.Done():
		return false
	}
}

// remainder says why something was not written when the connection ended, nil if everything was.
func (o *outbox) remainder() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.lost {
		return nil
	}
	return fmt.Errorf("mqtt: not everything was written to broker %s: %w", o.broker, o.err)
}
