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
	if n.Space.Class == ua.NodeClassMethod {
		outputs, err := n.outputs(r.Value)
		if err != nil {
			return fmt.Errorf("%w: its value: %w", core.ErrBadResponse, err)
		}
		r.Extra = outputs
		return nil
	}
	if string(r.Value) == "null" {
		return nil // the variable holds what was written
	}
	v, err := n.Type.Parse(r.Value)
	if err != nil && n.ReadHeld {
		return fmt.Errorf("%w: its value: %w", core.ErrBadResponse, err)
	}
	if err == nil {
		r.Extra = v
	}
	return nil
}

// given is what an answer gave: what Inspect has left, or what it would leave, if the node of the
// transaction was made without it.
func (n *Node) given(r *core.Result) (any, error) {
	if r.Extra != nil {
		return r.Extra, nil
	}
	reply := core.Reply{Value: r.Value}
	err := n.Inspect(&reply)
	return reply.Extra, err
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
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	outputs := make([]*ua.Variant, len(n.Outputs))
	for i := range n.Outputs {
		member, ok := members[n.Outputs[i].Name]
		if !ok {
			return nil, fmt.Errorf("output %s is missing", n.Outputs[i].Name)
		}
		if err := n.output(outputs, i, member); err != nil {
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
