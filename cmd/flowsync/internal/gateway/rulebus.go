package gateway

import (
	"errors"
	"fmt"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// bus is what the engine needs of the parts that requests go through.
type bus interface {
	core.Bus
	core.Binder
	core.Attacher
}

// ruleBus stands behind the engine and runs the rules of transaction nodes over their requests,
// which then go on to the next bus: the table of idempotency keys if there is one, else the link.
// Nodes are registered before the first request.
type ruleBus struct {
	bus
	sink     core.Sink
	requests map[*core.Node]*requestRules
}

func newRuleBus(next bus) *ruleBus {
	return &ruleBus{bus: next, requests: map[*core.Node]*requestRules{}}
}

// Bind implements core.Binder.
func (b *ruleBus) Bind(sink core.Sink) {
	b.sink = sink
	b.bus.Bind(sink)
}

// add registers the request rules of a node.
func (b *ruleBus) add(node *core.Node, pipeline *rules.Pipeline) {
	b.requests[node] = startRequestRules(pipeline, b.bus, b.sink)
}

// Publish implements core.Bus. Requests of nodes with rules wait for them in a queue.
func (b *ruleBus) Publish(r *core.Request) error {
	if node := b.requests[r.Node]; node != nil {
		return node.publish(r)
	}
	return b.bus.Publish(r)
}

// stop ends the rules; what waits for them ends as not published.
func (b *ruleBus) stop() {
	for _, node := range b.requests {
		node.close()
	}
}

func httpContext(meta any) *rules.HTTPContext {
	m, ok := meta.(*http.Meta)
	if !ok || m == nil {
		return nil
	}
	return &rules.HTTPContext{Method: m.Method, Path: m.Path, Params: m.Params, Query: m.Query}
}

// responseRules returns what changes the answers of a node as its response rules say; nil if it
// has none. Whose answer it is stays what it was.
func responseRules(topic string, pipeline *rules.Pipeline) func(*core.Reply) error {
	if pipeline == nil {
		return nil
	}
	return func(r *core.Reply) error {
		message, err := pipeline.Apply(rules.Input{Payload: r.Payload, Topic: topic})
		if err != nil {
			return fmt.Errorf("%w: %w", core.ErrRuleFailed, err)
		}
		changed, err := core.DecodeAnswer(message)
		if err != nil {
			return fmt.Errorf("%w: the response rules gave no answer: %w", core.ErrRuleFailed, err)
		}
		if changed.Value == nil && changed.Error == nil && changed.Problem == nil {
			changed.Problem = errNoAnswer
		}
		changed.Completer = r.Completer
		*r = changed
		return nil
	}
}

var errNoAnswer = errors.New("the response rules gave neither value nor error")

// inspection is what sees the answers of a node: its response rules, if it has any, and then the
// protocol's check of what the answer says.
func inspection(rules, protocol func(*core.Reply) error) func(*core.Reply) error {
	if rules == nil {
		return protocol
	}
	return func(r *core.Reply) error {
		if err := rules(r); err != nil || r.Value == nil && r.Error == nil {
			return err // with a problem, there is nothing to look at
		}
		return protocol(r)
	}
}
