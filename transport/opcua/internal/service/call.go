package service

import (
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// call carries out a Call (OPC 10000-4, 5.12.2).
func (r *request) call() {
	body := reader{rest: r.rest}
	n := body.count()
	if !r.many(n, MaxCall) {
		return
	}
	results := make([]result, n)
	var operations []*operation
	for i := range results {
		op, err := r.callItem(&body, &results[i])
		if err != nil {
			r.fault(ua.StatusBadDecodingError)
			return
		}
		if op != nil {
			op.index = i
			operations = append(operations, op)
		}
	}
	r.finish(results, operations)
}

// callItem reads one call and judges it. What can be answered at once is in the result; else
// there is an operation.
func (r *request) callItem(body *reader, to *result) (*operation, error) {
	var object, method ua.NodeID
	if err := body.decode(&object); err != nil {
		return nil, err
	}
	if err := body.decode(&method); err != nil {
		return nil, err
	}
	arguments := make([]*ua.Variant, body.count())
	for i := range arguments {
		arguments[i] = new(ua.Variant)
		if err := body.decode(arguments[i]); err != nil {
			return nil, err
		}
	}
	node, status := r.method(&object, &method)
	if status == ua.StatusOK {
		status = node.judgeArguments(arguments, to)
	}
	if status != ua.StatusOK {
		to.status = status
		return nil, nil
	}
	text, err := node.argumentsText(arguments)
	switch {
	case err != nil:
		to.status = ua.StatusBadInvalidArgument
	case node.Transaction != nil:
		return &operation{node: node, text: text}, nil
	default:
		r.receive(node, text, to)
	}
	return nil, nil
}

// method finds the method that a call means.
func (r *request) method(object, method *ua.NodeID) (*Node, ua.StatusCode) {
	found, status := r.service.options.Space.Method(object, method)
	if status != ua.StatusOK {
		return nil, status
	}
	if node := nodeOf(found); node != nil {
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
		to.status = statusOfReceive(err)
		if r.wantsInfos() {
			to.info = clip(err.Error())
		}
	}
}
