package value

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
)

// Parse makes a value of JSON text. The error says what does not fit, without quoting more than
// a few bytes. The variant does not alias the text.
func (t Type) Parse(text []byte) (*ua.Variant, error) {
	if offset, err := core.ValidJSON(text); err != nil {
		return nil, fmt.Errorf("not JSON: at byte %d: %w", offset, err)
	}
	value, err := t.parse(text)
	if err != nil {
		return nil, err
	}
	return ua.NewVariant(value)
}

// parse returns the Go value that the codec has for the type; text is valid JSON.
func (t Type) parse(text []byte) (any, error) {
	switch t.Builtin {
	case ua.TypeIDBoolean:
		return parse(t, text, boolean)
	case ua.TypeIDSByte:
		return parse(t, text, signed[int8])
	case ua.TypeIDByte:
		if t.Array {
			s, err := array(text, unsigned[uint8])
			return ua.ByteArray(s), t.explain(err)
		}
		return parse(t, text, unsigned[uint8])
	case ua.TypeIDInt16:
		return parse(t, text, signed[int16])
	case ua.TypeIDUint16:
		return parse(t, text, unsigned[uint16])
	case ua.TypeIDInt32:
		return parse(t, text, signed[int32])
	case ua.TypeIDUint32:
		return parse(t, text, unsigned[uint32])
	case ua.TypeIDInt64:
		return parse(t, text, long[int64](signed))
	case ua.TypeIDUint64:
		return parse(t, text, long[uint64](unsigned))
	case ua.TypeIDFloat:
		return parse(t, text, single)
	case ua.TypeIDDouble:
		return parse(t, text, double)
	case ua.TypeIDString:
		return parse(t, text, nullable(str))
	case ua.TypeIDDateTime:
		return parse(t, text, nullable(dateTime))
	case ua.TypeIDGUID:
		return parse(t, text, guid)
	case ua.TypeIDByteString:
		return parse(t, text, nullable(byteString))
	case ua.TypeIDLocalizedText:
		return parse(t, text, localizedText)
	case ua.TypeIDQualifiedName:
		return parse(t, text, qualifiedName)
	}
	return nil, errors.New("there is no type to read it as")
}

// fault is what is wrong with one value.
type fault string

func (f fault) Error() string { return string(f) }

const (
	errKind     fault = "another kind of value is expected"
	errRange    fault = "out of range"
	errFraction fault = "not an integer"
)

// explain adds the type to what is wrong.
func (t Type) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("not a value of %s: %w", t, err)
}

// parse reads a scalar or an array of what one reads.
func parse[T any](t Type, text []byte, one func(token []byte) (T, error)) (any, error) {
	if t.Array {
		s, err := array(text, one)
		return s, t.explain(err)
	}
	token := bytes.Trim(text, space)
	v, err := one(token)
	if err != nil {
		return nil, t.explain(fmt.Errorf("%s: %w", quote(token), err))
	}
	return v, nil
}

const space = " \t\r\n"

// array reads an array of scalars. It is never nil without an error, so that an empty array
// stays one.
func array[T any](text []byte, one func(token []byte) (T, error)) ([]T, error) {
	rest := bytes.Trim(text, space)
	if rest[0] != '[' {
		return nil, fmt.Errorf("%s: an array is expected", quote(rest))
	}
	values := make([]T, 0, min(bytes.Count(rest, []byte{','})+1, MaxArray))
	for rest = bytes.TrimLeft(rest[1:], space); rest[0] != ']'; {
		if len(values) == MaxArray {
			return nil, fmt.Errorf("more than %d elements", MaxArray)
		}
		token := rest[:tokenEnd(rest)]
		v, err := one(token)
		if err != nil {
			return nil, fmt.Errorf("element %d: %s: %w", len(values), quote(token), err)
		}
		values = append(values, v)
		rest = bytes.TrimLeft(rest[len(token):], space)
		if rest[0] == ',' {
			rest = bytes.TrimLeft(rest[1:], space)
		}
	}
	return values, nil
}

