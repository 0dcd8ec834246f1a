package service

import (
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// call carries out a Call (OPC 10000-4, 5.12.2).
func (r *request) call() {
	body := reader{rest: r.rest}
	n := body.count()
	if !r.many(n, MaxCall) {
		return
	}
	h := r.newHeld(n)
	for i := range h.results {
		if err := r.callItem(&body, h, i); err != nil {
			r.fault(ua.StatusBadDecodingError)
			return
		}
	}
	r.finish(h)
}

// callItem reads call i and judges it. What can be answered at once is in the result; else there is
// an operation.
func (r *request) callItem(body *reader, h *held, i int) error {
	object, err := body.node(r.service.options.Space)
	if err != nil {
		return err
	}
	method, err := body.node(r.service.options.Space)
	if err != nil {
		return err
	}
	arguments := make([]*ua.Variant, body.count())
	for i := range arguments {
		arguments[i] = new(ua.Variant)
		if err := body.decode(arguments[i]); err != nil {
			return err
		}
	}
	to := &h.results[i]
	node, status := r.method(object, method)
	if status == ua.StatusOK {
		status = node.judgeArguments(arguments, to)
	}
	var key *core.Key
	if status == ua.StatusOK {
		key, status = r.key(node, arguments, to)
	}
	if status != ua.StatusOK {
		to.status = status
		return nil
	}
	text, err := node.argumentsText(arguments)
	switch {
	case err != nil:
		to.status = ua.StatusBadInvalidArgument
	case node.Transaction != nil:
		h.operations = append(h.operations, operation{index: i, node: node, text: text, key: key})
	default:
		r.receive(node, text, to)
	}
	return nil
}

// method is what a method does, if the call may be.
func (r *request) method(object, method *space.Node) (*Node, ua.StatusCode) {
	if status := r.service.options.Space.CanCall(object, method); status != ua.StatusOK {
		return nil, status
	}
	if node := nodeOf(method); node != nil {
		return node, ua.StatusOK
	}
	return nil, ua.StatusBadNotExecutable
}

// judgeArguments checks the number and the types of arguments.
func (n *Node) judgeArguments(arguments []*ua.Variant, to *result) ua.StatusCode {
	switch {
	case len(arguments) < len(n.Inputs):
		return ua.StatusBadArgumentsMissing
	case len(arguments) > len(n.Inputs):
		return ua.StatusBadTooManyArguments
	}
	status := ua.StatusOK
	for i, v := range arguments {
		if n.Keyed && i == n.KeyAt && v.Type() == ua.TypeIDNull {
			v = noKey
		}
		arguments[i] = n.Inputs[i].Type.Adapt(v)
		if n.Inputs[i].Type.Accepts(arguments[i]) {
			continue
		}
		if to.inputs == nil {
			to.inputs = make([]ua.StatusCode, len(arguments))
		}
		to.inputs[i] = ua.StatusBadTypeMismatch
		status = ua.StatusBadInvalidArgument
	}
	return status
}

// argumentsText is the JSON text of arguments: an object by name.
func (n *Node) argumentsText(arguments []*ua.Variant) (_ []byte, err error) {
	text := append(make([]byte, 0, 64), '{')
	for i, v := range arguments {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, n.Inputs[i].Key...)
		if text, err = value.AppendJSON(text, v); err != nil {
			return nil, err
		}
	}
	return append(text, '}'), nil
}

// receive hands what was called or written to a node that receives.
func (r *request) receive(node *Node, text []byte, to *result) {
	if err := node.Receive(text); err != nil {
		ended := received(err)
		to.status = node.statusOf(&ended)
		if ofOperations(r.header.diagnostics) != 0 {
			to.info = node.diagnosticOf(&ended)
		}
	}
}
