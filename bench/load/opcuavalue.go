package load

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/gopcua/opcua/ua"
)

// opcuaValue is an argument, or the value of a Variable, that carries the number of a request.
type opcuaValue struct {
	name string
	kind ua.TypeID
	size int // bytes of its text, if it is a String
}

// opcuaSizes are the sizes of values that have always the same, by type.
var opcuaSizes = map[ua.TypeID]int{
	ua.TypeIDBoolean: 1, ua.TypeIDSByte: 1, ua.TypeIDByte: 1, ua.TypeIDInt16: 2, ua.TypeIDUint16: 2,
	ua.TypeIDInt32: 4, ua.TypeIDUint32: 4, ua.TypeIDInt64: 8, ua.TypeIDUint64: 8, ua.TypeIDFloat: 4, ua.TypeIDDouble: 8,
}

// newOPCUAValue makes one of a data type as the server names it.
func newOPCUAValue(name string, dataType *ua.NodeID, rank int32) (opcuaValue, error) {
	v := opcuaValue{name: name, size: opcuaMarkSize}
	if dataType != nil && dataType.Namespace() == 0 && dataType.Type() != ua.NodeIDTypeString {
		v.kind = ua.TypeID(min(dataType.IntID(), math.MaxUint8))
	}
	const scalar = -1
	if _, fixed := opcuaSizes[v.kind]; rank != scalar || !fixed && v.kind != ua.TypeIDString {
		return v, fmt.Errorf("%s has the data type %v (value rank %d), but only scalars of the types String, Boolean, Float, Double and integers can carry numbers", name, dataType, rank)
	}
	return v, nil
}

// append appends the Variant of request seq. All have one size. The same number may come again in
// types that have no room for many.
func (v *opcuaValue) append(dst []byte, seed uint32, seq uint64) []byte {
	dst = append(dst, byte(v.kind))
	le := binary.LittleEndian
	switch v.kind {
	case ua.TypeIDBoolean:
		return append(dst, byte(seq&1))
	case ua.TypeIDSByte, ua.TypeIDByte:
		return append(dst, byte(seq))
	case ua.TypeIDInt16, ua.TypeIDUint16:
		return le.AppendUint16(dst, uint16(seq))
	case ua.TypeIDInt32, ua.TypeIDUint32:
		return le.AppendUint32(dst, uint32(seq))
	case ua.TypeIDInt64, ua.TypeIDUint64:
		return le.AppendUint64(dst, seq)
	case ua.TypeIDFloat:
		const exact = 1 << 24 // a Float has all whole numbers below
		return le.AppendUint32(dst, math.Float32bits(float32(seq%exact)))
	case ua.TypeIDDouble:
		return le.AppendUint64(dst, math.Float64bits(float64(seq)))
	}
	return appendOPCUAText(le.AppendUint32(dst, uint32(v.size)), v.size, seed, seq)
}

// opcuaMarkSize is how many bytes a text has that tells whose it is: five letters that are those of
// the target only, the number of the request, and a dot.
const opcuaMarkSize = 5 + 16 + 1

// appendOPCUAText appends the mark of a request, again and again, until there are size bytes.
func appendOPCUAText(dst []byte, size int, seed uint32, seq uint64) []byte {
	start := len(dst)
	for shift := 16; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[seed>>shift&15])
	}
	number := len(dst)
	dst = append(dst, "0000000000000000."...)
	for i := number + 15; seq > 0 && i >= number; i-- {
		dst[i] = byte('0' + seq%10)
		seq /= 10
	}
	for len(dst)-start < size {
		dst = append(dst, dst[start:min(len(dst), start+size-(len(dst)-start))]...)
	}
	return dst
}

// skip returns what is behind the Variant of that type at the start of b; false: there is none.
func (v *opcuaValue) skip(b []byte) ([]byte, bool) {
	if len(b) == 0 || b[0] != byte(v.kind) {
		return nil, false
	}
	size, fixed := opcuaSizes[v.kind], v.kind != ua.TypeIDString
	if b = b[1:]; !fixed {
		if len(b) < 4 {
			return nil, false
		}
		size = int(max(0, int32(binary.LittleEndian.Uint32(b))))
		b = b[4:]
	}
	if len(b) < size {
		return nil, false
	}
	return b[size:], true
}
