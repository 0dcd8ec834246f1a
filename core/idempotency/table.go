package idempotency

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// Table knows the keys. All methods may be called from many goroutines at once. It implements
// [core.Observer], to hear of late answers: give it to the engine, or pass on to it.
type Table struct {
	options Options
	engine  Engine
	wall    func() time.Time
	next    core.Bus
	sink    core.Sink
	nodes   atomic.Pointer[map[*core.Node]*node] // replaced by AddNode, never changed
	timers  sync.WaitGroup                       // deadlines of waiters
	scribe  scribe

	mu      sync.Mutex // guards all below; leaf: nothing blocks, no callback
	names   map[string]*node
	entries index[scope]
	ids     index[core.ID] // of those that an answer may still come for
	windows windows
	bytes   int64 // sum of all costs
	handles map[uint64]*waiter
	handle  uint64 // the last one
	waiting int    // waiters that are no first requesters
	writes  []write
	lines   map[*node]struct{} // nodes whose requests wait for the store
	parked  int                // these requests, in number
	volume  int64              // and in bytes
	drained bool
	closed  bool
	sealed  bool // nothing is written any more
}

// node is what the table knows of a node.
type node struct {
	name    string
	options NodeOptions // after AddNode

	// Below: guarded by the table's lock.
	stats    NodeStats
	doubtful int
	loaded   []*entry  // until AddNode
	line     []*parcel // requests that wait for the store, in order
	passing  bool      // one that was taken out of the line is being published
}

// New returns a table with what its store has kept; a store that cannot be read is an error, as
// are options that make no sense. Close it after the engine and before the store.
func New(options Options) (*Table, error) { return newTable(options, time.Now) }

func newTable(options Options, wall func() time.Time) (*Table, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	t := &Table{
		options: options, wall: wall,
		names: map[string]*node{}, entries: newIndex[scope](), ids: newIndex[core.ID](),
		handles: map[uint64]*waiter{}, lines: map[*node]struct{}{},
	}
	t.nodes.Store(&map[*core.Node]*node{})
	if options.Store == nil {
		return t, nil
	}
	if err := t.load(); err != nil {
		return nil, err
	}
	t.scribe.start(t)
	return t, nil
}

// Use says which engine holds the transactions. Once, before the first Begin.
func (t *Table) Use(engine Engine) { t.engine = engine }

