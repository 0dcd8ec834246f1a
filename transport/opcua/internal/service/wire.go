package service

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// appendHeader appends the type id of a response and its header (OPC 10000-4, 7.33).
func appendHeader(dst []byte, typeID uint16, handle uint32, result ua.StatusCode) []byte {
	return appendHeaderWith(dst, typeID, handle, result, noInfo, nil)
}

// noInfo is an empty DiagnosticInfo.
var noInfo = []byte{0}

// appendHeaderWith is for a header with diagnostics of the service, and with the strings that those of
// operations refer to.
func appendHeaderWith(dst []byte, typeID uint16, handle uint32, result ua.StatusCode, info []byte, table []string) []byte {
	dst = append(dst, byte(ua.NodeIDTypeFourByte), 0)
	dst = binary.LittleEndian.AppendUint16(dst, typeID)
	dst = value.AppendTime(dst, time.Now())
	dst = appendUint32(dst, handle)
	dst = appendUint32(dst, uint32(result))
	dst = append(dst, info...)
	if len(table) == 0 {
		dst = appendUint32(dst, nullLength)
	} else {
		dst = appendUint32(dst, uint32(len(table)))
	}
	for _, text := range table {
		dst = appendString(dst, text)
	}
	return append(dst, byte(ua.NodeIDTypeTwoByte), 0, 0) // no additional header
}

const nullLength = 0xffffffff

func appendUint32(dst []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(dst, v) }

func appendString(dst []byte, s string) []byte {
	if s == "" {
		return appendUint32(dst, nullLength)
	}
	return append(appendUint32(dst, uint32(len(s))), s...)
}

// appendDataValue appends a DataValue whose mask is right.
func appendDataValue(dst []byte, d *ua.DataValue) (_ []byte, err error) {
	dst = append(dst, d.EncodingMask)
	if d.Has(ua.DataValueValue) {
		if dst, err = value.AppendBinary(dst, d.Value); err != nil {
			return dst, err
		}
	}
	if d.Has(ua.DataValueStatusCode) {
		dst = appendUint32(dst, uint32(d.Status))
	}
	if d.Has(ua.DataValueSourceTimestamp) {
		dst = value.AppendTime(dst, d.SourceTimestamp)
	}
	if d.Has(ua.DataValueSourcePicoseconds) {
		dst = binary.LittleEndian.AppendUint16(dst, d.SourcePicoseconds)
	}
	if d.Has(ua.DataValueServerTimestamp) {
		dst = value.AppendTime(dst, d.ServerTimestamp)
	}
	if d.Has(ua.DataValueServerPicoseconds) {
		dst = binary.LittleEndian.AppendUint16(dst, d.ServerPicoseconds)
	}
	return dst, nil
}

// appendStatuses appends an array of status codes; null if there are none.
func appendStatuses(dst []byte, statuses []ua.StatusCode) []byte {
	if len(statuses) == 0 {
		return appendUint32(dst, nullLength)
	}
	dst = appendUint32(dst, uint32(len(statuses)))
	for _, s := range statuses {
		dst = appendUint32(dst, uint32(s))
	}
	return dst
}

// notification is written by itself, because the codec does not know how to write some values:
// see value.AppendBinary.
type notification struct{ *ua.DataChangeNotification }

// Encode implements ua.BinaryEncoder.
func (n notification) Encode() ([]byte, error) {
	const some = 32 // bytes of an item
	b := appendUint32(make([]byte, 0, 8+some*len(n.MonitoredItems)), uint32(len(n.MonitoredItems)))
	for _, item := range n.MonitoredItems {
		var err error
		if b, err = appendDataValue(appendUint32(b, item.ClientHandle), item.Value); err != nil {
			return nil, err
		}
	}
	infos, err := ua.Encode(n.DiagnosticInfos)
	return append(b, infos...), err
}

// writable returns a message whose data changes are written by themselves. m is not changed: it
// is kept for Republish.
func writable(m *ua.NotificationMessage) *ua.NotificationMessage {
	if m == nil {
		return nil
	}
	c := *m
	c.NotificationData = slices.Clone(m.NotificationData)
	for i, data := range c.NotificationData {
		if n, ok := data.Value.(*ua.DataChangeNotification); ok {
			c.NotificationData[i] = &ua.ExtensionObject{
				EncodingMask: data.EncodingMask, TypeID: data.TypeID, Value: notification{n},
			}
		}
	}
	return &c
}

// encodeResponse writes a response with the codec. Its header is set here.
func encodeResponse(typeID uint16, handle uint32, v ua.Response) ([]byte, error) {
	v.SetHeader(&ua.ResponseHeader{
		Timestamp: time.Now(), RequestHandle: handle,
		ServiceDiagnostics: &ua.DiagnosticInfo{}, AdditionalHeader: ua.NewExtensionObject(nil),
	})
	switch r := v.(type) {
	case *ua.PublishResponse:
		r.NotificationMessage = writable(r.NotificationMessage)
	case *ua.RepublishResponse:
		r.NotificationMessage = writable(r.NotificationMessage)
	}
	encoded, err := ua.Encode(v)
	if err != nil {
		return nil, err
	}
	body := make([]byte, 0, 4+len(encoded))
	body = binary.LittleEndian.AppendUint16(append(body, byte(ua.NodeIDTypeFourByte), 0), typeID)
	return append(body, encoded...), nil
}
