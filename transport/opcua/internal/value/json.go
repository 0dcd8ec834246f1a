package value

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/gopcua/opcua/ua"
)

// AppendJSON appends the JSON text of a variant of one of the types. It cannot fail for what
// [Type.Accepts] accepted. A null array becomes an empty one.
func AppendJSON(dst []byte, v *ua.Variant) ([]byte, error) {
	switch x := valueOf(v).(type) {
	case bool:
		return strconv.AppendBool(dst, x), nil
	case int8:
		return appendSigned(dst, x)
	case uint8:
		return appendUnsigned(dst, x)
	case int16:
		return appendSigned(dst, x)
	case uint16:
		return appendUnsigned(dst, x)
	case int32:
		return appendSigned(dst, x)
	case uint32:
		return appendUnsigned(dst, x)
	case int64:
		return appendInt64(dst, x)
	case uint64:
		return appendUint64(dst, x)
	case float32:
		return appendSingle(dst, x)
	case float64:
		return appendDouble(dst, x)
	case string:
		return appendString(dst, x)
	case time.Time:
		return appendTime(dst, x)
	case *ua.GUID:
		return appendGUID(dst, x)
	case []byte:
		return appendBytes(dst, x)
	case *ua.LocalizedText:
		return appendLocalizedText(dst, x)
	case *ua.QualifiedName:
		return appendQualifiedName(dst, x)
	}
	return appendArrayOf(dst, v)
}

func valueOf(v *ua.Variant) any {
	if v == nil {
		return nil
	}
	return v.Value()
}

func appendArrayOf(dst []byte, v *ua.Variant) ([]byte, error) {
	switch x := valueOf(v).(type) {
	case []bool:
		return appendArray(dst, x, appendBool)
	case []int8:
		return appendArray(dst, x, appendSigned)
	case ua.ByteArray:
		return appendArray(dst, x, appendUnsigned)
	case []int16:
		return appendArray(dst, x, appendSigned)
	case []uint16:
		return appendArray(dst, x, appendUnsigned)
	case []int32:
		return appendArray(dst, x, appendSigned)
	case []uint32:
		return appendArray(dst, x, appendUnsigned)
	case []int64:
		return appendArray(dst, x, appendInt64)
	case []uint64:
		return appendArray(dst, x, appendUint64)
	case []float32:
		return appendArray(dst, x, appendSingle)
	case []float64:
		return appendArray(dst, x, appendDouble)
	case []string:
		return appendArray(dst, x, appendString)
	case []time.Time:
		return appendArray(dst, x, appendTime)
	case []*ua.GUID:
		return appendArray(dst, x, appendGUID)
	case [][]byte:
		return appendArray(dst, x, appendBytes)
	case []*ua.LocalizedText:
		return appendArray(dst, x, appendLocalizedText)
	case []*ua.QualifiedName:
		return appendArray(dst, x, appendQualifiedName)
	}
	return dst, fmt.Errorf("a value of %T has no JSON form here", valueOf(v))
}

func appendArray[T any](dst []byte, values []T, one func([]byte, T) ([]byte, error)) ([]byte, error) {
	dst = append(dst, '[')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = one(dst, v); err != nil {
			return dst, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return append(dst, ']'), nil
}

func appendBool(dst []byte, v bool) ([]byte, error) { return strconv.AppendBool(dst, v), nil }

func appendSigned[T int8 | int16 | int32](dst []byte, v T) ([]byte, error) {
	return strconv.AppendInt(dst, int64(v), 10), nil
}

func appendUnsigned[T uint8 | uint16 | uint32](dst []byte, v T) ([]byte, error) {
	return strconv.AppendUint(dst, uint64(v), 10), nil
}

func appendInt64(dst []byte, v int64) ([]byte, error) {
	return append(strconv.AppendInt(append(dst, '"'), v, 10), '"'), nil
}

func appendUint64(dst []byte, v uint64) ([]byte, error) {
	return append(strconv.AppendUint(append(dst, '"'), v, 10), '"'), nil
}

func appendSingle(dst []byte, v float32) ([]byte, error) {
	return appendFloat(dst, float64(v), 32), nil
}

func appendDouble(dst []byte, v float64) ([]byte, error) { return appendFloat(dst, v, 64), nil }

// appendFloat appends the shortest number that reads back as the same, as ECMAScript and
// encoding/json write it.
func appendFloat(dst []byte, v float64, bits int) []byte {
	switch size := math.Abs(v); {
	case math.IsNaN(v):
		return append(dst, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(dst, `"-Infinity"`...)
	case size != 0 && (size < 1e-6 || size >= 1e21):
		dst = strconv.AppendFloat(dst, v, 'e', -1, bits)
		if n := len(dst); string(dst[n-4:n-1]) == "e-0" {
			dst = append(dst[:n-2], dst[n-1])
		}
		return dst
	}
	return strconv.AppendFloat(dst, v, 'f', -1, bits)
}

// appendString appends a JSON string. Only what must be escaped is: no HTML escaping.
func appendString(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return dst, fault("a text that is not valid UTF-8")
	}
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		start = i + 1
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"'), nil
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}

func appendTime(dst []byte, at time.Time) ([]byte, error) {
	if at.IsZero() {
		return append(dst, "null"...), nil
	}
	if !timeFits(at) {
		return dst, fault("a time that is no DateTime")
	}
	return at.UTC().AppendFormat(dst, `"2006-01-02T15:04:05.9999999Z"`), nil
}

func appendBytes(dst, b []byte) ([]byte, error) {
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), b)
	return append(dst, '"'), nil
}

func appendGUID(dst []byte, g *ua.GUID) ([]byte, error) {
	if g == nil || len(g.Data4) != 8 {
		return dst, fault("an incomplete Guid")
	}
	var b [8]byte
	binary.BigEndian.PutUint32(b[:], g.Data1)
	binary.BigEndian.PutUint16(b[4:], g.Data2)
	binary.BigEndian.PutUint16(b[6:], g.Data3)
	dst = hex.AppendEncode(append(dst, '"'), b[:4])
	dst = hex.AppendEncode(append(dst, '-'), b[4:6])
	dst = hex.AppendEncode(append(dst, '-'), b[6:])
	dst = hex.AppendEncode(append(dst, '-'), g.Data4[:2])
	dst = hex.AppendEncode(append(dst, '-'), g.Data4[2:])
	return append(dst, '"'), nil
}

func appendLocalizedText(dst []byte, t *ua.LocalizedText) ([]byte, error) {
	if t == nil {
		return append(dst, `""`...), nil
	}
	return appendString(dst, t.Text)
}

func appendQualifiedName(dst []byte, n *ua.QualifiedName) ([]byte, error) {
	if n == nil {
		return append(dst, `""`...), nil
	}
	return appendString(dst, n.Name)
}
