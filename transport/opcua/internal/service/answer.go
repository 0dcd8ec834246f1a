package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// Inspect turns the value of an answer into variants, which it leaves in the reply's Extra, and
// finds what does not fit. It is the [core.NodeOptions.Inspect] of the node's transactions.
func (n *Node) Inspect(r *core.Reply) error {
	if r.Error != nil {
		return inspectError(r.Error)
	}
	op, _ := r.Completer.(*operation)
	given, err := n.given(r.Value, op != nil && op.reads())
	if err != nil {
		return fmt.Errorf("%w: its value: %w", core.ErrBadResponse, err)
	}
	r.Extra = given
	return nil
}

// given is what the value of an answer gives: the outputs of a Method, the value of a Variable.
// nil: a Write was answered with null, or with what does not fit: the Variable holds what was
// written.
func (n *Node) given(text []byte, read bool) (any, error) {
	if n.Space.Class == ua.NodeClassMethod {
		return n.outputs(text)
	}
	if string(text) == "null" && read {
		return nil, errors.New("null is no value of a Variable")
	}
	if string(text) == "null" {
		return nil, nil
	}
	v, err := n.Type.Parse(text)
	switch {
	case err == nil:
		return v, nil
	case read:
		return nil, err
	}
	return nil, nil
}

// inspectError refuses names of status codes that there are not: a typing error must not look
// like an error of the machine's.
func inspectError(e *core.ReplyError) error {
	if e.CodeName == "" {
		return nil
	}
	if _, ok := value.BadStatus(0, e.CodeName); ok {
		return nil
	}
	plain := strings.TrimPrefix(strings.ToLower(e.CodeName), "status")
	if strings.HasPrefix(plain, "good") || strings.HasPrefix(plain, "uncertain") {
		return nil // no failure; the table of outcomes says what becomes of it
	}
	return fmt.Errorf("%w: the code of its error is %.40q, which is no status code", core.ErrBadResponse, e.CodeName)
}

// outputs are the output arguments that an answer gives: by name, in order, or, if there is only one, bare.
func (n *Node) outputs(text []byte) ([]*ua.Variant, error) {
	if len(n.Outputs) == 0 {
		return nil, nil // whatever it says, nobody asks for it
	}
	if text[0] == '{' {
		return n.namedOutputs(text)
	}
	if len(n.Outputs) == 1 {
		v, err := n.Outputs[0].Type.Parse(text)
		if err == nil {
			return []*ua.Variant{v}, nil
		}
		if text[0] != '[' {
			return nil, fmt.Errorf("output %s: %w", n.Outputs[0].Name, err)
		}
	}
	return n.orderedOutputs(text)
}

func (n *Node) namedOutputs(text []byte) ([]*ua.Variant, error) {
	if offset, err := core.ValidJSON(text); err != nil {
		return nil, fmt.Errorf("not JSON: at byte %d: %w", offset, err)
	}
	given := make([][]byte, len(n.Outputs))
	members(text, func(name, value []byte) {
		for i := range n.Outputs {
			if n.Outputs[i].Name == string(name) {
				given[i] = value // of members of the same name the last one counts
				return
			}
		}
	})
	outputs := make([]*ua.Variant, len(n.Outputs))
	for i, value := range given {
		if value == nil {
			return nil, fmt.Errorf("output %s is missing", n.Outputs[i].Name)
		}
		if err := n.output(outputs, i, value); err != nil {
			return nil, err
		}
	}
	return outputs, nil
}

func (n *Node) orderedOutputs(text []byte) ([]*ua.Variant, error) {
	var members []json.RawMessage
	if text[0] != '[' {
		return nil, errors.New("want an object of outputs, or an array of them in order")
	}
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	if len(members) != len(n.Outputs) {
		return nil, fmt.Errorf("%d outputs, want %d", len(members), len(n.Outputs))
	}
	outputs := make([]*ua.Variant, len(members))
	for i, member := range members {
		if err := n.output(outputs, i, member); err != nil {
			return nil, err
		}
	}
	return outputs, nil
}

func (n *Node) output(outputs []*ua.Variant, i int, text []byte) (err error) {
	if outputs[i], err = n.Outputs[i].Type.Parse(text); err != nil {
		return fmt.Errorf("output %s: %w", n.Outputs[i].Name, err)
	}
	return nil
}
