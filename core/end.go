package core

import (
	"errors"
	"time"
)

// finish completes a transaction that the caller has taken out of its shard. It fills in what r
// lacks.
func (e *Engine) finish(h *held, r *Result, now int64) {
	h.key.put(&r.ID)
	r.Elapsed, r.Sent = time.Duration(now-h.begun), h.sent()
	e.release(h.node, h.size)
	if h.node.gate != nil {
		defer e.leave(h, r.Outcome) // also if a callback panics: others wait for the place
	}
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
				e.finish(h, &Result{Outcome: expiredAs(h.flags), Message: expiredWhy(h.flags)}, now)
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

func expiredWhy(flags uint16) string {
	switch {
	case flags&flagSent != 0:
		return "no answer came in time"
	case flags&flagWaiting != 0:
		return "waited behind another request of this serial node until its deadline"
	}
	return "the request could not be published in time"
}
