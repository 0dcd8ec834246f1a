package core

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const sampleText = "0a1b2c3d-1234-4abc-8def-0123456789ab"

func sampleID(t testing.TB) ID {
	id, ok := ParseID([]byte(sampleText))
	require.True(t, ok)
	return id
}

func TestAppendRequest(t *testing.T) {
	tests := []struct {
		name      string
		timestamp int64
		value     []byte
		want      string
	}{
		{"object", 1700000000123, []byte(`{"b":1.0,"a":[2]}`), `"timestamp":1700000000123,"value":{"b":1.0,"a":[2]}}`},
		{"verbatim", 1, []byte(" \"\\u00e4<>&\u2028\" "), "\"timestamp\":1,\"value\": \"\\u00e4<>&\u2028\" }"},
		{"no value", 0, nil, `"timestamp":0,"value":null}`},
		{"empty value", -5, []byte{}, `"timestamp":-5,"value":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := AppendRequest([]byte("before"), sampleID(t), tt.timestamp, tt.value)
			require.Equal(t, `before{"id":"`+sampleText+`",`+tt.want, string(got))
			require.True(t, json.Valid(got[len("before"):]))
		})
	}
}

// answerCase is the text of an answer and what is to be read from it; *ID* in the text stands
// for the id.
type answerCase struct {
	name string
	text string
	want Reply
}

func TestDecodeAnswer(t *testing.T) {
	id := sampleID(t)
	value := func(v string) Reply { return Reply{ID: id, HasID: true, Value: []byte(v)} }
	tests := []answerCase{
		{"value", `{"id":"*ID*","timestamp":1,"value":{"a":[1,2.50,"x"]}}`, value(`{"a":[1,2.50,"x"]}`)},
		{"null is a value", `{"id":"*ID*","value":null}`, value(`null`)},
		{"space everywhere", " {\r\n\t\"id\" : \"*ID*\" , \"value\" : [ 1 , 2 ] } \n", value(`[ 1 , 2 ]`)},
		{"no id", `{"value":1}`, Reply{Value: []byte(`1`)}},
		{"id of another kind", `{"id":"17","value":1}`, Reply{HasID: true, Value: []byte(`1`)}},
		{"empty id", `{"id":"","value":1}`, Reply{HasID: true, Value: []byte(`1`)}},
		{"upper case id", `{"id":"` + strings.ToUpper(sampleText) + `","value":1}`, value(`1`)},
		{"escaped name", `{"\u0069\u0064":"*ID*","valu\u0065":1}`, value(`1`)},
		{"names with case", `{"id":"*ID*","value":1,"ID":"x","Value":2,"ERROR":3}`, value(`1`)},
		{"names longer than any", `{"id":"*ID*","value":1,"\u0076\u0061\u006c\u0075\u0065\u0065\u0065\u0065":2}`, value(`1`)},
		{"last id counts", `{"id":"17","id":7,"id":"*ID*","value":1}`, value(`1`)},
		{"last value counts", `{"id":"*ID*","value":1,"value":2}`, value(`2`)},
		{"unknown members", `{"id":"*ID*","x":{"id":"17","value":0},"value":1,"y":[{"error":1}]}`, value(`1`)},
		{"code and message mean nothing here", `{"id":"*ID*","code":7,"value":1,"message":"m"}`, value(`1`)},
		{"extend", `{"id":"*ID*","extend":500}`, Reply{ID: id, HasID: true, Extend: []byte(`500`)}},
		{"http", `{"id":"*ID*","value":1,"http":{"status":201}}`, Reply{ID: id, HasID: true, Value: []byte(`1`), HTTP: []byte(`{"status":201}`)}},
		{"id only", `{"id":"*ID*"}`, Reply{ID: id, HasID: true, Problem: errNothingInIt}},
		{"http only", `{"id":"*ID*","http":{}}`, Reply{ID: id, HasID: true, HTTP: []byte(`{}`), Problem: errNothingInIt}},
		{"empty object", `{}`, Reply{Problem: errNothingInIt}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { requireDecodes(t, tt) })
	}
}

func requireDecodes(t *testing.T, tt answerCase) {
	t.Helper()
	got, err := DecodeAnswer([]byte(strings.ReplaceAll(tt.text, "*ID*", sampleText)))
	require.NoError(t, err)
	require.Equal(t, tt.want, got)
}

func TestDecodeAnswerEscapedID(t *testing.T) {
	escaped := ""
	for _, c := range sampleText {
		escaped += `\u00` + strconv.FormatInt(int64(c), 16)
	}
	got, err := DecodeAnswer([]byte(`{"id":"` + escaped + `","value":1}`))
	require.NoError(t, err)
	require.Equal(t, sampleID(t), got.ID)

	got, err = DecodeAnswer([]byte(`{"id":"` + escaped + escaped + `","value":1}`))
	require.NoError(t, err)
	require.True(t, got.HasID)
	require.Zero(t, got.ID, "longer than any id")
}

func TestDecodeAnswerError(t *testing.T) {
	id := sampleID(t)
	failed := func(e ReplyError) Reply { return Reply{ID: id, HasID: true, Error: &e} }
	unusable := func(why error) Reply { return Reply{ID: id, HasID: true, Problem: why} }
	tests := []answerCase{
		{"code and message", `{"code":503,"message":"busy"}`, failed(ReplyError{Code: 503, Message: "busy"})},
		{"no message", `{"code":-2147483648}`, failed(ReplyError{Code: -2147483648})},
		{"integral fraction", `{"code":500.0}`, failed(ReplyError{Code: 500})},
		{"integral exponent", `{"code":5E+2}`, failed(ReplyError{Code: 500})},
		{"code by name", `{"code":"BadOutOfService","message":""}`, failed(ReplyError{CodeName: "BadOutOfService"})},
		{"escapes", `{"c\u006fde":1,"message":"\u00e4\ud83d\ude00 \"\\\/\b\f\n\r\t"}`, failed(ReplyError{Code: 1, Message: "ä😀 \"\\/\b\f\n\r\t"})},
		{"half a pair", `{"code":1,"message":"\ud83d \ud83d\u0041 \udE00"}`, failed(ReplyError{Code: 1, Message: "\ufffd \ufffdA \ufffd"})},
		{"last code counts", `{"code":"x","code":2,"more":[{"code":3}]}`, failed(ReplyError{Code: 2})},
		{"null", `null`, unusable(errNoObject)},
		{"a text", `"busy"`, unusable(errNoObject)},
		{"a list", `[{"code":1}]`, unusable(errNoObject)},
		{"empty", `{}`, unusable(errNoCode)},
		{"no code", `{"message":"busy"}`, unusable(errNoCode)},
		{"code null", `{"code":null}`, unusable(errCode)},
		{"code true", `{"code":true}`, unusable(errCode)},
		{"code empty", `{"code":""}`, unusable(errCode)},
		{"code with a fraction", `{"code":500.5}`, unusable(errCode)},
		{"code too large", `{"code":9223372036854775808}`, unusable(errCode)},
		{"message null", `{"code":1,"message":null}`, unusable(errMessageField)},
		{"message a number", `{"code":1,"message":7}`, unusable(errMessageField)},
	}
	for _, tt := range tests {
		tt.text = `{"id":"*ID*","error":` + tt.text + `}`
		t.Run(tt.name, func(t *testing.T) { requireDecodes(t, tt) })
	}
}

func TestDecodeAnswerErrorBeatsValue(t *testing.T) {
	for _, text := range []string{`"value":1,"error":{"code":7}`, `"error":{"code":7},"value":1`, `"error":null,"value":1,"error":{"code":7}`} {
		got, err := DecodeAnswer([]byte(`{"id":"` + sampleText + `",` + text + `}`))
		require.NoError(t, err)
		require.Equal(t, &ReplyError{Code: 7}, got.Error, text)
		require.NoError(t, got.Problem, text)
	}
	got, err := DecodeAnswer([]byte(`{"id":"` + sampleText + `","value":1,"error":null}`))
	require.NoError(t, err)
	require.Nil(t, got.Error)
	require.Error(t, got.Problem, "an unusable error must not look like success")
}

func TestDecodeAnswerMalformed(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", ``, "not a JSON object: at byte 0: the text ends where '{' is expected"},
		{"a list", ` [1]`, "not a JSON object: at byte 1: '{' is expected, not '['"},
		{"a string", `"x"`, `not a JSON object: at byte 0: '{' is expected, not '"'`},
		{"cut off", `{"id":"x`, "not a JSON object: at byte 8: the text ends where the rest of a string is expected"},
		{"more behind it", `{} {}`, "not a JSON object: at byte 3: the end is expected, not '{'"},
		{"comma at the end", `{"value":1,}`, "not a JSON object: at byte 11: a name in double quotes is expected, not '}'"},
		{"bad id string", "{\"id\":\"\x01\"}", "not a JSON object: at byte 7: a control character in a string must be escaped"},
		{"bad value", `{"value":1x}`, "not a JSON object: at byte 10: ',' or '}' is expected, not 'x'"},
		{"id a number", `{"value":1,"id":17}`, "the id is not a string, at byte 16"},
		{"id null", `{"id":null,"value":1}`, "the id is not a string, at byte 6"},
		{"id an object", `{"id":{"id":"x"}}`, "the id is not a string, at byte 6"},
		{"bad id object", `{"id":{"id"}}`, "not a JSON object: at byte 11: ':' is expected, not '}'"},
		{"byte order mark", "\ufeff{}", "not a JSON object: at byte 0: '{' is expected, not '\\ufeff'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodeAnswer([]byte(tt.text))
			require.EqualError(t, err, tt.want)
			require.Zero(t, got)
		})
	}
}

func TestDecodeAnswerDepth(t *testing.T) {
	nested := func(n int) []byte {
		return []byte(`{"id":"` + sampleText + `","value":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`)
	}
	_, err := DecodeAnswer(nested(MaxDepth - 1))
	require.NoError(t, err)
	_, err = DecodeAnswer(nested(MaxDepth))
	require.ErrorContains(t, err, "nested deeper than 128")
}

func TestInteger(t *testing.T) {
	tests := []struct {
		text string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"-0", 0, true}, {"0.000", 0, true}, {"0e999999999999", 0, true},
		{"9223372036854775807", math.MaxInt64, true}, {"9223372036854775808", 0, false},
		{"-9223372036854775808", math.MinInt64, true}, {"-9223372036854775809", 0, false},
		{"9223372036854775807.0", math.MaxInt64, true}, {"922337203685477580.7e1", math.MaxInt64, true},
		{"9999999999999999999", 0, false}, {"10000000000000000000", 0, false}, {"1e19", 0, false}, {"1e18", 1e18, true},
		{"500.00000000000000000000001", 0, false}, {"5000000000000000000000000e-22", 500, true}, {"5000000000000000000000000e-25", 0, false},
		{"1e-400", 0, false}, {"1e99999999999999999999", 0, false}, {"0.0005E+6", 500, true},
		{"null", 0, false}, {`"1"`, 0, false}, {"[1]", 0, false},
	}
	for _, tt := range tests {
		got, ok := integer([]byte(tt.text))
		require.Equal(t, tt.ok, ok, tt.text)
		if ok {
			require.Equal(t, tt.want, got, tt.text)
		}
	}
}

func TestCodecDoesNotAllocate(t *testing.T) {
	payload := sampleAnswer()
	escaped := []byte(`{"\u0069d":"\u0030` + sampleText[1:] + `","valu\u0065":"\u00e4"}`)
	idOnly := []byte(`{"id":"` + sampleText + `"}`)
	buf := make([]byte, 0, 1024)
	id := sampleID(t)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		buf = AppendRequest(buf[:0], id, 1700000000123, payload)
		for _, p := range [][]byte{payload, escaped, idOnly} {
			if _, err := DecodeAnswer(p); err != nil {
				panic(err)
			}
			if _, err := ValidJSON(p); err != nil {
				panic(err)
			}
		}
	}))
}

func TestReplyAliasesPayload(t *testing.T) {
	payload := []byte(`{"value":[1],"extend":2,"http":{}}`)
	r, err := DecodeAnswer(payload)
	require.NoError(t, err)
	for _, part := range [][]byte{r.Value, r.Extend, r.HTTP} {
		require.Equal(t, len(part), cap(part), "appending to a part must not write into the payload")
		part[0] = '!'
	}
	require.Equal(t, `{"value":!1],"extend":!,"http":!}}`, string(payload))
}
