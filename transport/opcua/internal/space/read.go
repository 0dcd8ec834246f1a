package space

import (
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// Read answers one item of a Read: any attribute, with index range, data encoding and
// timestamps; never nil. It is also how monitored items sample. The result is the caller's, but
// not what hangs on it.
func (s *Space) Read(item *ua.ReadValueID, timestamps ua.TimestampsToReturn) *ua.DataValue {
	out := new(ua.DataValue)
	if status := s.read(out, item); status != ua.StatusOK {
		*out = ua.DataValue{Status: status}
	}
	if timestamps != ua.TimestampsToReturnSource && timestamps != ua.TimestampsToReturnBoth {
		out.SourceTimestamp, out.SourcePicoseconds = time.Time{}, 0
	}
	out.ServerTimestamp, out.ServerPicoseconds = time.Time{}, 0
	if timestamps == ua.TimestampsToReturnServer || timestamps == ua.TimestampsToReturnBoth {
		out.ServerTimestamp = time.Now()
	}
	out.UpdateMask()
	return out
}

// read fills in what is read; a status other than good replaces it.
func (s *Space) read(out *ua.DataValue, item *ua.ReadValueID) ua.StatusCode {
	n := s.Find(item.NodeID)
	if n == nil {
		return ua.StatusBadNodeIDUnknown
	}
	if !n.has(item.AttributeID) {
		return ua.StatusBadAttributeIDInvalid
	}
	if status := s.checkEncoding(n, item); status != ua.StatusOK {
		return status
	}
	if item.AttributeID == ua.AttributeIDValue {
		*out = *n.Load()
	} else {
		out.Value = ua.MustVariant(n.attribute(item.AttributeID))
	}
	return cut(out, item.IndexRange)
}

// cut leaves of a value what an index range asks for. What has no value has no parts either.
func cut(out *ua.DataValue, indexRange string) ua.StatusCode {
	if indexRange == "" {
		return ua.StatusOK
	}
	r, status := value.ParseRange(indexRange)
	if status != ua.StatusOK || out.Value == nil {
		return status
	}
	out.Value, status = r.Read(out.Value)
	return status
}

// checkEncoding judges an item's DataEncoding: it may only be given for the value of a Structure,
// and only the binary encoding is there (OPC 10000-4, 5.11.2.2).
func (s *Space) checkEncoding(n *Node, item *ua.ReadValueID) ua.StatusCode {
	e := item.DataEncoding
	if e == nil || e.Name == "" {
		return ua.StatusOK
	}
	if item.AttributeID != ua.AttributeIDValue || !s.Find(n.DataType).isA(s.standard(id.Structure)) {
		return ua.StatusBadDataEncodingInvalid
	}
	if e.NamespaceIndex != 0 || e.Name != "Default Binary" {
		return ua.StatusBadDataEncodingUnsupported
	}
	return ua.StatusOK
}
