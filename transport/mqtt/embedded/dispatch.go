package embedded

import (
	"slices"
	"sync"

	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// dispatcher calls the handlers of Subscribe on a goroutine of its own, in the order in which
// messages were published.
type dispatcher struct {
	maxMessages, maxBytes int
	wake                  chan struct{} // one token: there is something to do

	mu     sync.RWMutex // guards all below; handlers are called outside, of the broker only stored messages are read inside
	subs   []*subscription
	queue  []delivery
	bytes  int
	closed bool
}

type subscription struct {
	filter string // without $share/group/
	qos    byte
	handle mqtt.Handler
}

// delivery is a message with the handler that it is for.
type delivery struct {
	sub     *subscription
	message mqtt.Message
}

// deliveryOverhead is what a delivery takes besides topic and payload, in bytes, about.
const deliveryOverhead = 128

func newDispatcher(o *Options) *dispatcher {
	return &dispatcher{maxMessages: o.MaxInFlight, maxBytes: o.MaxBacklog, wake: make(chan struct{}, 1)}
}

// subscribe queues what stored returns, and from then on what matches. It returns how many
// could not be queued.
//
// A message is stored before it is offered, so under the lock nothing can fall in between: what
// is stored later is offered later, and waits for the lock. What is stored, but not yet offered,
// comes twice, as it may from any broker.
func (d *dispatcher) subscribe(s *subscription, stored func() []mqtt.Message) (dropped int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range stored() {
		if !d.pushLocked(delivery{s, m}) {
			dropped++
		}
	}
	d.subs = append(d.subs, s)
	return dropped
}

// full says whether a message on topic has a handler that could not be given it now.
func (d *dispatcher) full(topic string, payload int) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	size := deliveryOverhead + len(topic) + payload
	if len(d.queue) < d.maxMessages && d.bytes+size <= d.maxBytes {
		return false
	}
	return d.wantsLocked(topic)
}

// wants says whether a handler matches a topic.
func (d *dispatcher) wants(topic string) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.wantsLocked(topic)
}

func (d *dispatcher) wantsLocked(topic string) bool {
	return slices.ContainsFunc(d.subs, func(s *subscription) bool { return mqtt.Match(s.filter, topic) })
}

// offer queues a message for each handler that it matches and returns how many could not be
// given it. The payload is kept until then; it must not change any more.
func (d *dispatcher) offer(m mqtt.Message) (dropped int) {
	d.mu.RLock()
	idle := len(d.subs) == 0
	d.mu.RUnlock()
	if idle {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.subs {
		if mqtt.Match(s.filter, m.Topic) && !d.pushLocked(delivery{s, m}) {
			dropped++
		}
	}
	return dropped
}

// pushLocked queues a message for one handler. False: there is no room.
func (d *dispatcher) pushLocked(one delivery) bool {
	size := one.size()
	if d.closed || len(d.queue) >= d.maxMessages || d.bytes+size > d.maxBytes {
		return false
	}
	one.message.QoS = min(one.message.QoS, one.sub.qos)
	d.queue = append(d.queue, one)
	d.bytes += size
	d.signal()
	return true
}

func (one *delivery) size() int {
	return deliveryOverhead + len(one.message.Topic) + len(one.message.Payload)
}

func (d *dispatcher) signal() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// run calls handlers until close. What is queued then is dropped.
func (d *dispatcher) run() {
	var batch []delivery
	for {
		d.mu.Lock()
		if d.closed {
			d.mu.Unlock()
			return
		}
		clear(batch)
		// What is being handled counts no more: the bound holds for each of the two slices.
		batch, d.queue, d.bytes = d.queue, batch[:0], 0
		d.mu.Unlock()
		for i := range batch {
			if i&63 == 0 && d.over() {
				return
			}
			batch[i].sub.handle(batch[i].message)
		}
		if len(batch) == 0 {
			<-d.wake
		}
		if cap(batch) > 4096 {
			batch = nil
		}
	}
}

func (d *dispatcher) over() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.closed
}

func (d *dispatcher) close() {
	d.mu.Lock()
	d.closed = true
	d.queue = nil
	d.mu.Unlock()
	d.signal()
}
