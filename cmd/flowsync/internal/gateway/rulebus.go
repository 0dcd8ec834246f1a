package gateway

import (
	"fmt"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// ruleBus stands between engine and link and runs the rules of transaction nodes over their
// requests. Nodes are registered before the first request.
type ruleBus struct {
	link
	sink     core.Sink
	requests map[*core.Node]*requestRules
}

func newRuleBus(l link) *ruleBus {
	return &ruleBus{link: l, requests: map[*core.Node]*requestRules{}}
}

// Bind implements core.Binder.
func (b *ruleBus) Bind(sink core.Sink) {
	b.sink = sink
	b.link.Bind(sink)
}

// add registers the request rules of a node.
func (b *ruleBus) add(node *core.Node, pipeline *rules.Pipeline) {
	b.requests[node] = startRequestRules(pipeline, b.link, b.sink)
}

// Publish implements core.Bus. Requests of nodes with rules wait for them in a queue.
func (b *ruleBus) Publish(r *core.Request) error {
	if node := b.requests[r.Node]; node != nil {
		return node.publish(r)
	}
	return b.link.Publish(r)
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

// inspection returns what sees the answers of a node: its response rules, if it has any, and
// then the protocol's check of what the answer says.
func inspection(topic string, pipeline *rules.Pipeline, inspect func(*core.Reply) error) func(*core.Reply) error {
	if pipeline == nil {
		return inspect
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
		*r = changed
		return inspect(r)
	}
}
