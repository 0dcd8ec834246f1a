package idempotency

import (
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// waiter is a requester who has not got his outcome.
type waiter struct {
	node  *node
	done  core.Completer
	began time.Time
	limit time.Duration // from began to his deadline

	// Below: guarded by the table's lock.
	handle  uint64 // 0: he never waited
	entry   *entry
	place   int          // among the entry's waiters
	first   bool         // the transaction is his: its deadline is his, the engine counts him
	timer   *time.Timer  // of his own deadline, if he is not the first
	leaving core.Outcome // Cancelled or Timeout: the engine was told to cancel, because he was the last
}

// ending is how a waiter ends, outside the lock.
type ending struct {
	*waiter
	result  core.Result
	message []byte // the reply to give, instead of what result says
}

// enlistLocked puts a waiter into the list of an entry.
func (t *Table) enlistLocked(w *waiter, e *entry) {
	t.handle++
	w.handle, w.entry, w.place = t.handle, e, len(e.waiters)
	t.handles[w.handle] = w
	e.waiters = append(e.waiters, w)
	e.staying++
}

// waitLocked makes a repeated request wait for the outcome of an earlier one.
func (t *Table) waitLocked(w *waiter, e *entry) {
	t.enlistLocked(w, e)
	t.waiting++
	w.node.stats.Waiting++
	t.timers.Add(1)
	w.timer = time.AfterFunc(w.limit, func() {
		defer t.timers.Done()
		t.due(w)
	})
}

// detachLocked takes a waiter out of everything: whoever does that completes him.
func (t *Table) detachLocked(w *waiter) {
	e := w.entry
	last := len(e.waiters) - 1
	e.waiters[w.place] = e.waiters[last]
	e.waiters[w.place].place = w.place
	e.waiters[last] = nil
	e.waiters = e.waiters[:last]
	if w.leaving == 0 {
		e.staying--
	}
	delete(t.handles, w.handle)
	if w.first {
		return
	}
	t.waiting--
	w.node.stats.Waiting--
	if w.timer.Stop() {
		t.timers.Done()
	}
}

// Cancel ends a request because its requester is gone. False if it has ended. The transaction
// is cancelled only when all who asked with its key are gone.
func (t *Table) Cancel(id core.ID) bool {
	handle, ours := handleOf(id)
	if !ours {
		return t.engine.Cancel(id)
	}
	t.mu.Lock()
	w := t.handles[handle]
	if w == nil || w.leaving != 0 {
		t.mu.Unlock()
		return false
	}
	return t.leave(w, core.Cancelled)
}

// due ends a waiter whose deadline has come.
func (t *Table) due(w *waiter) {
	t.mu.Lock()
	if t.handles[w.handle] != w || w.leaving != 0 {
		t.mu.Unlock()
		return
	}
	t.leave(w, core.Timeout)
}

// leave ends a waiter who goes, why being Cancelled or Timeout. The lock is held, and released.
// If he is the last one who waits for a transaction, the engine ends it, and him.
func (t *Table) leave(w *waiter, why core.Outcome) bool {
	e := w.entry
	if e.state == inFlight && e.staying == 1 {
		w.leaving = why
		e.staying--
		id := e.id
		t.mu.Unlock()
		return t.engine.Cancel(id) // false: it ends in another way, and he with it
	}
	ends := t.leftLocked(w, why)
	t.restLocked(e)
	t.mu.Unlock()
	t.finish(ends)
	return true
}

// leftLocked is the end of a waiter while his entry goes on.
func (t *Table) leftLocked(w *waiter, why core.Outcome) []ending {
	e, stats := w.entry, &w.node.stats
	t.detachLocked(w)
	switch {
	case why == core.Timeout:
		return w.end(&stats.InDoubt, e.doubt(core.Timeout, e.whyDoubt()))
	case w.first:
		return w.end(&stats.Left, core.Result{ID: e.id, Outcome: core.Cancelled, Message: whyGone, Sent: e.passed})
	}
	return w.end(&stats.Cancelled, core.Result{ID: e.id, Outcome: core.Cancelled, Message: whyGone, Sent: e.passed})
}

func (e *entry) whyDoubt() string {
	if e.state == inFlight {
		return whyInFlight
	}
	return whyDoubt
}

// doubt is how a repeated request ends that there is no outcome for.
func (e *entry) doubt(outcome core.Outcome, why string) core.Result {
	return core.Result{ID: e.id, Outcome: outcome, Message: why, Sent: e.passed, Repeat: core.InDoubt}
}

// end counts the end of a waiter who was detached, or never waited.
func (w *waiter) end(counter *uint64, r core.Result) []ending {
	*counter++
	return []ending{{waiter: w, result: r}}
}

// replay ends him with the reply of an entry.
func (w *waiter) replay(e *entry, message []byte) []ending {
	w.node.stats.Replayed++
	return []ending{{waiter: w, result: core.Result{ID: e.id, Sent: true, Repeat: core.Replayed}, message: message}}
}

// finish completes waiters, outside the lock.
func (t *Table) finish(ends []ending) {
	for i := range ends {
		end := &ends[i]
		r := &end.result
		if end.message != nil {
			end.node.giveAgain(end.message, end.done, r)
		}
		if !end.first || r.Elapsed == 0 {
			r.Elapsed = time.Since(end.began)
		}
		end.done.Complete(*r)
	}
}

// Drain ends those who wait for a late answer, now and from now on, as shutdown. Those who have
// joined a transaction that is held go on waiting for it, as its first requester does.
func (t *Table) Drain() {
	t.mu.Lock()
	t.drained = true
	ends := t.endAllLocked(func(w *waiter) bool { return w.entry.state == inDoubt })
	t.mu.Unlock()
	t.finish(ends)
}

// endAllLocked ends waiters as shutdown; first requesters are the engine's to end.
func (t *Table) endAllLocked(which func(*waiter) bool) (ends []ending) {
	for _, w := range t.handles {
		if w.first || !which(w) {
			continue
		}
		e := w.entry
		t.detachLocked(w)
		ends = append(ends, w.end(&w.node.stats.Shutdown, e.doubt(core.Shutdown, whyShutdown))...)
		t.restLocked(e)
	}
	return ends
}

// Close ends all who wait (shutdown), hands to the store what it has to write, and returns when
// nothing of the table runs any more. Close the engine first: it ends those who asked first. It
// must not be called by a completer.
func (t *Table) Close() error {
	t.mu.Lock()
	t.drained, t.closed = true, true
	ends := t.endAllLocked(func(*waiter) bool { return true })
	t.mu.Unlock()
	t.finish(ends)
	t.timers.Wait()
	t.scribe.close()
	return nil
}
