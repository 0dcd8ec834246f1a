package service

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/gopcua/opcua/ua"
)

// appendHeader appends the type id of a response and its header (OPC 10000-4, 7.33).
func appendHeader(dst []byte, typeID uint16, handle uint32, result ua.StatusCode) []byte {
	dst = append(dst, byte(ua.NodeIDTypeFourByte), 0)
	dst = binary.LittleEndian.AppendUint16(dst, typeID)
	dst = appendTime(dst, time.Now())
	dst = appendUint32(dst, handle)
	dst = appendUint32(dst, uint32(result))
	dst = append(dst, 0)                                 // no service diagnostics
	dst = appendUint32(dst, nullLength)                  // no string table
	return append(dst, byte(ua.NodeIDTypeTwoByte), 0, 0) // no additional header
}

const nullLength = 0xffffffff

func appendUint32(dst []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(dst, v) }

// unixEpoch is the distance from 1601 to 1970, in ticks of 100 ns.
const unixEpoch = 116444736000000000

func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.LittleEndian.AppendUint64(dst, 0)
	}
	ticks := t.Unix()*1e7 + int64(t.Nanosecond())/100 + unixEpoch
	return binary.LittleEndian.AppendUint64(dst, uint64(max(0, ticks)))
}

func appendString(dst []byte, s string) []byte {
	if s == "" {
		return appendUint32(dst, nullLength)
	}
	return append(appendUint32(dst, uint32(len(s))), s...)
}

// appendVariant appends a Variant: the scalars that are met most by hand, the others through the
// codec.
func appendVariant(dst []byte, v *ua.Variant) ([]byte, error) {
	if v == nil {
		return append(dst, 0), nil
	}
	le := binary.LittleEndian
	dst, start := append(dst, v.EncodingMask()), len(dst)
	switch x := v.Value().(type) {
	case bool:
		if x {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case byte:
		return append(dst, x), nil
	case int16:
		return le.AppendUint16(dst, uint16(x)), nil
	case uint16:
		return le.AppendUint16(dst, x), nil
	case int32:
		return le.AppendUint32(dst, uint32(x)), nil
	case uint32:
		return le.AppendUint32(dst, x), nil
	case int64:
		return le.AppendUint64(dst, uint64(x)), nil
	case uint64:
		return le.AppendUint64(dst, x), nil
	case float32:
		return le.AppendUint32(dst, math.Float32bits(x)), nil
	case float64:
		return le.AppendUint64(dst, math.Float64bits(x)), nil
	case string:
		return appendString(dst, x), nil
	}
	encoded, err := v.Encode()
	return append(dst[:start], encoded...), err
}

// appendDataValue appends a DataValue whose mask is right.
func appendDataValue(dst []byte, d *ua.DataValue) (_ []byte, err error) {
	dst = append(dst, d.EncodingMask)
	if d.Has(ua.DataValueValue) {
		if dst, err = appendVariant(dst, d.Value); err != nil {
			return dst, err
		}
	}
	if d.Has(ua.DataValueStatusCode) {
		dst = appendUint32(dst, uint32(d.Status))
	}
	if d.Has(ua.DataValueSourceTimestamp) {
		dst = appendTime(dst, d.SourceTimestamp)
	}
	if d.Has(ua.DataValueSourcePicoseconds) {
		dst = binary.LittleEndian.AppendUint16(dst, d.SourcePicoseconds)
	}
	if d.Has(ua.DataValueServerTimestamp) {
		dst = appendTime(dst, d.ServerTimestamp)
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

// appendInfos appends the diagnostic infos of operations, which carry nothing but a text each;
// null if there is no text.
func appendInfos(dst []byte, results []result) []byte {
	some := false
	for i := range results {
		some = some || results[i].info != ""
	}
	if !some {
		return appendUint32(dst, nullLength)
	}
	dst = appendUint32(dst, uint32(len(results)))
	for i := range results {
		if info := results[i].info; info != "" {
			dst = appendString(append(dst, ua.DiagnosticInfoAdditionalInfo), info)
		} else {
			dst = append(dst, 0)
		}
	}
	return dst
}

// encodeResponse writes a response with the codec. Its header is set here.
func encodeResponse(typeID uint16, handle uint32, v ua.Response) ([]byte, error) {
	v.SetHeader(&ua.ResponseHeader{
		Timestamp: time.Now(), RequestHandle: handle,
		ServiceDiagnostics: &ua.DiagnosticInfo{}, AdditionalHeader: ua.NewExtensionObject(nil),
	})
	encoded, err := ua.Encode(v)
	if err != nil {
		return nil, err
	}
	body := make([]byte, 0, 4+len(encoded))
	body = binary.LittleEndian.AppendUint16(append(body, byte(ua.NodeIDTypeFourByte), 0), typeID)
	return append(body, encoded...), nil
}
