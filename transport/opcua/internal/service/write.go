package service

import (
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// write carries out a Write (OPC 10000-4, 5.11.4).
func (r *request) write() {
	body := reader{rest: r.rest}
	n := body.count()
	if !r.many(n, MaxWrite) {
		return
	}
	h := r.newHeld(n)
	for i := range h.results {
		var item written
		if err := item.read(&body, r.service.options.Space); err != nil {
			r.fault(ua.StatusBadDecodingError)
			return
		}
		r.writeItem(&item, h, i)
	}
	r.finish(h)
}

// written is a WriteValue.
type written struct {
	node       *space.Node // nil: there is none of its NodeId
	attribute  ua.AttributeID
	indexRange string
	value      ua.DataValue
}

// read takes one from the body, and finds its node.
func (w *written) read(body *reader, s *space.Space) (err error) {
	if w.node, err = body.node(s); err != nil {
		return err
	}
	w.attribute = ua.AttributeID(body.uint32())
	w.indexRange = string(body.string())
	return body.decode(&w.value)
}

// writeItem judges value i that is written. What can be answered at once is in the result; else
// there is an operation.
func (r *request) writeItem(item *written, h *held, i int) {
	to := &h.results[i]
	node, v, status := r.judgeWrite(item)
	if status != ua.StatusOK {
		to.status = status
		return
	}
	text, err := value.AppendJSON(make([]byte, 0, 64), v)
	if err != nil {
		to.status = ua.StatusBadTypeMismatch
		return
	}
	number := node.begun.Add(1)
	if node.Transaction != nil {
		h.operations = append(h.operations, operation{index: i, node: node, text: text, written: v, number: number})
		return
	}
	if r.receive(node, text, to); to.status == ua.StatusOK {
		node.apply(number, v)
	}
}

// judgeWrite finds the Variable that is written and the value that it would hold, which shares
// nothing with the request.
func (r *request) judgeWrite(item *written) (*Node, *ua.Variant, ua.StatusCode) {
	found := item.node
	if found == nil {
		return nil, nil, ua.StatusBadNodeIDUnknown
	}
	if item.attribute != ua.AttributeIDValue {
		return nil, nil, r.judgeAttribute(item)
	}
	if found.Class != ua.NodeClassVariable {
		return nil, nil, ua.StatusBadAttributeIDInvalid
	}
	node := nodeOf(found)
	if node == nil || !found.Writable {
		return nil, nil, ua.StatusBadNotWritable
	}
	d := &item.value
	if d.Has(ua.DataValueStatusCode) && d.Status != ua.StatusOK {
		return nil, nil, ua.StatusBadWriteNotSupported
	}
	if !d.Has(ua.DataValueValue) {
		return nil, nil, ua.StatusBadTypeMismatch
	}
	v, status := node.newValue(item.indexRange, d.Value)
	return node, v, status
}

// judgeAttribute is for attributes other than Value, none of which can be written: those that the
// node does not have are invalid.
func (r *request) judgeAttribute(item *written) ua.StatusCode {
	read := r.service.options.Space.Read(&ua.ReadValueID{
		NodeID: item.node.ID, AttributeID: item.attribute, DataEncoding: &ua.QualifiedName{},
	}, ua.TimestampsToReturnNeither)
	if read.Has(ua.DataValueStatusCode) && read.Status == ua.StatusBadAttributeIDInvalid {
		return ua.StatusBadAttributeIDInvalid
	}
	return ua.StatusBadNotWritable
}

// newValue is what the Variable would hold when v is written to a range of it.
func (n *Node) newValue(indexRange string, v *ua.Variant) (*ua.Variant, ua.StatusCode) {
	part, status := value.ParseRange(indexRange)
	if status != ua.StatusOK {
		return nil, status
	}
	v = n.Type.Adapt(v)
	if part.Set {
		old := n.Space.Load().Value
		if old == nil {
			return nil, ua.StatusBadIndexRangeNoData
		}
		if v, status = part.Write(old, v); status != ua.StatusOK {
			return nil, status
		}
	}
	if !n.Type.Accepts(v) {
		return nil, ua.StatusBadTypeMismatch
	}
	return v, ua.StatusOK
}
