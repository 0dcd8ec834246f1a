package service

import (
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// write carries out a Write (OPC 10000-4, 5.11.4).
func (r *request) write() {
	body := reader{rest: r.rest}
	n := body.count()
	if !r.many(n, MaxWrite) {
		return
	}
	results := make([]result, n)
	var operations []*operation
	for i := range results {
		var item ua.WriteValue
		if read, err := ua.Decode(body.rest, &item); err != nil {
			r.fault(ua.StatusBadDecodingError)
			return
		} else {
			body.skip(read)
		}
		if op := r.writeItem(&item, &results[i]); op != nil {
			op.index = i
			operations = append(operations, op)
		}
	}
	r.finish(results, operations)
}

// writeItem judges one value that is written. What can be answered at once is in the result;
// else there is an operation.
func (r *request) writeItem(item *ua.WriteValue, to *result) *operation {
	node, v, status := r.judgeWrite(item)
	if status != ua.StatusOK {
		to.status = status
		return nil
	}
	text, err := value.AppendJSON(make([]byte, 0, 64), v)
	if err != nil {
		to.status = ua.StatusBadTypeMismatch
		return nil
	}
	if node.Transaction != nil {
		return &operation{node: node, text: text, written: v, number: node.begun.Add(1)}
	}
	number := node.begun.Add(1)
	if r.receive(node, text, to); to.status == ua.StatusOK {
		node.apply(number, v)
	}
	return nil
}

// judgeWrite finds the Variable that is written and the value that it would hold, which shares
// nothing with the request.
func (r *request) judgeWrite(item *ua.WriteValue) (*Node, *ua.Variant, ua.StatusCode) {
	found := r.service.options.Space.Find(item.NodeID)
	if found == nil {
		return nil, nil, ua.StatusBadNodeIDUnknown
	}
	if item.AttributeID != ua.AttributeIDValue {
		return nil, nil, r.judgeAttribute(item)
	}
	if found.Class != ua.NodeClassVariable {
		return nil, nil, ua.StatusBadAttributeIDInvalid
	}
	node := nodeOf(found)
	if node == nil || !found.Writable {
		return nil, nil, ua.StatusBadNotWritable
	}
	d := item.Value
	if d.Has(ua.DataValueStatusCode) && d.Status != ua.StatusOK {
		return nil, nil, ua.StatusBadWriteNotSupported
	}
	if !d.Has(ua.DataValueValue) {
		return nil, nil, ua.StatusBadTypeMismatch
	}
	v, status := node.newValue(item.IndexRange, d.Value)
	return node, v, status
}

// judgeAttribute is for attributes other than Value, none of which can be written: those that the
// node does not have are invalid.
func (r *request) judgeAttribute(item *ua.WriteValue) ua.StatusCode {
	read := r.service.options.Space.Read(&ua.ReadValueID{
		NodeID: item.NodeID, AttributeID: item.AttributeID, DataEncoding: &ua.QualifiedName{},
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
