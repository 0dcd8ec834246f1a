package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// ruleBus stands between engine and link and runs the rules of transaction nodes over their
// requests. Nodes are registered before the first request.
type ruleBus struct {
	link
	rules map[*core.Node]*rules.Pipeline
}

// Publish implements core.Bus. The rules see the whole message; a changed or dropped id or
// timestamp is put back, since without them no answer would find its way.
func (b *ruleBus) Publish(r *core.Request) error {
	if pipeline := b.rules[r.Node]; pipeline != nil {
		message, err := pipeline.Apply(rules.Input{
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
	}
	return b.link.Publish(r)
}

func httpContext(meta any) *rules.HTTPContext {
	m, ok := meta.(*http.Meta)
	if !ok || m == nil {
		return nil
	}
	return &rules.HTTPContext{Method: m.Method, Path: m.Path, Params: m.Params, Query: m.Query}
}

var errNotAnObject = errors.New("the rules must give an object with a value member")

// withIdentity returns the message with the id and timestamp it must have, its value, and
// whatever else the rules have added.
func withIdentity(message []byte, id core.ID, timestamp int64) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(message, &members); err != nil || members == nil {
		return nil, errNotAnObject
	}
	value, ok := members["value"]
	if !ok {
		return nil, errNotAnObject
	}
	out := core.AppendRequest(make([]byte, 0, len(message)+64), id, timestamp, value)
	for _, fixed := range []string{"id", "timestamp", "value"} {
		delete(members, fixed)
	}
	return appendMembers(out, members), nil
}

// appendMembers adds members, sorted by name, to an object that has some already.
func appendMembers(object []byte, members map[string]json.RawMessage) []byte {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	object = object[:len(object)-1] // the closing brace
	for _, name := range names {
		object = append(object, ',')
		object = append(object, quote(name)...)
		object = append(object, ':')
		object = append(object, members[name]...)
	}
	return append(object, '}')
}

func quote(s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // strings always marshal
		return strconv.AppendQuote(nil, s)
	}
	return text
}

// inspection returns what sees the answers of a node: its response rules, if it has any, and
// then the check of what the answer says about the HTTP reply.
func inspection(topic string, pipeline *rules.Pipeline) func(*core.Reply) error {
	if pipeline == nil {
		return http.Inspect
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
		return http.Inspect(r)
	}
}
