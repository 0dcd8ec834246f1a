package value

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"
)

// AppendBinary appends a variant as it goes over the wire (OPC 10000-6, 5.2.2.16). It writes the
// types of this package itself, others through the codec, which would write nothing for the
// elements of an array of ByteString, and another time for one far from now. nil is the null
// variant.
func AppendBinary(dst []byte, v *ua.Variant) ([]byte, error) {
	if v == nil {
		return append(dst, 0), nil
	}
	start := len(dst)
	dst = append(dst, v.EncodingMask()&^ua.VariantArrayDimensions)
	switch x := v.Value().(type) {
	case bool:
		return putBool(dst, x), nil
	case int8:
		return append(dst, byte(x)), nil
	case uint8:
		return append(dst, x), nil
	case int16:
		return put16(dst, x), nil
	case uint16:
		return put16(dst, x), nil
	case int32:
		return put32(dst, x), nil
	case uint32:
		return put32(dst, x), nil
	case int64:
		return put64(dst, x), nil
	case uint64:
		return put64(dst, x), nil
	case float32:
		return putSingle(dst, x), nil
	case float64:
		return putDouble(dst, x), nil
	case string:
		return putString(dst, x), nil
	case time.Time:
		return AppendTime(dst, x), nil
	case []byte:
		return putBytes(dst, x), nil
	case [][]byte:
		return putArray(dst, x, putBytes), nil
	}
	if b, ok := putArrayOf(dst, v); ok {
		return b, nil
	}
	encoded, err := v.Encode()
	if err != nil {
		return dst[:start], fmt.Errorf("value: encoding a variant: %w", err)
	}
	return append(dst[:start], encoded...), nil
}

// putArrayOf appends an array of one dimension; false: of a type that the codec writes well.
func putArrayOf(dst []byte, v *ua.Variant) ([]byte, bool) {
	switch x := v.Value().(type) {
	case []bool:
		return putArray(dst, x, putBool), true
	case ua.ByteArray:
		return putArray(dst, x, func(dst []byte, v byte) []byte { return append(dst, v) }), true
	case []int16:
		return putArray(dst, x, put16), true
	case []uint16:
		return putArray(dst, x, put16), true
	case []int32:
		return putArray(dst, x, put32), true
	case []uint32:
		return putArray(dst, x, put32), true
	case []int64:
		return putArray(dst, x, put64), true
	case []uint64:
		return putArray(dst, x, put64), true
	case []float32:
		return putArray(dst, x, putSingle), true
	case []float64:
		return putArray(dst, x, putDouble), true
	case []string:
		return putArray(dst, x, putString), true
	case []time.Time:
		return putArray(dst, x, AppendTime), true
	}
	return dst, false
}

const nullLength = math.MaxUint32

// putArray appends the length and the elements; nil is the null array.
func putArray[T any](dst []byte, values []T, one func([]byte, T) []byte) []byte {
	if values == nil {
		return binary.LittleEndian.AppendUint32(dst, nullLength)
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(values)))
	for _, v := range values {
		dst = one(dst, v)
	}
	return dst
}

func putBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func put16[T int16 | uint16](dst []byte, v T) []byte {
	return binary.LittleEndian.AppendUint16(dst, uint16(v))
}

func put32[T int32 | uint32](dst []byte, v T) []byte {
	return binary.LittleEndian.AppendUint32(dst, uint32(v))
}

func put64[T int64 | uint64](dst []byte, v T) []byte {
	return binary.LittleEndian.AppendUint64(dst, uint64(v))
}

// NaN has one form on the wire (OPC 10000-6, 5.2.2.3).
func putSingle(dst []byte, v float32) []byte {
	if v != v {
		return put32(dst, uint32(0xffc00000))
	}
	return put32(dst, math.Float32bits(v))
}

func putDouble(dst []byte, v float64) []byte {
	if v != v {
		return put64(dst, uint64(0xfff8000000000000))
	}
	return put64(dst, math.Float64bits(v))
}

