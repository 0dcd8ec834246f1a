package rules

import "errors"

// Bounds of what rules accept and produce.
const (
	// MaxPayload is the size in bytes that a payload may have, going in or coming out.
	MaxPayload = 1 << 20
	// MaxDepth is how deep objects and arrays may be nested in a message.
	MaxDepth = 128
	// MaxSteps is what one evaluation of an expression may do; see the package documentation.
	MaxSteps = 250_000
	// MaxSources is how many sources collect keeps a message of.
	MaxSources = 4096
	// MaxRules is how many rules one list may have.
	MaxRules = 256
	// MaxExpression is the length in bytes of one expression.
	MaxExpression = 64 << 10
)

// ErrFiltered says that a rule dropped the message, as it was told to.
var ErrFiltered = errors.New("dropped by a rule")

// Spec is one rule as a commissioning file has it, e.g. Kind "transform" and Args
// map[string]any{"expression": "$.value"}.
type Spec struct {
	Kind string // the name of the rule
	Args any    // its properties: map[string]any, []any, string, number, json.Number, bool, nil
	At   string // where it stands, as file:line:column, for errors
}

// CompileOptions say what the rules are for.
type CompileOptions struct {
	// Transaction refuses cov, burst and collect: a held request must become one
	// message now, and none of these can promise that.
	Transaction bool
}

// Problem is one fault in a list of rules.
type Problem struct {
	At   string // Spec.At of the rule
	Text string // what is wrong
	Hint string // what to do; may be empty
}

func (p Problem) String() string {
	s := p.Text
	if p.At != "" {
		s = p.At + ": " + s
	}
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// Input is a message on its way into the rules. A burst may keep everything but the payload:
// the maps must not be changed afterwards.
type Input struct {
	Payload []byte            // read during the call only
	Topic   string            // the topic it arrived on: $context.topic
	Vars    map[string]string // what named wildcards matched: $context.vars; not changed
	Label   string            // label of its subscription, {name} standing for a variable; may be empty
	HTTP    *HTTPContext      // the request it comes from: $context.http; nil if none
}

// HTTPContext is what rules see of an HTTP request. A query parameter that is given once
// appears as a string, otherwise as an array of strings.
type HTTPContext struct {
	Method string
	Path   string
	Params map[string]string
	Query  map[string][]string
}

// Output is a message on its way out of a [Run], or the failure of one.
type Output struct {
	Payload []byte            // belongs to the receiver, except that it may be Input.Payload
	Vars    map[string]string // for the publish topic: see [Expand]
	Err     error             // the message was lost, and why; Payload is nil then
}
