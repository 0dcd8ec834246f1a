package core

import (
	"context"
	"math"
	"time"
)

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

// Begin holds a transaction open and publishes its request. done is told how it ended, exactly
// once, perhaps before Begin returns. The id is zero if the transaction was refused. Begin does
// not wait for the answer; it takes as long as Bus.Publish.
func (e *Engine) Begin(call *Call, done Completer) ID {
	now := e.clock.now()
	timeout := call.Node.options.Timeout
	if call.Timeout > 0 {
		timeout = min(timeout, call.Timeout)
	}
	d := e.desks.Get().(*desk)
	k := e.hold(call, done, e.shardFor(d), now, now+int64(timeout))
	if k != (key{}) {
		e.publish(call, k, &d.request, now, timeout)
	}
	e.desks.Put(d) // if a bus panics it is dropped
	return k.id()
}

// hold puts a transaction into its shard, or refuses it with a zero key.
func (e *Engine) hold(call *Call, done Completer, sh *shard, now, deadline int64) key {
	node := call.Node
	size := uint32(min(uint64(len(call.Value)), math.MaxUint32))
	if outcome, why := e.admit(node, size, now); outcome != 0 {
		sh.refuse(node, outcome)
		e.refused(node, outcome, why, done)
		return key{}
	}
	k, outcome := sh.begin(node, done, size, now, deadline, limitOf(call, now))
	if outcome != 0 {
		e.release(node, size)
		e.refused(node, outcome, whyNoSlot(outcome), done)
		return key{}
	}
	e.driver.notice(deadline)
	return k
}

func (e *Engine) publish(call *Call, k key, r *Request, now int64, timeout time.Duration) {
	start := e.clock.time(now)
	k.put(&r.ID)
	r.Node, r.Value, r.Properties, r.Meta, r.Key = call.Node, call.Value, call.Properties, call.Meta, call.Key
	r.Timestamp, r.Timeout, r.Deadline = start.UnixMilli(), timeout, start.Add(timeout)
	if call.Node.gate != nil {
		e.publishInTurn(k, r, now+int64(timeout))
		*r = Request{}
		return
	}
	err := e.bus.Publish(r)
	*r = Request{}
	if err != nil {
		e.Fail(k.id(), err)
	}
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
	case e.driver.tooLate(now) && e.overdue(now):
		why = whyTooLate
	default:
		return 0, ""
	}
	e.release(node, size)
	return outcome, why
}

// overdue says whether a transaction is held that should have ended more than MaxLate ago. See
// driver. It looks first where it found one before, because the driver may be long in getting there:
// else each that is shed would look at most shards in vain.
func (e *Engine) overdue(now int64) bool {
	sure := true
	first := e.driver.lateIn.Load()
	for n := range e.shards {
		i := (first + uint32(n)) & uint32(len(e.shards)-1)
		due, known := e.shards[i].oldest(now)
		if now-due > e.driver.maxLate {
			e.driver.lateIn.Store(i)
			return true
		}
		sure = sure && known
	}
	if sure {
		e.driver.lateSince.Store(now)
	}
	return false
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
