package mqtt

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// outbox is what waits to be written on one connection.
//
// A request is written once or never. Before its bytes go to the socket the engine is asked
// (Sink.Sent); what it does not know any more, or whose deadline has passed, is dropped. When
// the connection ends, what was handed over stays held, for its answer may still come, and
// what was not is reported as not sent.
type outbox struct {
	sink     core.Sink // nil on a connection that publishes no requests
	broker   string    // for texts
	backlog  int       // the most that may wait, in bytes
	counters *counters

	mu       sync.Mutex // guards all below; a leaf: nothing else is locked or called under it
	more     sync.Cond  // there is something to write, or err is set
	urgent   []byte     // whole packets that overtake
	taken    []byte     // the buffer that the writer had; the two take turns
	queue    queue      // QoS 0
	window   window     // QoS 1 and 2
	messages account    // of what is no request
	turn     bool       // whose turn it is: of the window, if false
	limits   limits
	waiting  int           // bytes in queue and window, and in the writer's hands
	empty    chan struct{} // if not nil: to be closed when nothing waits, or ended is set
	idle     chan struct{} // likewise when everything is acknowledged, too
	err      error         // why the connection ended
	back     []parcel      // not handed over before it ended, and of nodes that wait for the next
	ended    bool          // the writer is done too: nothing moves any more
	lost     bool          // when it ended, something had not been written
}

// limits are what the broker allows (MQTT 5 §3.2.2.3).
type limits struct {
	packet         int
	qos            byte
	retain         bool
	receiveMaximum int
}

func (o *outbox) init(sink core.Sink, b *broker, counters *counters) {
	o.sink, o.broker, o.backlog, o.counters = sink, b.name, b.Backlog, counters
	o.more.L = &o.mu
	o.window = newWindow()
}

// setLimits comes before the first request.
func (o *outbox) setLimits(l limits) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.limits = l
	o.window.quota = l.receiveMaximum
}

// control appends whole packets that overtake everything else.
func (o *outbox) control(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.urgent = append(o.urgent, p...)
		o.more.Signal()
	}
}

// acknowledge writes a PUBACK or the like.
func (o *outbox) acknowledge(kind byte, packetID uint16) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.urgent = appendAck(o.urgent, kind, packetID)
		o.more.Signal()
	}
}

// stop ends the connection: nothing is accepted any more, the writer comes to its end. The
// first cause is kept, but for a timeout of TCP: the kernel tells it once, to who reads or to who
// writes, and to the other one that the connection is at its end.
func (o *outbox) stop(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil || errors.Is(o.err, io.EOF) && errors.Is(err, syscall.ETIMEDOUT) {
		o.err = err
		o.more.Signal()
	}
}

func (o *outbox) cause() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// request accepts a request to be written.
func (o *outbox) request(rt *route, r *core.Request) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.admit(&rt.account, rt.qos, rt.retain); err != nil {
		return err
	}
	b := o.queue.tail()
	start := len(b.buf)
	now := time.Now()
	b.buf = appendRequestLeft(b.buf, &rt.form, r, r.Deadline.Sub(now))
	return o.accept(b, start, rt.qos, parcel{account: &rt.account, id: r.ID, deadline: r.Deadline, since: now})
}

// resume accepts a request that has waited for a connection. It was admitted before, so it does not
// matter how much waits here.
func (o *outbox) resume(p *parcel) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	f := &p.account.route.form
	if err := o.able(f.qos, f.retain); err != nil {
		return err
	}
	b := o.queue.tail()
	start := len(b.buf)
	b.buf = append(b.buf, p.packet...)
	return o.accept(b, start, f.qos, *p)
}

// message accepts a message to be written.
func (o *outbox) message(m *Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.admit(&o.messages, m.QoS, m.Retain); err != nil {
		return err
	}
	b := o.queue.tail()
	start := len(b.buf)
	b.buf = appendMessage(b.buf, m)
	return o.accept(b, start, m.QoS, parcel{account: &o.messages, since: time.Now()})
}

// probe publishes an empty message that is not counted, ahead of everything else, to see what the
// broker says to it. It comes before the first request. False: it cannot.
func (o *outbox) probe(topic string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil || o.limits.qos < 1 || o.window.quota < 1 {
		return false
	}
	packet := appendProbe(nil, topic)
	o.window.start(packet, flight{probe: true})
	o.urgent = append(o.urgent, packet...)
	o.more.Signal()
	return true
}

// able says why nothing of the kind can be accepted; o.mu is held.
func (o *outbox) able(qos byte, retain bool) error {
	switch {
	case o.err != nil:
		return errEnded
	case qos > o.limits.qos:
		return fmt.Errorf("%w: the broker allows QoS %d at most, this is QoS %d", core.ErrNotSent, o.limits.qos, qos)
	case retain && !o.limits.retain:
		return fmt.Errorf("%w: the broker does not allow retained messages", core.ErrNotSent)
	}
	return nil
}

// admit says why nothing can be accepted; o.mu is held.
func (o *outbox) admit(a *account, qos byte, retain bool) error {
	if err := o.able(qos, retain); err != nil {
		return err
	}
	if qos > 0 && !a.mayWait(o.backlog-o.waiting) {
		o.dropExpired()
	}
	if !a.mayWait(o.backlog - o.waiting) {
		return errBacklog
	}
	return nil
}

// errBacklog is the same for all: in an overload it is what most are told.
var errBacklog = fmt.Errorf("%w: too many bytes wait to be written to the broker", core.ErrShed)

// accept takes the packet that was appended to b from start on, p is about it; o.mu is held.
func (o *outbox) accept(b *block, start int, qos byte, p parcel) error {
	size := len(b.buf) - start
	if size > o.limits.packet {
		b.buf = b.buf[:start]
		return fmt.Errorf("%w: it has %d bytes, the broker takes %d", core.ErrNotSent, size, o.limits.packet)
	}
	if qos == 0 {
		b.add(&p, 0)
	} else {
		p.packet = append([]byte(nil), b.buf[start:]...)
		o.window.push(p)
		b.buf = b.buf[:start]
	}
	p.account.add(size)
	o.wait(size)
	o.more.Signal()
	return nil
}

// wait counts bytes that wait; o.mu is held.
func (o *outbox) wait(bytes int) {
	o.waiting += bytes
	o.counters.backlog.Add(int64(bytes))
	if o.empty != nil && (o.ended || o.waiting == 0) {
		close(o.empty)
		o.empty = nil
	}
	if o.idle != nil && (o.ended || o.waiting == 0 && o.window.idle()) {
		close(o.idle)
		o.idle = nil
	}
}

// dropExpired drops what cannot be sent in time any more: when the broker acknowledges nothing,
// the window stays shut and only this makes room; o.mu is held.
func (o *outbox) dropExpired() {
	bytes := 0
	o.window.expire(time.Now(), func(p *parcel) {
		p.account.add(-len(p.packet))
		bytes += len(p.packet)
		o.counters.expired.Add(1)
	})
	if bytes > 0 {
		o.wait(-bytes)
	}
}
