package gateway

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/core"
)

// requestRules are the request rules of a node, with a goroutine of their own: a slow rule, here
// or of another node, must not keep a requester's goroutine from seeing that the deadline has
// passed or the requester is gone. One goroutine, because requests leave in order.
type requestRules struct {
	pipeline *rules.Pipeline
	next     core.Bus
	sink     core.Sink
	queue    *queue[*core.Request]
	closing  atomic.Bool
	stopped  chan struct{}
}

func startRequestRules(pipeline *rules.Pipeline, next core.Bus, sink core.Sink) *requestRules {
	n := &requestRules{
		pipeline: pipeline, next: next, sink: sink, queue: newQueue[*core.Request](), stopped: make(chan struct{}),
	}
	go n.work()
	return n
}

// requestOverhead is what a waiting request takes besides its value, in bytes, about: with
// properties and meta, both of which are bounded by the size of a request's head.
const requestOverhead = 1024

// publish copies a request and queues it.
func (n *requestRules) publish(r *core.Request) error {
	if n.closing.Load() {
		return errRulesClosed
	}
	own := r.Clone()
	if !n.queue.push(own, requestOverhead+len(own.Value)+len(own.Message)) {
		return fmt.Errorf("%w: too many requests wait for the rules of node %q", core.ErrShed, r.Node.Name())
	}
	return nil
}

var errRulesClosed = fmt.Errorf("%w: the gateway is shutting down", core.ErrNotSent)

func (n *requestRules) work() {
	defer close(n.stopped)
	for {
		r, ok := n.queue.pop()
		if !ok {
			return
		}
		if n.closing.Load() {
			n.sink.Fail(r.ID, errRulesClosed)
			continue
		}
		if !time.Now().Before(r.Deadline) {
			continue // the engine ends it
		}
		if err := n.apply(r); err != nil {
			n.sink.Fail(r.ID, err)
		}
	}
}

// apply runs the rules and publishes what they give. They see the whole message; a changed or
// dropped id or timestamp is put back, since without them no answer would find its way.
func (n *requestRules) apply(r *core.Request) error {
	message, err := n.pipeline.Apply(rules.Input{
		Payload: r.AppendMessage(nil),
		Topic:   r.Node.RequestTopic(),
		HTTP:    httpContext(r.Meta),
	})
	if err == nil {
		message, err = withIdentity(message, r.ID, r.Timestamp)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", core.ErrRuleFailed, err)
	}
	r.Message = message
	return n.next.Publish(r)
}

// close ends the goroutine. It waits for the rules that are running, which takes about a second
// at most.
func (n *requestRules) close() {
	n.closing.Store(true)
	n.queue.close()
	<-n.stopped
}
