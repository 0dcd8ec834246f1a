package value

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
)

// Parse makes a value of JSON text. The error says what does not fit, without quoting more than
// a few bytes. The variant does not alias the text.
func (t Type) Parse(text []byte) (*ua.Variant, error) {
	if offset, err := core.ValidJSON(text); err != nil {
		return nil, fmt.Errorf("not JSON: at byte %d: %w", offset, err)
	}
	value, err := t.parse(bytes.Trim(text, space))
	if err != nil {
		return nil, err
	}
	if list, ok := value.([][]byte); ok {
		return byteStrings(list)
	}
	return ua.NewVariant(value)
}

// space is what JSON allows between tokens.
const space = " \t\r\n"

// parse returns the Go value that the codec has for the type.
func (t Type) parse(text []byte) (any, error) {
	switch t.Builtin {
	case ua.TypeIDBoolean:
		return parse(t, text, boolean)
	case ua.TypeIDSByte:
		return parse(t, text, signed[int8])
	case ua.TypeIDByte:
		if t.Array { // the codec takes []byte for a ByteString
			s, err := array(t, text, unsigned[uint8])
			return ua.ByteArray(s), err
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
		return parse(t, text, int64Text)
	case ua.TypeIDUint64:
		return parse(t, text, uint64Text)
	case ua.TypeIDFloat:
		return parse(t, text, single)
	case ua.TypeIDDouble:
		return parse(t, text, double)
	case ua.TypeIDString:
		return parse(t, text, textOf)
	case ua.TypeIDDateTime:
		return parse(t, text, dateTime)
	case ua.TypeIDGUID:
		return parse(t, text, guid)
	case ua.TypeIDByteString:
		return parse(t, text, byteString)
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

// parse reads a scalar or an array of what one reads, from one whole JSON value, which is known
// to be valid, without space around it.
func parse[T any](t Type, text []byte, one func(token []byte) (T, error)) (any, error) {
	if t.Array {
		return array(t, text, one)
	}
	v, err := one(text)
	if err != nil {
		return nil, fmt.Errorf("%s is not of type %s: %w", quote(text), t, err)
	}
	return v, nil
}

// array reads an array of scalars. It is never nil without an error, so that an empty array
// stays one.
func array[T any](t Type, text []byte, one func(token []byte) (T, error)) ([]T, error) {
	if text[0] != '[' {
		return nil, fmt.Errorf("%s is not of type %s: an array is expected", quote(text), t)
	}
	values := make([]T, 0, min(bytes.Count(text, []byte{','})+1, MaxArray))
	for rest := skip(text[1:]); rest[0] != ']'; {
		if len(values) == MaxArray {
			return nil, fmt.Errorf("an array of more than %d elements", MaxArray)
		}
		token := rest[:tokenEnd(rest)]
		v, err := one(token)
		if err != nil {
			return nil, fmt.Errorf("element %d: %s is not of type %s: %w", len(values), quote(token), names[t.Builtin], err)
		}
		values = append(values, v)
		if rest = skip(rest[len(token):]); rest[0] == ',' {
			rest = skip(rest[1:])
		}
	}
	return values, nil
}

// skip returns the text from its first token on.
func skip(text []byte) []byte {
	for text[0] <= ' ' {
		text = text[1:]
	}
	return text
}

// tokenEnd returns the length of the scalar that an element of an array is. For an array or
// object, which nothing reads, it is everything.
func tokenEnd(text []byte) int {
	switch text[0] {
	case '[', '{':
		return len(text)
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
	end := 1
	for c := text[end]; c != ',' && c != ']' && c > ' '; c = text[end] {
		end++
	}
	return end
}

// quote returns the beginning of a text for an error, as it is if it can be shown.
func quote[T ~string | ~[]byte](text T) string {
	const most = 32
	s, more := string(text), ""
	if len(s) > most {
		s, more = s[:most], "…"
	}
	if s = strings.ToValidUTF8(s, ""); s == "" || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		s = strconv.Quote(s)
	}
	return s + more
}
