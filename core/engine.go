package core

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
)

// Engine holds transactions and ends each exactly once. All methods may be called from many
// goroutines at once. It implements [Sink].
type Engine struct {
	bus      Bus
	options  Options
	clock    *clock
	shards   []shard
	desks    sync.Pool // *desk
	replies  sync.Pool // *Reply
	lastDesk atomic.Uint32
	driver   *driver
	batch    []held // the driver's
	waiters  WaiterPool

	held      atomic.Int64
	heldBytes atomic.Int64
	draining  atomic.Bool
	drained   chan struct{} // one token: held has reached 0 while draining

	turns sync.WaitGroup // timers and goroutines that give places of serial nodes to the next

	mu     sync.Mutex // guards the list of nodes and closed; taken by AddNode, Nodes and Close only
	nodes  []*Node
	closed bool
}

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
	e.replies.New = func() any { return new(Reply) }
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
	if options.Serial {
		node.gate = newGate()
	}
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
	closed, nodes := e.closed, e.nodes
	e.closed = true
	e.mu.Unlock()
	if closed {
		<-e.driver.stopped
		return nil
	}
	e.draining.Store(true)
	for _, n := range nodes {
		if n.gate != nil { // what waits has not left, and must not now
			n.gate.close(&e.turns)
		}
	}
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
	e.turns.Wait()
	return nil
}
