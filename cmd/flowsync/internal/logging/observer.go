package logging

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// Transactions says which ends and stray answers are written.
type Transactions string

// The choices.
const (
	None   Transactions = "none"   // neither ends nor stray answers
	Failed Transactions = "failed" // all but answered transactions
	All    Transactions = "all"    // answered ones too, at debug
)

// queueLines is how many lines wait for the writer; above it they are suppressed.
const queueLines = 1024

// Observer writes a line for the end of a transaction and for an answer that completed nothing.
// It implements [core.Observer] and never blocks. Close it after the engine.
type Observer struct {
	handler slog.Handler
	which   Transactions
	epoch   time.Time

	nodes sync.Map // *core.Node → *[kinds]window; as many as there are nodes

	lines   chan slog.Record
	overdue chan struct{} // one token: a summary is due when the second is over
	close   sync.Once
	stop    chan struct{}
	stopped chan struct{}
}

// NewObserver returns a running observer.
func NewObserver(logger *slog.Logger, which Transactions) *Observer {
	o := &Observer{
		handler: logger.Handler(),
		which:   which,
		epoch:   time.Now(),
		lines:   make(chan slog.Record, queueLines),
		overdue: make(chan struct{}, 1),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	go o.write()
	return o
}

// Ended implements [core.Observer].
func (o *Observer) Ended(node *core.Node, r core.Result) {
	k := kindOfEnd(r.Outcome)
	if r.Outcome == core.Answered && o.which != All || !o.wanted(k) {
		return
	}
	if w := o.window(node, k); o.admit(w) {
		o.queue(w, endLine(node, &r))
	}
}

// Stray implements [core.Observer].
func (o *Observer) Stray(node *core.Node, s *core.Stray) {
	k := kindOfStray(s.Kind)
	if !o.wanted(k) {
		return
	}
	if w := o.window(node, k); o.admit(w) {
		o.queue(w, strayLine(node, s))
	}
}

func (o *Observer) wanted(k kind) bool {
	return o.which != None && o.handler.Enabled(context.Background(), k.level())
}

func (o *Observer) window(node *core.Node, k kind) *window {
	windows, ok := o.nodes.Load(node)
	if !ok {
		windows, _ = o.nodes.LoadOrStore(node, new([kinds]window))
	}
	return &windows.(*[kinds]window)[k]
}

func (o *Observer) second() int64 { return int64(time.Since(o.epoch) / time.Second) }

func (o *Observer) admit(w *window) bool {
	ok, first := w.admit(o.second())
	if first {
		o.remind()
	}
	return ok
}

func (o *Observer) queue(w *window, line slog.Record) {
	select {
	case o.lines <- line:
	default:
		if w.suppress() {
			o.remind()
		}
	}
}

// remind makes the writer sum up when the current second is over.
func (o *Observer) remind() {
	select {
	case o.overdue <- struct{}{}:
	default:
	}
}
