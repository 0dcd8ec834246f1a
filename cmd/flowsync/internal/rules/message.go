package rules

import (
	"fmt"
	"maps"
)

// message is one message between two rules.
type message struct {
	in      Input
	vars    map[string]any // set by rules: over in.Vars
	raw     []byte         // the payload, as long as no rule has rewritten it
	value   any            // what it decodes to, if decoded
	decoded bool

	cached any // what context has made

	at, rewrote *rule // that runs; that made value
}

func newMessage(in Input) *message { return &message{in: in, raw: in.Payload} }

// load gives the value of the payload, for rules that look inside.
func (m *message) load() (any, error) {
	if !m.decoded {
		v, err := decode(m.raw)
		if err != nil {
			return nil, err
		}
		m.value, m.decoded = v, true
	}
	return m.value, nil
}

// store replaces the payload.
func (m *message) store(v any) { m.value, m.decoded, m.raw, m.rewrote = v, true, nil, m.at }

// payload gives the bytes to send: the very ones that came, if no rule rewrote them.
func (m *message) payload() ([]byte, error) {
	if m.raw != nil || !m.decoded {
		return m.raw, nil
	}
	out, err := encode(m.value)
	if err != nil && m.rewrote != nil {
		err = m.rewrote.failed(err)
	}
	return out, err
}

// setVars sets variables for the rules that follow and for the publish topic.
func (m *message) setVars(vars map[string]any) {
	if m.vars == nil {
		m.vars = make(map[string]any, len(vars))
	}
	maps.Copy(m.vars, vars)
	m.cached = nil
}

// context is what expressions see as $context.
func (m *message) context() any {
	if m.cached != nil {
		return m.cached
	}
	vars := make(map[string]any, len(m.in.Vars)+len(m.vars))
	for name, value := range m.in.Vars {
		vars[name] = value
	}
	maps.Copy(vars, m.vars)
	context := map[string]any{"topic": m.in.Topic, "vars": vars}
	if m.in.HTTP != nil {
		context["http"] = m.in.HTTP.object()
	}
	m.cached = context
	return context
}

func (h *HTTPContext) object() map[string]any {
	params, query := map[string]any{}, map[string]any{}
	for name, value := range h.Params {
		params[name] = value
	}
	for name, values := range h.Query {
		if len(values) == 1 {
			query[name] = values[0]
			continue
		}
		list := make([]any, len(values))
		for i := range values {
			list[i] = values[i]
		}
		query[name] = list
	}
	return map[string]any{"method": h.Method, "path": h.Path, "params": params, "query": query}
}

// topicVars are the variables as they may stand in a topic: strings, numbers and booleans.
func (m *message) topicVars() map[string]string {
	vars := make(map[string]string, len(m.in.Vars)+len(m.vars))
	maps.Copy(vars, m.in.Vars)
	for name, value := range m.vars {
		delete(vars, name)
		switch value.(type) {
		case string, bool, float64, int64, uint64:
			vars[name], _ = text(value) // cannot fail for these
		}
	}
	return vars
}

// source names where the message comes from: its label, or else its topic.
func (m *message) source() (string, error) {
	if m.in.Label == "" {
		return m.in.Topic, nil
	}
	label, err := substitute(m.in.Label, m.topicVars())
	if err != nil {
		return "", fmt.Errorf("label %w", err)
	}
	return label, nil
}

// clone is for messages that outlive the call that brought them: the payload is not kept.
func (m *message) clone() *message {
	c := *m
	c.raw, c.in.Payload = nil, nil
	return &c
}

// replace makes m the message that another one is.
func (m *message) replace(other *message) { *m = *other }
