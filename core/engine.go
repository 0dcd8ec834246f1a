package core

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Engine holds transactions and ends each exactly once. All methods may be called from many
// goroutines at once. It implements [Sink].
type Engine struct {
	bus      Bus
	options  Options
	clock    *clock
	shards   []shard
	desks    sync.Pool // *desk
	lastDesk atomic.Uint32
	driver   *driver
	batch    []held // the driver's
	waiters  WaiterPool

	held      atomic.Int64
	heldBytes atomic.Int64
	draining  atomic.Bool
	drained   chan struct{} // one token: held has reached 0 while draining

	mu     sync.Mutex // guards the list of nodes and closed; taken by AddNode, Nodes and Close only
	nodes  []*Node
	closed bool
}

// desk is what Begin works with. sync.Pool keeps one for each processor, so that at any time each
// processor begins its transactions on a shard of its own, and none makes garbage.
type desk struct {
	request Request
	shard   uint32
	used    uint32
}

// deskStay is how many transactions begin on a shard before a desk moves on to the next: enough
// to stay in the cache, and few enough to fill all tables, and the ends that they remember, alike.
const deskStay = 64

// New returns a running engine. If the bus is a [Binder] it is bound to the engine. The error
// lists everything that is wrong with the options.
func New(bus Bus, options Options) (*Engine, error) {
	if err := options.complete(runtime.GOMAXPROCS(0)); err != nil {
		return nil, err
	}
	for options.Instance == 0 {
		var random [2]byte
		rand.Read(random[:]) // never fails, see crypto/rand
		options.Instance = binary.BigEndian.Uint16(random[:])
	}
	e := &Engine{
		bus:     bus,
		options: options,
		clock:   newClock(),
		shards:  make([]shard, options.Shards),
		driver:  newDriver(options.MaxLate),
		batch:   make([]held, 0, advanceBudget),
		drained: make(chan struct{}, 1),
	}
	e.desks.New = func() any { return &desk{shard: e.lastDesk.Add(1)} }
	shardBits := uint32(bits.TrailingZeros(uint(options.Shards)))
	for i := range e.shards {
		var seed [32]byte
		rand.Read(seed[:])
		e.shards[i].init(uint32(i), shardBits, options.Instance, uint32(options.MaxInFlight), seed)
	}
	if b, ok := bus.(Binder); ok {
		b.Bind(e)
	}
	go e.driver.run(e.clock.now, e.expire)
	return e, nil
}

// AddNode adds a node; if the bus is an [Attacher] it is attached first. Add nodes before the
// first Begin that uses them.
func (e *Engine) AddNode(options NodeOptions) (*Node, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	for _, other := range e.nodes {
		if other.options.Name == options.Name || other.options.Topic == options.Topic {
			return nil, fmt.Errorf("core: node %q on topic %q: there is already node %q on topic %q", options.Name, options.Topic, other.options.Name, other.options.Topic)
		}
	}
	node := &Node{options: options, index: e.addCounters(), treq: options.Topic + "/treq", tres: options.Topic + "/tres"}
	if a, ok := e.bus.(Attacher); ok {
		if err := a.Attach(node); err != nil {
			return nil, err
		}
	}
	e.nodes = append(e.nodes, node)
	return node, nil
}

// addCounters makes room for a node's counters and returns their index. There must be room
// before the bus is attached, because an answer may arrive as soon as it has subscribed; and a
// node that the bus refuses keeps its own, because one may still arrive afterwards.
func (e *Engine) addCounters() (index int) {
	for i := range e.shards {
		sh := &e.shards[i]
		sh.mu.Lock()
		index = len(sh.counts)
		sh.counts = append(sh.counts, nodeCounts{})
		sh.mu.Unlock()
	}
	return index
}

// Nodes returns the nodes in the order in which they were added.
func (e *Engine) Nodes() []*Node {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*Node(nil), e.nodes...)
}

