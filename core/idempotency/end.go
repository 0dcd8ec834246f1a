package idempotency

import (
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// Complete implements [core.Completer]: the transaction of the entry has ended. Whoever waits
// gets it, or waits on for a late answer.
func (e *entry) Complete(r core.Result) {
	http := unwrap(&r)
	after := stateAfter(&r)
	var message []byte
	if after == replied {
		message = encodeReply(&r, http)
	}
	t := e.table
	t.mu.Lock()
	e.identifyLocked(r.ID)
	ends := e.endLocked(after, message, &r)
	t.mu.Unlock()
	t.finish(ends)
}

// stateAfter says what an entry is after its transaction has ended.
func stateAfter(r *core.Result) state {
	switch {
	case r.Outcome == core.Answered, r.Outcome == core.ResponderError:
		return replied
	case r.RetrySafe(), r.Outcome == core.Cancelled && !r.Sent:
		return freed
	}
	return inDoubt
}

func (e *entry) endLocked(after state, message []byte, r *core.Result) (ends []ending) {
	t := e.table
	e.passed = r.Sent
	if after == freed && e.late != nil {
		after = inDoubt // whatever the broker says, it was carried out
	}
	switch {
	case after == replied:
		e.keepLocked(message)
	case after == freed:
		t.forgetLocked(e)
	case e.late != nil:
		message = e.late
		e.lateLocked(message)
	default:
		e.enterLocked(inDoubt)
	}
	for i := len(e.waiters) - 1; i >= 0; i-- { // from behind, as some are taken out
		ends = append(ends, e.endOneLocked(e.waiters[i], after, message, r)...)
	}
	if !time.Now().Before(e.until) {
		t.windows.remove(e)
		t.restLocked(e)
	}
	return ends
}

// endOneLocked says what the end of the transaction is to one of those who wait. None: he waits on.
func (e *entry) endOneLocked(w *waiter, after state, message []byte, r *core.Result) []ending {
	t, stats, joined := e.table, &w.node.stats, *r
	joined.Repeat, joined.Elapsed = core.Joined, 0
	ended := func(counter *uint64, r core.Result) []ending {
		t.detachLocked(w)
		return w.end(counter, r)
	}
	switch {
	case w.first:
		t.detachLocked(w)
		return []ending{{waiter: w, result: *r}}
	case w.leaving == core.Cancelled && unanswered(r.Outcome): // the deadline may have been before the engine's Cancel
		joined.Outcome, joined.Message, joined.Repeat = core.Cancelled, whyGone, 0
		return ended(&stats.Cancelled, joined)
	case r.Outcome == core.Cancelled && after == freed:
		joined.Outcome, joined.Message = core.NotPublished, whyUnsent
		return ended(&stats.Joined, joined)
	case after == inDoubt && message != nil:
		t.detachLocked(w)
		return w.replay(e, message)
	case after == inDoubt && w.leaving == core.Timeout:
		return ended(&stats.InDoubt, e.doubt(core.Timeout, whyDoubt))
	case after == inDoubt && unanswered(r.Outcome) && !t.drained:
		return nil
	case unanswered(r.Outcome): // his own deadline has not come, but nobody waits for late answers any more
		return ended(&stats.Shutdown, e.doubt(core.Shutdown, whyShutdown))
	}
	return ended(&stats.Joined, joined)
}

// unanswered says that a transaction ended without any answer, so that one may still come.
func unanswered(o core.Outcome) bool { return o == core.Timeout || o == core.Cancelled }