// tokenEnd returns the length of the scalar that valid text begins with; of an array or object
// it is the bracket alone, which nothing reads.
func tokenEnd(text []byte) int {
	switch text[0] {
	case '[', '{':
		return 1
	case '"':
		for i := 1; ; i++ {
			switch text[i] {
			case '"':
				return i + 1
			case '\\':
				i++
			}
		}
	}
	return bytes.IndexAny(text, ",]"+space)
}

// quote returns the beginning of a text for an error.
func quote[T ~string | ~[]byte](text T) string {
	const most = 24
	if len(text) <= most {
		return strconv.Quote(string(text))
	}
	return strconv.Quote(string(text[:most])) + "…"
}

// nullable makes null the zero value.
func nullable[T any](one func(token []byte) (T, error)) func(token []byte) (T, error) {
	return func(token []byte) (T, error) {
		if token[0] == 'n' {
			var zero T
			return zero, nil
		}
		return one(token)
	}
}

func boolean(token []byte) (bool, error) {
	switch token[0] {
	case 't':
		return true, nil
	case 'f':
		return false, nil
	}
	return false, errKind
}

func single(token []byte) (float32, error) {
	f, err := float(token, 32)
	return float32(f), err
}

func double(token []byte) (float64, error) { return float(token, 64) }

// float reads a number, rounded to the nearest that the type has.
func float(token []byte, bits int) (float64, error) {
	switch string(token) {
	case `"NaN"`:
		return math.NaN(), nil
	case `"Infinity"`:
		return math.Inf(1), nil
	case `"-Infinity"`:
		return math.Inf(-1), nil
	}
	if !isNumber(token) {
		return 0, errKind
	}
	f, err := strconv.ParseFloat(string(token), bits)
	if err != nil {
		return 0, errRange
	}
	return f, nil
}

// str reads a string.
func str(token []byte) (string, error) {
	if token[0] != '"' {
		return "", errKind
	}
	if bytes.IndexByte(token, '\\') < 0 {
		return string(token[1 : len(token)-1]), nil
	}
	var s string
	err := json.Unmarshal(token, &s)
	return s, err
}

func byteString(token []byte) ([]byte, error) {
	s, err := str(token)
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") { // which the decoder would skip
		return nil, fault("not base64 with padding")
	}
	return b, nil
}

func localizedText(token []byte) (*ua.LocalizedText, error) {
	s, err := nullable(str)(token)
	return ua.NewLocalizedText(s), err
}

func qualifiedName(token []byte) (*ua.QualifiedName, error) {
	s, err := nullable(str)(token)
	return &ua.QualifiedName{Name: s}, err
}

func guid(token []byte) (*ua.GUID, error) {
	s, err := str(token)
	if err != nil {
		return nil, err
	}
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		if g := ua.NewGUID(s); g != nil {
			return g, nil
		}
	}
	return nil, fault("not a Guid such as 72962b91-fa75-4ae6-8d28-b404dc7daf63")
}

// The instants that the codec can write: it counts nanoseconds in 64 bits. Whole ticks.
var (
	minTime = time.Unix(0, math.MinInt64).Add(tick).Truncate(tick).UTC()
	maxTime = time.Unix(0, math.MaxInt64).Truncate(tick).UTC()
)

const tick = 100 * time.Nanosecond

// dateTime reads an instant of RFC 3339; what is finer than a tick is cut.
func dateTime(token []byte) (time.Time, error) {
	s, err := str(token)
	if err != nil {
		return time.Time{}, err
	}
	var at time.Time
	// The package lets an hour of one digit and a decimal comma pass.
	if at.UnmarshalText([]byte(s)) != nil || s[len("2006-01-02T15")] != ':' || strings.Contains(s, ",") {
		return time.Time{}, fault("not a time of RFC 3339 such as 2006-01-02T15:04:05.5Z")
	}
	at = at.UTC()
	at = at.Add(-time.Duration(at.Nanosecond()) % tick)
	if at.Before(minTime) || at.After(maxTime) {
		return time.Time{}, errRange
	}
	return at, nil
}