// putString writes the empty String as null, as the codec does.
func putString(dst []byte, v string) []byte {
	if v == "" {
		return put32(dst, uint32(nullLength))
	}
	return append(put32(dst, uint32(len(v))), v...)
}

func putBytes(dst, v []byte) []byte {
	if v == nil {
		return put32(dst, uint32(nullLength))
	}
	return append(put32(dst, uint32(len(v))), v...)
}

// epoch is the distance from 1601 to 1970 in seconds.
const epoch = 11_644_473_600

// The instants that a DateTime can have (OPC 10000-6, 5.2.2.5). The first is written as 0, which
// is the null DateTime too; the last as the largest number, and so is everything after it.
var (
	minTime = time.Unix(-epoch, 0).UTC()
	maxTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// AppendTime appends a DateTime as it goes over the wire, in ticks of 100 ns since 1601; what is
// finer is dropped.
func AppendTime(dst []byte, at time.Time) []byte {
	switch {
	case !at.After(minTime):
		return put64(dst, int64(0))
	case !at.Before(maxTime):
		return put64(dst, int64(math.MaxInt64))
	}
	return put64(dst, (at.Unix()+epoch)*1e7+int64(at.Nanosecond())/100)
}

// timeFits says whether a time is one that a DateTime can have, in whole ticks.
func timeFits(at time.Time) bool {
	return at.IsZero() || !at.Before(minTime) && !at.After(maxTime) && at.Nanosecond()%int(tick) == 0
}

// straighten returns the time that a client sent, of what the codec has read. The codec counts
// nanoseconds in 64 bits, so from a time that is outside of 1677 to 2262 it makes another:
// n ticks since 1970 become 100·n mod 2^64 ns. No ticks are lost in that: 100 is 4·25, 25 has an
// inverse modulo 2^62, and no DateTime up to the year 9999 has 2^62 ticks. What comes out of an
// overflow is never a whole number of ticks, or n would have been another number below 2^62; so
// it shows. What cannot have been a DateTime is returned as it is, and [timeFits] does not let
// it pass.
func straighten(at time.Time) time.Time {
	if at.IsZero() || at.UnixNano()%int64(tick) == 0 {
		return at
	}
	const mask = 1<<62 - 1
	ticks := (uint64(at.UnixNano())/4*inverse25 + epoch*1e7) & mask
	switch {
	case ticks == mask: // the largest number, or -1
		return maxTime
	case ticks > uint64(maxTime.Unix()+epoch)*1e7:
		return at
	}
	return time.Unix(int64(ticks/1e7)-epoch, int64(ticks%1e7)*100).UTC()
}

// inverse25 · 25 = 1 mod 2^62, found by Newton's iteration: each step doubles the bits.
var inverse25 = func() uint64 {
	x := uint64(25) // right in 3 bits, as of any odd number
	for range 5 {
		x *= 2 - 25*x
	}
	return x
}()

// straightened returns a DateTime, or an array of it, as the client meant it.
func straightened(v *ua.Variant) *ua.Variant {
	switch x := valueOf(v).(type) {
	case time.Time:
		if at := straighten(x); !at.Equal(x) {
			return ua.MustVariant(at)
		}
	case []time.Time:
		if slices.ContainsFunc(x, func(at time.Time) bool { return !straighten(at).Equal(at) }) {
			c := make([]time.Time, len(x))
			for i := range x {
				c[i] = straighten(x[i])
			}
			return ua.MustVariant(c)
		}
	}
	return v
}

// byteStrings makes an array of ByteString, which the codec takes for a matrix.
func byteStrings(list [][]byte) (*ua.Variant, error) {
	v := new(ua.Variant)
	_, err := v.Decode(putArray([]byte{byte(ua.TypeIDByteString) | ua.VariantArrayValues}, list, putBytes))
	return v, err
}
