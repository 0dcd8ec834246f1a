package value

import (
	"reflect"
	"strings"

	"github.com/gopcua/opcua/ua"
)

// Range is a NumericRange of one dimension. The zero value means the whole value.
type Range struct {
	Low, High int // both inclusive, counted from 0
	Set       bool
	// dimensions is how many there were in the text, if more than one: no value here has them.
	dimensions int
}

// ParseRange reads "", "3" or "3:7" (OPC 10000-4, 7.27 and A.3). The status is
// BadIndexRangeInvalid if the syntax is none of these. A range of several dimensions is valid,
// but finds nothing in any value here.
func ParseRange(text string) (Range, ua.StatusCode) {
	if text == "" {
		return Range{}, ua.StatusOK
	}
	parts := strings.Split(text, ",")
	r := Range{Set: true, dimensions: len(parts)}
	for i, part := range parts {
		low, high, ok := bounds(part)
		if !ok {
			return Range{}, ua.StatusBadIndexRangeInvalid
		}
		if i == 0 {
			r.Low, r.High = low, high
		}
	}
	return r, ua.StatusOK
}

// bounds reads "3" or "3:7"; the first must be the lower one.
func bounds(part string) (low, high int, ok bool) {
	first, last, two := strings.Cut(part, ":")
	if low, ok = index(first); !ok || !two {
		return low, low, ok
	}
	high, ok = index(last)
	return low, high, ok && low < high
}

// index reads the digits of an index. One that is too large for any value is invalid.
func index(text string) (int, bool) {
	if text == "" || len(text) > 10 {
		return 0, false
	}
	n := 0
	for i := range len(text) {
		if !isDigit(text[i]) {
			return 0, false
		}
		n = n*10 + int(text[i]-'0')
	}
	return n, n <= maxIndex
}

const maxIndex = 1<<31 - 1

// Read gives the part of a value that is there: an array of at least one element, or a part of a
// text, which is counted in characters, or of a ByteString. It is BadIndexRangeNoData if
// nothing is there, or if the value has no parts.
func (r Range) Read(v *ua.Variant) (*ua.Variant, ua.StatusCode) {
	if !r.Set {
		return v, ua.StatusOK
	}
	s := partsOf(v)
	if !s.IsValid() || r.dimensions > 1 || r.Low >= s.Len() {
		return nil, ua.StatusBadIndexRangeNoData
	}
	return join(v, s.Slice(r.Low, min(r.High+1, s.Len()))), ua.StatusOK
}

// Write gives a copy of old with part put in place of the range: BadIndexRangeNoData if old has
// no such range, BadTypeMismatch if part is of another type or rank, BadIndexRangeDataMismatch if
// it is not as
// long as the range. Without a range it is part.
func (r Range) Write(old, part *ua.Variant) (*ua.Variant, ua.StatusCode) {
	if !r.Set {
		return part, ua.StatusOK
	}
	s, p := partsOf(old), partsOf(part)
	switch {
	case !s.IsValid() || r.dimensions > 1 || r.High >= s.Len():
		return nil, ua.StatusBadIndexRangeNoData
	case !p.IsValid() || p.Type() != s.Type():
		return nil, ua.StatusBadTypeMismatch
	case p.Len() != r.High-r.Low+1:
		return nil, BadIndexRangeDataMismatch
	}
	c := reflect.MakeSlice(s.Type(), s.Len(), s.Len())
	reflect.Copy(c, s)
	reflect.Copy(c.Slice(r.Low, r.High+1), p)
	return join(old, c), ua.StatusOK
}

// partsOf returns the slice that a range counts in; invalid if there is none.
func partsOf(v *ua.Variant) reflect.Value {
	value := valueOf(v)
	if s, ok := value.(string); ok {
		return reflect.ValueOf([]rune(s))
	}
	if s := reflect.ValueOf(value); s.Kind() == reflect.Slice && len(v.ArrayDimensions()) < 2 {
		return s
	}
	return reflect.Value{}
}

// join makes a variant like v of parts.
func join(v *ua.Variant, parts reflect.Value) *ua.Variant {
	if _, ok := v.Value().(string); ok {
		return ua.MustVariant(string(parts.Interface().([]rune)))
	}
	return ua.MustVariant(parts.Interface())
}
