package core

import "time"

// A responder that needs longer says so: {"id":"…","extend":1500} adds 1500 ms to the deadline of its
// transaction. The added time is MaxExtend in all at most, and the requester's own limit stays
// where it is. What goes beyond is not added; the rest of it is.
//
// Only what was handed over can be prolonged. Who extends after the end is late, as with any answer.

// Why an extension is ignored.
const (
	errExtendOff     fault = "extend is not enabled for this node"
	errExtend        fault = "extend is not a positive whole number of milliseconds"
	errExtendUnsent  fault = "extend came before the request was handed over"
	errExtendUsedUp  fault = "all that may be added was added before"
	errExtendNotMore fault = "the requester does not wait longer"
)

// extension returns how much time an extend member asks for, at most MaxExtend.
func extension(node *Node, text []byte) (time.Duration, error) {
	if node.options.MaxExtend == 0 {
		return 0, errExtendOff
	}
	ms, ok := integer(text)
	if !ok || ms <= 0 {
		return 0, errExtend
	}
	if ms > node.options.MaxExtend.Milliseconds() {
		return node.options.MaxExtend, nil
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// extend is Resolve for an answer with extend alone.
func (e *Engine) extend(a Answer, k key, text []byte) {
	by, err := extension(a.Node, text)
	s := e.shardOf(k).extend(k, a.Node, by, err, e.clock.now())
	s.ID = k.id()
	e.observe(a, s)
}

// extend adds time to the deadline of a transaction, none if there is an error. It says what the
// answer is, and counts it.
func (sh *shard) extend(k key, node *Node, by time.Duration, err error, now int64) Stray {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	i := sh.slotOf(k)
	x := Stray{Kind: Ignored, Err: err}
	if s := sh.table.find(i, k); s == nil || s.node != node {
		var before past
		x.Kind, before = sh.strayLocked(i, k, node, now)
		x.Outcome, x.Lateness, x.Err = before.outcome, before.ago, nil
	} else if err == nil {
		if x.Added, x.Err = sh.prolongLocked(i, s, by); x.Err == nil {
			x.Kind = Extended
		}
	}
	sh.counts[node.index].answers[x.Kind]++
	return x
}

func (sh *shard) prolongLocked(i uint32, s *slot, by time.Duration) (time.Duration, error) {
	if s.mid&flagSent == 0 {
		return 0, errExtendUnsent
	}
	latest, why := s.begun+int64(s.node.options.Timeout+s.node.options.MaxExtend), errExtendUsedUp
	if s.mid&flagLimited != 0 {
		latest, why = sh.limits[i], errExtendNotMore
	}
	deadline := min(s.deadline+int64(by), latest)
	if deadline <= s.deadline {
		return 0, why
	}
	by = time.Duration(deadline - s.deadline)
	sh.wheel.disarm(&sh.table, i, s)
	s.deadline = deadline
	sh.wheel.arm(&sh.table, i, s)
	return by, nil
}

// limitOf is when the requester of a call has waited as long as he wants to, 0 if that is no
// earlier than what his node allows.
func limitOf(call *Call, now int64) int64 {
	o := &call.Node.options
	if o.MaxExtend == 0 || call.Timeout <= 0 || call.Timeout >= o.Timeout+o.MaxExtend {
		return 0
	}
	return now + int64(call.Timeout)
}

func (sh *shard) limitLocked(i uint32, s *slot, limit int64) {
	if sh.limits == nil {
		sh.limits = map[uint32]int64{}
	}
	sh.limits[i] = limit
	s.mid |= flagLimited
}