// Begin holds a transaction open and publishes its request. done is told how it ended, exactly
// once, perhaps before Begin returns. The id is zero if the transaction was refused. Begin does
// not wait for the answer; it takes as long as Bus.Publish.
func (e *Engine) Begin(call *Call, done Completer) ID {
	now := e.clock.now()
	node := call.Node
	size := uint32(min(len(call.Value), math.MaxUint32))
	d := e.desks.Get().(*desk)
	defer e.desks.Put(d)
	shard := e.shardFor(d)
	if outcome, why := e.admit(node, size, now); outcome != 0 {
		shard.refuse(node, outcome)
		e.refused(node, outcome, why, done)
		return ID{}
	}
	timeout := node.options.Timeout
	if call.Timeout > 0 {
		timeout = min(timeout, call.Timeout)
	}
	deadline := now + int64(timeout)
	k, outcome := shard.begin(node, done, size, now, deadline)
	if outcome != 0 {
		e.release(node, size)
		e.refused(node, outcome, whyNoSlot(outcome), done)
		return ID{}
	}
	e.driver.notice(deadline)
	start := e.clock.time(now)
	r := &d.request
	k.put(&r.ID)
	r.Node, r.Value, r.Properties, r.Meta = node, call.Value, call.Properties, call.Meta
	r.Timestamp, r.Timeout, r.Deadline = start.UnixMilli(), timeout, start.Add(timeout)
	err := e.bus.Publish(r)
	*r = Request{}
	id := k.id()
	if err != nil {
		e.Fail(id, err)
	}
	return id
}

const (
	whyShutdown = "the gateway is shutting down"
	whyTooMany  = "too many requests are held"
	whyTooLarge = "the requests held are too large in all"
	whyNodeFull = "too many requests of this node are held"
	whyTooLate  = "the gateway is overloaded: its deadlines come late"
)

// whyNoSlot says why a shard refuses.
func whyNoSlot(outcome Outcome) string {
	if outcome == Shutdown {
		return whyShutdown
	}
	return whyTooMany
}

// admit reserves a place for a transaction, or says why there is none. The place is taken
// before draining is looked at, so that either Drain sees the place or admit sees Drain.
func (e *Engine) admit(node *Node, size uint32, now int64) (Outcome, string) {
	held := e.held.Add(1)
	bytes := e.heldBytes.Add(int64(size))
	inFlight := int64(0)
	if node.options.MaxInFlight > 0 {
		inFlight = node.inFlight.Add(1)
	}
	outcome, why := Shed, ""
	switch {
	case e.draining.Load():
		outcome, why = Shutdown, whyShutdown
	case held > int64(e.options.MaxInFlight):
		why = whyTooMany
	case bytes > e.options.MaxHeldBytes:
		why = whyTooLarge
	case inFlight > int64(node.options.MaxInFlight):
		why = whyNodeFull
	case e.driver.tooLate(now):
		why = whyTooLate
	default:
		return 0, ""
	}
	e.release(node, size)
	return outcome, why
}

func (e *Engine) release(node *Node, size uint32) {
	if node.options.MaxInFlight > 0 {
		node.inFlight.Add(-1)
	}
	e.heldBytes.Add(-int64(size))
	if e.held.Add(-1) == 0 && e.draining.Load() {
		select {
		case e.drained <- struct{}{}:
		default:
		}
	}
}

func (e *Engine) refused(node *Node, outcome Outcome, why string, done Completer) {
	r := Result{Outcome: outcome, Message: why}
	if e.options.Observer != nil {
		e.options.Observer.Ended(node, r)
	}
	done.Complete(r)
}

func (e *Engine) shardFor(d *desk) *shard {
	sh := &e.shards[(d.shard+d.used/deskStay)&uint32(len(e.shards)-1)]
	d.used++
	return sh
}

