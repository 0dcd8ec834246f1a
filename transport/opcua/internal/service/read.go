package service

import (
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// read carries out a Read (OPC 10000-4, 5.11.2).
func (r *request) read() {
	var v ua.ReadRequest
	if !r.decode(&v) || !r.many(len(v.NodesToRead), MaxRead) {
		return
	}
	switch {
	case !(v.MaxAge >= 0): // also if it is no number
		r.fault(ua.StatusBadMaxAgeInvalid)
		return
	case v.TimestampsToReturn > ua.TimestampsToReturnNeither:
		r.fault(ua.StatusBadTimestampsToReturnInvalid)
		return
	}
	h := r.newHeld(len(v.NodesToRead))
	for i, item := range v.NodesToRead {
		if !r.readItem(item, v.TimestampsToReturn, h, i) {
			h.results[i].value = r.service.options.Space.Read(item, v.TimestampsToReturn)
		}
	}
	r.finish(h)
}

// readItem makes an operation if a transaction answers item i: the whole value of a Variable that is
// configured so.
func (r *request) readItem(item *ua.ReadValueID, times ua.TimestampsToReturn, h *held, i int) bool {
	if item.AttributeID != ua.AttributeIDValue {
		return false
	}
	found := r.service.options.Space.Find(item.NodeID)
	if found == nil {
		return false
	}
	node := nodeOf(found)
	if node == nil || !node.ReadHeld || item.DataEncoding.Name != "" {
		return false
	}
	part, status := value.ParseRange(item.IndexRange)
	if status != ua.StatusOK {
		return false // Space.Read says what is wrong
	}
	h.operations = append(h.operations, operation{
		index: i, node: node, text: []byte("null"), times: times, part: part, number: node.begun.Add(1),
	})
	return true
}

// stamp gives a value the timestamps that are asked for.
func stamp(d *ua.DataValue, times ua.TimestampsToReturn) *ua.DataValue {
	if times == ua.TimestampsToReturnServer || times == ua.TimestampsToReturnNeither {
		d.SourceTimestamp = time.Time{}
	}
	if times == ua.TimestampsToReturnServer || times == ua.TimestampsToReturnBoth {
		d.ServerTimestamp = time.Now()
	}
	d.UpdateMask()
	return d
}
