package fuzz

import (
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// The nodes of the fuzzed engine have this timeout, and responders may add this much.
const (
	nodeTimeout = 500 * time.Millisecond
	maxExtend   = 1500 * time.Millisecond
)

// transaction is the model's view of one.
type transaction struct {
	id       core.ID
	serial   bool
	deadline time.Time
	latest   time.Time // the deadline is never moved beyond it
	turnBy   time.Time // a turn that comes later is of no use
	sent     bool
	want     core.Outcome // 0: held
	ended    time.Time    // when, if it has

	published []publication  // what the model wants
	taken     []publication  // what the bus was given
	got       []core.Outcome // what its completer was told
}

// publication is when a request was given to the bus, and what it said was left of its time.
type publication struct {
	at   time.Time
	left time.Duration
}

// Complete implements core.Completer.
func (x *transaction) Complete(r core.Result) { x.got = append(x.got, r.Outcome) }

// waits says whether it has never been published, and still may be.
func (x *transaction) waits() bool { return x.want == 0 && x.serial && len(x.published) == 0 }

// model is a list of all transactions, and whose turn it is. Everything in it is a walk over that
// list.
type model struct {
	all     []*transaction
	turn    *transaction // who has the place of the serial node; nil: it is free
	fails   bool         // the bus does, whatever it is given
	closed  bool
	serial  []*transaction                // in the order in which they were published
	answers [2]map[core.AnswerKind]uint64 // of the node, of the serial node
}

func newModel() model {
	return model{answers: [2]map[core.AnswerKind]uint64{{}, {}}}
}

// begin adds a transaction to the model. limit is how long its requester waits, 0: for ever.
func (m *model) begin(serial bool, limit time.Duration) *transaction {
	now := time.Now()
	x := &transaction{serial: serial, deadline: now.Add(nodeTimeout), latest: now.Add(nodeTimeout + maxExtend)}
	if own := now.Add(limit); limit > 0 {
		if own.Before(x.deadline) {
			x.deadline = own
		}
		if own.Before(x.latest) {
			x.latest = own
		}
	}
	x.turnBy = x.deadline.Add(-x.deadline.Sub(now) / 20)
	m.all = append(m.all, x)
	switch {
	case m.closed:
		x.want, x.ended = core.Shutdown, now
	case serial:
		m.settle(now)
	default:
		m.publish(x, now)
	}
	return x
}

func (m *model) publish(x *transaction, now time.Time) {
	x.published = append(x.published, publication{now, x.deadline.Sub(now)})
	if x.serial {
		m.serial = append(m.serial, x)
	}
	if m.fails {
		m.end(x, core.NotPublished, now)
	}
}

// settle gives the place, if it is free, to the first who waits and has the time to be answered. Those
// before him end.
func (m *model) settle(now time.Time) {
	if m.turn != nil || m.closed {
		return
	}
	for _, x := range m.all {
		if !x.waits() {
			continue
		}
		if !now.After(x.turnBy) {
			m.turn = x
			m.publish(x, now)
			return
		}
		m.end(x, core.Shed, now)
	}
}

// end ends a transaction. False: it has ended before.
func (m *model) end(x *transaction, o core.Outcome, now time.Time) bool {
	if x.want != 0 {
		return false
	}
	x.want, x.ended = o, now
	if m.turn == x && !(o == core.Cancelled && x.sent) { // the responder may be at work
		m.free(now)
	}
	return true
}

func (m *model) free(now time.Time) {
	m.turn = nil
	m.settle(now)
}

// expire lets deadlines come, one time after the other, up to now.
func (m *model) expire(now time.Time) {
	for {
		at, any := m.nextDeadline()
		if !any || now.Before(at) {
			return
		}
		for _, x := range m.all {
			if x.want == 0 && x.deadline.Equal(at) {
				m.end(x, x.expired(), at)
			}
		}
		if m.turn != nil && m.turn.want != 0 && m.turn.deadline.Equal(at) { // its requester had gone
			m.free(at)
		}
	}
}

// nextDeadline is the earliest at which anything happens.
func (m *model) nextDeadline() (at time.Time, any bool) {
	for _, x := range m.all {
		if (x.want == 0 || x == m.turn) && !m.closed && (!any || x.deadline.Before(at)) {
			at, any = x.deadline, true
		}
	}
	return at, any
}

func (x *transaction) expired() core.Outcome {
	switch {
	case x.sent:
		return core.Timeout
	case x.waits():
		return core.Shed
	}
	return core.NotPublished
}

func (m *model) close(now time.Time) {
	m.closed = true
	for _, x := range m.all {
		m.end(x, core.Shutdown, now)
	}
}

// answer says what an answer is called that comes now. outcome is how it ends its transaction; 0: it
// asks for more time instead.
func (m *model) answer(x *transaction, outcome core.Outcome, more time.Duration, now time.Time) core.AnswerKind {
	if x.want == 0 {
		if outcome == 0 {
			return x.extend(more)
		}
		m.end(x, outcome, now)
		return core.Matched
	}
	if m.turn == x && outcome != 0 {
		m.free(now)
	}
	switch {
	case x.id.IsZero(), now.Sub(x.ended) > time.Minute: // ends are remembered for a minute
		return core.Unknown
	case x.want == core.Answered, x.want == core.ResponderError:
		return core.Duplicate
	}
	return core.Late
}

// extend adds time as far as that is allowed.
func (x *transaction) extend(more time.Duration) core.AnswerKind {
	deadline := x.deadline.Add(more)
	if deadline.After(x.latest) {
		deadline = x.latest
	}
	if !x.sent || !deadline.After(x.deadline) {
		return core.Ignored
	}
	x.deadline = deadline
	return core.Extended
}