// finish completes a transaction that the caller has taken out of its shard. It fills in what r
// lacks.
func (e *Engine) finish(h *held, r *Result, now int64) {
	h.key.put(&r.ID)
	r.Elapsed, r.Sent = time.Duration(now-h.begun), h.sent
	e.release(h.node, h.size)
	if e.options.Observer != nil {
		e.options.Observer.Ended(h.node, *r)
	}
	h.done.Complete(*r)
}

// shardOf returns the shard that an id of this engine points to.
func (e *Engine) shardOf(k key) *shard {
	return &e.shards[k.place()&uint32(len(e.shards)-1)]
}

func (e *Engine) own(k key) bool { return k.instance() == e.options.Instance }

// Sent implements [Sink].
func (e *Engine) Sent(id ID) bool {
	k := id.key()
	return e.own(k) && e.shardOf(k).sent(k, e.clock.now())
}

// Fail implements [Sink].
func (e *Engine) Fail(id ID, err error) bool {
	outcome := OutcomeOf(err)
	neverLeft := outcome == Shed || outcome == NotPublished && !errors.Is(err, ErrRefused)
	return e.endWith(id, outcome, err.Error(), neverLeft)
}

// Cancel ends a transaction because its requester is gone. False if it has ended.
func (e *Engine) Cancel(id ID) bool {
	return e.endWith(id, Cancelled, "the requester is gone", false)
}

func (e *Engine) endWith(id ID, outcome Outcome, why string, onlyUnsent bool) bool {
	k := id.key()
	if !e.own(k) {
		return false
	}
	now := e.clock.now()
	var h held
	ok := e.shardOf(k).end(k, outcome, now, onlyUnsent, &h)
	if ok {
		e.finish(&h, &Result{Outcome: outcome, Message: why}, now)
	}
	return ok
}

// expire ends what is due and returns when to call it again. The driver calls it.
func (e *Engine) expire(now int64) int64 {
	next := never
	for i := range e.shards {
		for {
			batch, at := e.shards[i].advance(now, e.batch[:0])
			for j := range batch {
				h := &batch[j]
				e.finish(h, &Result{Outcome: expiredAs(h.sent), Message: expiredWhy(h.sent)}, now)
				*h = held{}
			}
			if at > now {
				next = min(next, at)
				break
			}
			now = e.clock.now()
		}
	}
	return next
}

func expiredWhy(sent bool) string {
	if sent {
		return "no answer came in time"
	}
	return "the request could not be published in time"
}

// Drain refuses new transactions (shutdown) and waits until none is held. It returns the
// context's error if that comes first; the caller then ends what is left with Close.
func (e *Engine) Drain(ctx context.Context) error {
	e.draining.Store(true)
	for e.held.Load() > 0 {
		select {
		case <-e.drained:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Close ends everything that is held (shutdown), stops the driver and returns when both are
// done. Further calls of it do nothing. It does not close the bus.
func (e *Engine) Close() error {
	e.mu.Lock()
	closed := e.closed
	e.closed = true
	e.mu.Unlock()
	if closed {
		<-e.driver.stopped
		return nil
	}
	e.draining.Store(true)
	e.driver.close()
	batch := make([]held, 0, advanceBudget)
	for i := range e.shards {
		for from := uint32(1); from != 0; {
			var taken []held
			now := e.clock.now()
			taken, from = e.shards[i].close(now, from, batch[:0])
			for j := range taken {
				e.finish(&taken[j], &Result{Outcome: Shutdown, Message: whyShutdown}, now)
			}
		}
	}
	return nil
}

// Do is Begin for callers that want to wait. When ctx ends first the transaction ends as
// cancelled. The value of the result belongs to the caller.
func (e *Engine) Do(ctx context.Context, call *Call) Result {
	w := e.waiters.Acquire()
	id := e.Begin(call, w)
	select {
	case <-w.Done():
	case <-ctx.Done():
		e.Cancel(id)
		<-w.Done()
	}
	r := *w.Result()
	if r.Value != nil {
		r.Value = append([]byte{}, r.Value...)
	}
	w.Release()
	return r
}
