package rules

import (
	"errors"
	"sync"
)

// errHeld says that a rule keeps the message and will send it on later.
var errHeld = errors.New("held by a burst")

// Run is a pipeline at work on the messages of one mapping.
type Run struct {
	pipeline *Pipeline
	emit     func(Output)

	mu     sync.Mutex // guards all below; held during emit, so that outputs keep their order
	states []any      // one for each rule that has state
	stash  stashes
	closed bool
}

// Start begins a run with fresh state. emit gets what comes out, in order and never
// concurrently, on the goroutine that called Push or Close or on that of a timer: it must be
// quick, and must not call back into the Run.
func (p *Pipeline) Start(emit func(Output)) *Run {
	r := &Run{pipeline: p, emit: emit, states: make([]any, len(p.rules)), stash: stashes{}}
	for i, rule := range p.rules {
		if rule.start != nil {
			r.states[i] = rule.start()
		}
	}
	return r
}

// Push sends a message through the rules. What comes of it has been emitted when Push
// returns, except for what a burst holds. After Close it does nothing.
func (r *Run) Push(in Input) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.from(0, newMessage(in))
	}
}

// Close emits what bursts still hold and ends the run: nothing is emitted after it returns.
// It may be called more than once.
func (r *Run) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	for i := range r.states {
		if b, ok := r.states[i].(*batch); ok {
			r.flush(i, b)
		}
	}
	r.closed = true
}

// from runs the rules from the i-th on; mu is held.
func (r *Run) from(i int, m *message) {
	err := r.walk(i, m)
	if errors.Is(err, ErrFiltered) || errors.Is(err, errHeld) {
		return
	}
	out := Output{Err: err}
	if err == nil {
		out.Payload, out.Err = m.payload()
		out.Vars = m.topicVars()
	}
	r.emit(out)
}

func (r *Run) walk(i int, m *message) error {
	evaluating.Lock()
	defer evaluating.Unlock()
	pending := stashes{}
	defer r.stash.commit(&pending)
	way := run{recall: r.stash.recall, keep: pending.keep}
	for ; i < len(r.pipeline.rules); i++ {
		way.index, way.state, way.later, m.at = i, r.states[i], r.later, &r.pipeline.rules[i]
		if err := r.pipeline.rules[i].run(m, &way); err != nil {
			return r.pipeline.rules[i].failed(err)
		}
	}
	return nil
}

// later is what the timer of a burst calls.
func (r *Run) later(i int, b *batch, generation int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// 1. the timer fires; 2. the burst fills and is sent by Push, a new one begins;
	// 3. the timer's call gets here: the batch it was for is gone.
	if !r.closed && b.generation == generation {
		r.flush(i, b)
	}
}

// flush sends what a burst holds to the rules behind it.
func (r *Run) flush(i int, b *batch) {
	if m := b.take(); m != nil {
		r.from(i+1, m)
	}
}
