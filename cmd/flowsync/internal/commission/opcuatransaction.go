package commission

import (
	"slices"

	"github.com/flowsync-go/flowsync/transport/opcua"
)

// opcuaTransaction reads what is below "transaction".
func (s *service) opcuaTransaction(o *object, n *OPCUANode) {
	t := s.transaction(o, &n.Node)
	if t == nil {
		return
	}
	n.TimeoutStatus = s.timeoutStatus(t)
	if n.Class == opcua.Variable {
		n.ReadTransaction = t.truth("readTransaction")
	} else {
		s.noReadTransaction(t)
	}
	s.checkFallback(o, t, n)
	s.checkKeyArgument(o, t, n)
	s.warnOfPatience(t, &n.Node, opcuaPatience)
	t.done()
}

// timeoutStatus reads a Bad status, as a number or name. Anything else means BadTimeout, as in
// Connectware, so that a code that was meant for HTTP does no harm.
func (s *service) timeoutStatus(t *object) uint32 {
	standard, _ := opcua.ParseStatus(0, "BadTimeout")
	v := t.field("timeoutErrorCode")
	if v == nil {
		return standard
	}
	status, ok := uint32(0), false
	switch v.kind {
	case intKind:
		status, ok = opcua.ParseStatus(v.integer, "")
	case stringKind:
		status, ok = opcua.ParseStatus(0, v.text)
	default:
		t.wrong(v, "timeoutErrorCode", "a Bad status of OPC UA, as a number or a name such as BadTimeout")
		return standard
	}
	if !ok {
		s.warnf(v.pos, "timeoutErrorCode of %s is %s, which is no Bad status of OPC UA: BadTimeout is used", t.what, v.shown())
		return standard
	}
	return status
}

// checkFallback refuses a fallback that could not be given: it has to be what an answer may be.
func (s *service) checkFallback(o, t *object, n *OPCUANode) {
	typed := n.DataType != opcua.DataType{}
	if n.Class == opcua.Method {
		typed = o.typed("outputArguments", n.Outputs)
	}
	if n.Transaction.Fallback == nil || !typed {
		return
	}
	node := &opcua.Node{
		Class: n.Class, DataType: n.DataType, Inputs: n.Inputs, Outputs: n.Outputs, Transaction: &opcua.Transaction{Read: n.ReadTransaction},
	}
	if err := opcua.CheckFallback(node, n.Transaction.Fallback); err != nil {
		s.errorf(t.place("fallback"), "fallback of %s: %v", t.what, err)
	}
}

// typed says whether nothing is wrong with a list of arguments, which was reported then.
func (o *object) typed(name string, read []opcua.Argument) bool {
	if !o.has(name) {
		return true
	}
	wrong := func(a opcua.Argument) bool { return a.DataType == opcua.DataType{} }
	return o.val.get(name).kind == listKind && !slices.ContainsFunc(read, wrong)
}

// keyArgument is the input argument of a Method that carries the idempotency key.
const keyArgument = "idempotencyKey"

// checkKeyArgument asks for a place where clients can give a key: OPC UA has no header.
func (s *service) checkKeyArgument(o, t *object, n *OPCUANode) {
	if !n.Transaction.Idempotency || !o.typed("inputArguments", n.Inputs) {
		return
	}
	at := t.place("idempotency")
	if n.Class != opcua.Method {
		s.errorf(at, "idempotency of %s: a Variable has no place for a key: use a Method with an input argument %s", t.what, keyArgument)
		return
	}
	i := slices.IndexFunc(n.Inputs, func(a opcua.Argument) bool { return a.Name == keyArgument })
	switch {
	case i < 0:
		s.errorf(at, "idempotency of %s: clients have no place for the key: add {name: %s, dataType: String} to the inputArguments", t.what, keyArgument)
	case n.Inputs[i].DataType.String() != "String":
		s.errorf(at, "idempotency of %s: the input argument %s is of type %s, want a single String", t.what, keyArgument, n.Inputs[i].DataType)
	}
}
