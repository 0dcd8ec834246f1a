package service

import (
	"sync/atomic"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/channel"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// held is a request that has operations which have not ended.
type held struct {
	service  *Service
	client   *client
	channel  *channel.Channel
	id       uint32 // of the request, on its channel
	handle   uint32
	response uint16 // the type id of its response
	asked    uint16 // the diagnostics that the client wants

	pending    atomic.Int32 // operations that have not ended, and one for whoever begins them
	results    []result     // of all items, each written once
	operations []operation  // does not grow once one of them has begun

	// Below: guarded by the client's lock.
	ended          ua.StatusCode // Bad: the request was to end as a whole
	cancelled      bool          // one of its operations was, so it does
	next, previous *held
}

// result is what an item of a Call, Write or Read ends with.
type result struct {
	status  ua.StatusCode
	info    *diagnostic     // why, in words; nil: nobody asked
	inputs  []ua.StatusCode // of the arguments of a Call
	outputs []*ua.Variant   // of a Call
	value   *ua.DataValue   // of a Read; status is not looked at if it is set
}

// operation is an item that a transaction answers.
type operation struct {
	held    *held
	node    *Node
	index   int                   // of its result
	number  uint64                // that of a Write or Read of its Variable
	text    []byte                // the value of its request, until it has begun
	written *ua.Variant           // what a Write wrote
	key     *core.Key             // of a Call, until it has begun; nil: it has none
	times   ua.TimestampsToReturn // of a Read
	part    value.Range           // of a Read

	id        core.ID // below: guarded by the client's lock; zero until it has begun
	cancelled bool    // it was to be cancelled before it had
}

// newHeld has room for the results of so many items. Nearly all requests have one: then all that is
// held is one piece of memory.
func (r *request) newHeld(items int) *held {
	if items != 1 {
		r.began = time.Now()
		return &held{results: make([]result, items)}
	}
	one := new(struct {
		held
		result    [1]result
		operation [1]operation
	})
	one.results, one.operations = one.result[:], one.operation[:0]
	return &one.held
}

// hold begins the operations of a request. The results of the other items are what they ended with.
func (r *request) hold(h *held) {
	h.service, h.client, h.channel, h.id, h.handle = r.service, r.client, r.channel, r.id, r.header.handle
	h.response, h.asked = r.entry.response, uint16(r.header.diagnostics)
	for i := range h.operations {
		h.operations[i].held = h
	}
	h.pending.Store(int32(len(h.operations)) + 1)
	h.service.held.Add(1)
	if !r.client.add(h) {
		h.service.release()
		r.fault(ua.StatusBadSessionClosed)
		return
	}
	limit := r.limit()
	for i := range h.operations {
		left := limit
		if limit > 0 && !r.began.IsZero() { // all have one deadline, whatever time the others took
			left = max(time.Millisecond, limit-time.Since(r.began))
		}
		h.operations[i].begin(left)
	}
	h.done()
}

// limit is how long an operation may take so that the answer is there before the client gives
// up; 0: it does not say.
func (r *request) limit() time.Duration {
	hint := r.header.timeout
	if hint == 0 {
		return 0
	}
	return max(time.Millisecond, hint-max(20*time.Millisecond, hint/20))
}

// begin starts the transaction, unless the request was ended before its turn came.
func (op *operation) begin(limit time.Duration) {
	c := op.held.client
	c.mu.Lock()
	cancelled := op.cancelled
	op.held.cancelled = op.held.cancelled || cancelled
	c.mu.Unlock()
	if cancelled {
		op.held.done()
		return
	}
	call := core.Call{Node: op.node.Transaction, Value: op.text, Timeout: limit, Key: op.key}
	id := op.held.service.options.Engine.Begin(&call, op)
	op.text, op.key = nil, nil
	c.mu.Lock()
	op.id = id
	cancelled = op.cancelled
	c.mu.Unlock()
	if cancelled {
		op.held.service.options.Engine.Cancel(id)
	}
}

// cancel cancels the transactions of a request. Those that have ended do not mind: false if all
// have.
//
//  1. The deadline of the last operation ends it; 2. the client's Cancel arrives and marks the request;
//  3. the response is made: nothing was cancelled, so it says what the engine has counted.
func (h *held) cancel() (some bool) {
	for i := range h.operations {
		op := &h.operations[i]
		h.client.mu.Lock()
		id := op.id
		op.cancelled = true
		h.client.mu.Unlock()
		if id == (core.ID{}) || h.service.options.Engine.Cancel(id) {
			some = true
		}
	}
	return some
}

// reads says that the operation is a Read.
func (op *operation) reads() bool { return op.held.response == id.ReadResponse_Encoding_DefaultBinary }

// Complete implements [core.Completer]. It runs on the goroutine that brought the end, which must
// survive whatever happens here, and the request is answered whatever happens.
func (op *operation) Complete(r core.Result) {
	defer op.held.done()
	to := &op.held.results[op.index]
	defer func() {
		if fault := recover(); fault != nil {
			op.held.service.panicked(fault)
			*to = result{status: ua.StatusBadInternalError}
		}
	}()
	to.status = op.node.statusOf(&r)
	switch {
	case r.Outcome == core.Cancelled:
		op.held.client.cancelled(op.held)
	case r.Outcome == core.Answered:
		to.status = op.answered(to, &r)
	case op.node.fallsBack(r.Outcome):
		to.status = op.substitute(to)
	}
	if to.status != ua.StatusOK && ofOperations(uint32(op.held.asked)) != 0 {
		to.info = op.node.diagnosticOf(&r)
	}
}

// answered takes over what the answer gave: what Inspect has left, or would have left, if the
// node of the transaction was made without it.
func (op *operation) answered(to *result, r *core.Result) ua.StatusCode {
	given := r.Extra
	if given == nil {
		var err error
		if given, err = op.node.given(r.Value, op.reads()); err != nil {
			r.Outcome, r.Message = core.BadResponse, err.Error()
			return ua.StatusBadUnknownResponse
		}
	}
	if outputs, ok := given.([]*ua.Variant); ok {
		to.outputs = outputs
		return ua.StatusOK
	}
	v, _ := given.(*ua.Variant)
	if v == nil {
		v = op.written
	}
	op.node.apply(op.number, v)
	if !op.reads() {
		return ua.StatusOK
	}
	part, status := op.part.Read(v)
	if status == ua.StatusOK {
		to.value = stamp(&ua.DataValue{Value: part, SourceTimestamp: time.Now()}, op.times)
	}
	return status
}

// done counts an operation off; the last one sends the response.
func (h *held) done() {
	if h.pending.Add(-1) > 0 {
		return
	}
	defer h.service.release()
	h.client.session.Touch() // who waited for us was not idle
	if ended := h.client.remove(h); ended != ua.StatusOK {
		h.channel.Send(h.id, encodeCancelled(h.handle, uint32(h.asked), ended))
		return
	}
	h.channel.Send(h.id, encodeResults(h.response, h.handle, uint32(h.asked), h.results))
}
