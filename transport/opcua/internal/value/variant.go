package value

import (
	"math"
	"reflect"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/gopcua/opcua/ua"
)

// Zero is the value of a variable that was never given one: 0, false, an empty text, the null
// DateTime, the Guid of zeros, an empty array.
func (t Type) Zero() *ua.Variant {
	v, err := t.Parse([]byte(t.zeroText()))
	if err != nil {
		panic("value: zero of " + t.String() + ": " + err.Error()) // of the zero Type only
	}
	return v
}

func (t Type) zeroText() string {
	switch {
	case t.Array:
		return "[]"
	case t.Builtin == ua.TypeIDBoolean:
		return "false"
	case t.Builtin <= ua.TypeIDDouble:
		return "0"
	case t.Builtin == ua.TypeIDGUID:
		return `"00000000-0000-0000-0000-000000000000"`
	}
	return "null"
}

// Adapt returns what a client sent as a value that can be kept: a ByteString as an array of Byte,
// if the type is that (OPC 10000-4, 5.11.4.2), the time that was meant of a DateTime that the
// codec cannot read, and memory of its own for what the codec lets alias the request.
// Everything else is returned as it is.
func (t Type) Adapt(v *ua.Variant) *ua.Variant {
	switch x := valueOf(v).(type) {
	case []byte:
		if t.Builtin == ua.TypeIDByte && t.Array {
			return ua.MustVariant(ua.ByteArray(slices.Clone(x)))
		}
		return ua.MustVariant(slices.Clone(x))
	case [][]byte:
		own, err := byteStrings(x)
		if err != nil {
			return v
		}
		return own
	case *ua.GUID:
		return ua.MustVariant(cloneGUID(x))
	case []*ua.GUID:
		own := make([]*ua.GUID, len(x))
		for i := range x {
			own[i] = cloneGUID(x[i])
		}
		return ua.MustVariant(own)
	}
	return straightened(v)
}

func cloneGUID(g *ua.GUID) *ua.GUID {
	if g == nil {
		return nil
	}
	c := *g
	c.Data4 = slices.Clone(g.Data4)
	return &c
}

// Accepts says whether a variant that a client sent is a value of the type (OPC 10000-4, 5.11.4:
// else BadTypeMismatch), of at most [MaxArray] elements, with texts in valid UTF-8 and
// times from 1601 to 9999, as [Type.Adapt] has given them. A null variant is no value; a null array is an empty one.
func (t Type) Accepts(v *ua.Variant) bool {
	if v == nil || v.Type() != t.Builtin || !supported(int(t.Builtin)) || len(v.ArrayDimensions()) > 1 {
		return false
	}
	if v.Has(ua.VariantArrayValues) != t.Array || v.ArrayLength() > MaxArray {
		return false
	}
	switch x := v.Value().(type) {
	case string:
		return utf8.ValidString(x)
	case *ua.LocalizedText:
		return textFits(x)
	case *ua.QualifiedName:
		return nameFits(x)
	case time.Time:
		return timeFits(x)
	case []string:
		return all(x, utf8.ValidString)
	case []*ua.LocalizedText:
		return all(x, textFits)
	case []*ua.QualifiedName:
		return all(x, nameFits)
	case []time.Time:
		return all(x, timeFits)
	case nil:
		return false
	}
	return true
}

func all[T any](values []T, fits func(T) bool) bool {
	return !slices.ContainsFunc(values, func(v T) bool { return !fits(v) })
}

func textFits(t *ua.LocalizedText) bool {
	return t != nil && utf8.ValidString(t.Text) && utf8.ValidString(t.Locale)
}

func nameFits(n *ua.QualifiedName) bool { return n != nil && utf8.ValidString(n.Name) }

// Equal says whether two values are the same, for data changes: NaN is the same as NaN, 0 as -0,
// a null text or array as an empty one, and a time in any zone. It knows all types of the codec.
func Equal(a, b *ua.Variant) bool {
	x, y := valueOf(a), valueOf(b)
	if x == nil || reflect.TypeOf(x) != reflect.TypeOf(y) {
		return x == nil && y == nil
	}
	switch x := x.(type) {
	case float32:
		return sameFloat(x, y.(float32))
	case float64:
		return sameFloat(x, y.(float64))
	case time.Time:
		return x.Equal(y.(time.Time))
	case []byte:
		return slices.Equal(x, y.([]byte))
	case [][]byte:
		return slices.EqualFunc(x, y.([][]byte), slices.Equal)
	case []float32:
		return slices.EqualFunc(x, y.([]float32), sameFloat)
	case []float64:
		return slices.EqualFunc(x, y.([]float64), sameFloat)
	case []time.Time:
		return slices.EqualFunc(x, y.([]time.Time), time.Time.Equal)
	}
	bothEmpty := a.Has(ua.VariantArrayValues) && a.ArrayLength() <= 0 && b.ArrayLength() <= 0
	return bothEmpty || reflect.DeepEqual(x, y)
}

func sameFloat[T float32 | float64](a, b T) bool { return a == b || a != a && b != b }

// Number is a scalar number, for deadbands (OPC 10000-4, 7.22.2); false for anything else.
func Number(v *ua.Variant) (float64, bool) {
	switch x := valueOf(v).(type) {
	case int8:
		return float64(x), true
	case uint8:
		return float64(x), true
	case int16:
		return float64(x), true
	case uint16:
		return float64(x), true
	case int32:
		return float64(x), true
	case uint32:
		return float64(x), true
	case int64:
		return float64(x), true
	case uint64:
		return float64(x), true
	case float32:
		return float64(x), true
	case float64:
		return x, true
	}
	return math.NaN(), false
}

// Numbers is an array of numbers, copied; false for anything else.
func Numbers(v *ua.Variant) ([]float64, bool) {
	switch x := valueOf(v).(type) {
	case []int8:
		return numbers(x)
	case ua.ByteArray:
		return numbers(x)
	case []int16:
		return numbers(x)
	case []uint16:
		return numbers(x)
	case []int32:
		return numbers(x)
	case []uint32:
		return numbers(x)
	case []int64:
		return numbers(x)
	case []uint64:
		return numbers(x)
	case []float32:
		return numbers(x)
	case []float64:
		return numbers(x)
	}
	return nil, false
}

type number interface {
	int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | float32 | float64
}

func numbers[T number](values []T) ([]float64, bool) {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(v)
	}
	return out, true
}