// AddNode makes a node heed keys. Its NodeOptions.Inspect must be one that [Table.Inspect] has
// made. Add nodes before the first Begin that uses them. The error says what is wrong with the
// options.
func (t *Table) AddNode(of *core.Node, options NodeOptions) error {
	if options.Window == 0 {
		options.Window = DefaultWindow
	}
	if options.Window < 0 || options.Window > MaxWindow {
		return fmt.Errorf("idempotency: node %q has a Window of %v, want up to %v", of.Name(), options.Window, MaxWindow)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.nameLocked(of.Name())
	n.options = options
	all := map[*core.Node]*node{of: n}
	for other, known := range *t.nodes.Load() {
		all[other] = known
	}
	t.nodes.Store(&all)
	t.adoptLocked(n)
	return nil
}

func (t *Table) nameLocked(name string) *node {
	n := t.names[name]
	if n == nil {
		n = &node{name: name}
		t.names[name] = n
	}
	return n
}

// nodeOf is nil if the node was not added.
func (t *Table) nodeOf(n *core.Node) *node { return (*t.nodes.Load())[n] }

// Begin is what servers call in place of [core.Engine.Begin]. The id is a handle for Cancel and
// means nothing else.
func (t *Table) Begin(call *core.Call, done core.Completer) core.ID {
	if call.Key == nil {
		return t.engine.Begin(call, done)
	}
	n := t.nodeOf(call.Node)
	if n == nil {
		return t.engine.Begin(call, done)
	}
	w := &waiter{node: n, done: done, began: time.Now(), limit: call.Node.Timeout()}
	if call.Timeout > 0 {
		w.limit = min(w.limit, call.Timeout)
	}
	identity := identityOf(call)
	t.mu.Lock()
	e, ends := t.seatLocked(w, call.Key, identity)
	t.mu.Unlock()
	if e != nil {
		t.first(e, call)
	}
	t.finish(ends)
	return w.id()
}

// first begins the transaction of a new key. It may have ended when the engine returns.
func (t *Table) first(e *entry, call *core.Call) {
	own := *call
	own.Key = e.key
	id := t.engine.Begin(&own, e)
	t.mu.Lock()
	e.identifyLocked(id)
	t.mu.Unlock()
}

// seatLocked finds out what a request is. An entry is its own: it is the first one with its key.
// Otherwise it waits, unless it ends at once.
func (t *Table) seatLocked(w *waiter, key *core.Key, identity [32]byte) (*entry, []ending) {
	t.sweepLocked(w.began, sweepEach)
	stats := &w.node.stats
	e := t.findLocked(scope{w.node.name, key.User, key.Text}, w.began)
	switch {
	case e == nil && t.closed:
		stats.Begun++
		return nil, w.end(&stats.Shutdown, core.Result{Outcome: core.Shutdown, Message: whyShutdown})
	case e == nil && t.fullLocked(w.began, key):
		stats.Begun++
		return nil, w.end(&stats.Shed, core.Result{Outcome: core.Shed, Message: whyFull})
	case e == nil:
		return t.beginLocked(w, key, identity), nil
	}
	stats.Begun++
	switch {
	case e.identity != identity:
		return nil, w.end(&stats.Conflicts, core.Result{Repeat: core.Conflict, Message: whyConflict})
	case e.state == replied:
		return nil, w.replay(e, e.message)
	case e.state == inDoubt && t.drained, t.closed:
		return nil, w.end(&stats.Shutdown, e.doubt(core.Shutdown, whyShutdown))
	case t.waiting >= t.options.MaxWaiting:
		return nil, w.end(&stats.Shed, e.doubt(core.Shed, whyWaiting))
	}
	t.waitLocked(w, e)
	return nil, nil
}

// fullLocked says whether there is no room for a new key. Some of it is left to replies.
func (t *Table) fullLocked(now time.Time, key *core.Key) bool {
	full := func() bool {
		most := t.options.MaxBytes - t.options.MaxBytes/8
		return len(t.entries.of) >= t.options.MaxKeys || t.bytes+entryCost+int64(len(key.User)+len(key.Text)) > most
	}
	if full() {
		t.sweepLocked(now, sweepFull)
		return full()
	}
	return false
}

func (t *Table) beginLocked(w *waiter, key *core.Key, identity [32]byte) *entry {
	e := &entry{
		table: t, node: w.node, identity: identity, until: w.began.Add(w.node.options.Window),
		key: &core.Key{Text: strings.Clone(key.Text), User: strings.Clone(key.User)},
	}
	t.addLocked(e)
	w.first = true
	t.enlistLocked(w, e)
	return e
}

// Crowded is that of the engine.
func (t *Table) Crowded() bool { return t.engine.Crowded() }

// handleOf reads a handle. Handles are ids whose variant bits are 0; those of the engine's ids are
// 10 (RFC 9562 section 4.1).
func handleOf(id core.ID) (handle uint64, ours bool) {
	return binary.BigEndian.Uint64(id[:8]), id[8]>>6 == 0
}

func (w *waiter) id() (id core.ID) {
	binary.BigEndian.PutUint64(id[:8], w.handle)
	return id
}

const (
	whyShutdown = "the gateway is shutting down"
	whyFull     = "too many idempotency keys are in use; the key of this request is still free"
	whyWaiting  = "too many requests wait for the outcome of an earlier one with their idempotency key: ask again with the same key"
	whyConflict = "this idempotency key was used for a request with another value or other parameters: use a new key for each request, and the same one only to send the very same request again"
	whyDoubt    = "an earlier request with this idempotency key was published, or may have been, and has not been answered: whether it was carried out is not known"
	whyInFlight = "an earlier request with this idempotency key is still held: whether it is carried out is not known"
	whyGone     = "the requester is gone"
	whyUnsent   = "the earlier request with this idempotency key was cancelled before it was published"
)
