package value

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/gopcua/opcua/ua"
)

// What follows reads one type each, from a JSON token that is known to be valid; of an array or
// object it is enough to look at the first byte.

const (
	errBoolean  fault = "true or false is expected"
	errNumber   fault = "a number is expected"
	errFloat    fault = `a number, "NaN", "Infinity" or "-Infinity" is expected`
	errLong     fault = "an integer, or a string with its digits, is expected"
	errString   fault = "a string is expected"
	errFraction fault = "it is not an integer"
	errRange    fault = "it is out of range"
	errBase64   fault = "base64 with padding is expected"
	errGUID     fault = "a text such as 72962b91-fa75-4ae6-8d28-b404dc7daf63 is expected"
	errTime     fault = "a time of RFC 3339 such as 2006-01-02T15:04:05.5Z is expected"
)

func boolean(token []byte) (bool, error) {
	switch token[0] {
	case 't':
		return true, nil
	case 'f':
		return false, nil
	}
	return false, errBoolean
}

func single(token []byte) (float32, error) {
	f, err := float(token, 32)
	return float32(f), err
}

func double(token []byte) (float64, error) { return float(token, 64) }

// float reads a number, rounded to the nearest that the type has.
func float(token []byte, bits int) (float64, error) {
	if isNumber(token) {
		f, err := strconv.ParseFloat(string(token), bits)
		if err != nil {
			return 0, errRange
		}
		return f, nil
	}
	switch string(token) {
	case `"NaN"`:
		return math.NaN(), nil
	case `"Infinity"`:
		return math.Inf(1), nil
	case `"-Infinity"`:
		return math.Inf(-1), nil
	}
	return 0, errFloat
}

// unquote returns the text of a string, as a part of the token if there are no escapes in it.
func unquote(token []byte) ([]byte, error) {
	if token[0] != '"' {
		return nil, errString
	}
	if bytes.IndexByte(token, '\\') < 0 {
		return token[1 : len(token)-1], nil
	}
	var s string
	err := json.Unmarshal(token, &s)
	return []byte(s), err
}

func isNull(token []byte) bool { return token[0] == 'n' }

// textOf reads a String.
func textOf(token []byte) (string, error) {
	if isNull(token) {
		return "", nil
	}
	s, err := unquote(token)
	return string(s), err
}

func localizedText(token []byte) (*ua.LocalizedText, error) {
	s, err := textOf(token)
	return ua.NewLocalizedText(s), err
}

func qualifiedName(token []byte) (*ua.QualifiedName, error) {
	s, err := textOf(token)
	return &ua.QualifiedName{Name: s}, err
}

func byteString(token []byte) ([]byte, error) {
	if isNull(token) {
		return nil, nil
	}
	s, err := unquote(token)
	if err != nil {
		return nil, err
	}
	b := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
	n, err := base64.StdEncoding.Strict().Decode(b, s)
	if err != nil || bytes.ContainsAny(s, "\r\n") { // which the decoder skips
		return nil, errBase64
	}
	return b[:n], nil
}

func guid(token []byte) (*ua.GUID, error) {
	s, err := unquote(token)
	if err != nil {
		return nil, err
	}
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		if g := ua.NewGUID(string(s)); g != nil {
			return g, nil
		}
	}
	return nil, errGUID
}

const tick = 100 * time.Nanosecond

const errTimeRange fault = "times from 1601-01-01T00:00:00Z on are DateTimes"

// dateTime reads an instant; what is finer than a tick is dropped. The first instant of 1601 is
// the null DateTime, and the last second of 9999 is one instant (OPC 10000-6, 5.2.2.5).
func dateTime(token []byte) (at time.Time, err error) {
	if isNull(token) {
		return at, nil
	}
	s, err := unquote(token)
	if err != nil {
		return at, err
	}
	// The package lets an hour of one digit and a decimal comma pass.
	if at.UnmarshalText(s) != nil || s[len("2006-01-02T15")] != ':' || bytes.IndexByte(s, ',') >= 0 {
		return at, errTime
	}
	at = at.Add(-time.Duration(at.Nanosecond()) % tick).UTC()
	switch {
	case at.Before(minTime):
		return at, errTimeRange
	case at.Equal(minTime):
		return time.Time{}, nil
	case at.After(maxTime):
		return maxTime, nil
	}
	return at, nil
}
