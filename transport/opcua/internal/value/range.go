package value

import (
	"reflect"
	"strings"

	"github.com/gopcua/opcua/ua"
)

// Range is a NumericRange (OPC 10000-4, 7.27). The zero value means the whole value.
type Range struct {
	Low, High int // both inclusive, counted from 0
	Set       bool

	dimensions      int // how many there were in the text
	subLow, subHigh int // the second one: a part of each text of an array
}

// ParseRange reads "", "3" or "3:7" (OPC 10000-4, 7.27 and A.3), and several of them with commas
// between. The status is BadIndexRangeInvalid if the syntax is none of these. Two dimensions find
// parts of the texts in an array of String or ByteString; more are valid, but find nothing in any value here.
func ParseRange(text string) (Range, ua.StatusCode) {
	if text == "" {
		return Range{}, ua.StatusOK
	}
	r := Range{Set: true}
	for part := range strings.SplitSeq(text, ",") {
		low, high, ok := bounds(part)
		if !ok {
			return Range{}, ua.StatusBadIndexRangeInvalid
		}
		switch r.dimensions++; r.dimensions {
		case 1:
			r.Low, r.High = low, high
		case 2:
			r.subLow, r.subHigh = low, high
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

// index reads the digits of an index. One that is too large for any array is invalid.
func index(text string) (int, bool) {
	const most, digits = 1<<31 - 1, 10
	if text == "" || len(text) > digits {
		return 0, false
	}
	n := int64(0)
	for i := range len(text) {
		if !isDigit(text[i]) {
			return 0, false
		}
		n = n*10 + int64(text[i]-'0')
	}
	return int(n), n <= most
}

// Read gives the part of a value that is there: an array of at least one element, or a part of a
// String, which is counted in characters, or of a ByteString. It is BadIndexRangeNoData if
// nothing is there, or if the value has no parts.
func (r Range) Read(v *ua.Variant) (*ua.Variant, ua.StatusCode) {
	if !r.Set {
		return v, ua.StatusOK
	}
	if text, ok := valueOf(v).(string); ok && r.dimensions <= 1 {
		part := characters(text, r.Low, r.High)
		if part == "" {
			return nil, ua.StatusBadIndexRangeNoData
		}
		return ua.MustVariant(part), ua.StatusOK
	}
	s := partsOf(v)
	if !s.IsValid() || r.Low >= s.Len() {
		return nil, ua.StatusBadIndexRangeNoData
	}
	s = s.Slice(r.Low, min(r.High, s.Len()-1)+1)
	if r.dimensions > 1 {
		return r.readTexts(s)
	}
	return join(v, s), ua.StatusOK
}

// readTexts gives a part of each text or ByteString of an array; what one does not have is empty
// there.
func (r Range) readTexts(s reflect.Value) (*ua.Variant, ua.StatusCode) {
	if r.dimensions > 2 {
		return nil, ua.StatusBadIndexRangeNoData
	}
	switch list := s.Interface().(type) {
	case []string:
		parts := make([]string, len(list))
		for i, text := range list {
			parts[i] = characters(text, r.subLow, r.subHigh)
		}
		return ua.MustVariant(parts), ua.StatusOK
	case [][]byte:
		parts := make([][]byte, len(list))
		for i, b := range list {
			parts[i] = subRange(r, b)
		}
		return join(nil, reflect.ValueOf(parts)), ua.StatusOK
	}
	return nil, ua.StatusBadIndexRangeNoData
}

// characters are those of a text from the place low to the place high, as far as there are any.
// They share its bytes: a thousand clients may look at parts of a long text.
func characters(text string, low, high int) string {
	place, start := 0, len(text)
	for i := range text {
		if place == low {
			start = i
		}
		if place > high {
			return text[min(start, i):i]
		}
		place++
	}
	return text[start:]
}

// subRange is the part of one element that the second dimension means.
func subRange[T any](r Range, all []T) []T {
	return all[min(r.subLow, len(all)) : min(r.subHigh, len(all)-1)+1]
}

// Write gives a copy of old with part put in place of the range: BadIndexRangeNoData if old has
// no such range, BadTypeMismatch if part is of another type or rank, [BadIndexRangeDataMismatch]
// if it is not as long as the range. A single element is written as an array of one (OPC 10000-4,
// 5.11.4.2). Parts of the texts in an array cannot be written. Without a range it is part.
func (r Range) Write(old, part *ua.Variant) (*ua.Variant, ua.StatusCode) {
	if !r.Set {
		return part, ua.StatusOK
	}
	s, p := partsOf(old), partsOf(part)
	switch {
	case !s.IsValid() || r.dimensions > 1 || r.High >= s.Len():
		return nil, ua.StatusBadIndexRangeNoData
	case !p.IsValid() || part.Type() != old.Type() || p.Type() != s.Type():
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
	if _, ok := value.([][]byte); ok && v.Type() == ua.TypeIDByteString {
		return reflect.ValueOf(value)
	}
	if s := reflect.ValueOf(value); s.Kind() == reflect.Slice && s.Type().Elem().Kind() != reflect.Slice {
		return s
	}
	return reflect.Value{} // also of a matrix
}

// join makes a variant like v of parts.
func join(v *ua.Variant, parts reflect.Value) *ua.Variant {
	if _, ok := valueOf(v).(string); ok {
		return ua.MustVariant(string(parts.Interface().([]rune)))
	}
	if list, ok := parts.Interface().([][]byte); ok {
		joined, err := byteStrings(list)
		if err != nil {
			panic("value: " + err.Error()) // they were in a variant before
		}
		return joined
	}
	return ua.MustVariant(parts.Interface())
}
