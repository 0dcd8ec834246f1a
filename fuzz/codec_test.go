package fuzz

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// maxText keeps single runs short; nothing new happens in longer texts.
const maxText = 64 << 10

// FuzzValidJSON compares with encoding/json, which is as strict about syntax, does not look at
// UTF-8 and allows more depth. Where only the syntax is wrong both must point at the same byte.
func FuzzValidJSON(f *testing.F) {
	for _, text := range []string{`{"a":[1,2.5e-3,"\u00e4\n",null,true]}`, `"ä😀"`, "\"\xff\"", `01`, `[1,]`, ` `, strings.Repeat("[", 129), "\"\x1f\""} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > maxText {
			return
		}
		offset, err := core.ValidJSON(text)
		deep := depth(text) > core.MaxDepth
		want := json.Valid(text) && utf8.Valid(text) && !deep
		require.Equal(t, want, err == nil, "%q: %v", text, err)
		if err == nil {
			require.Zero(t, offset)
			return
		}
		require.LessOrEqual(t, offset, len(text))
		if utf8.Valid(text) && !deep {
			requireSameByte(t, text, offset)
		}
	})
}

func requireSameByte(t *testing.T, text []byte, offset int) {
	var any json.RawMessage
	var syntax *json.SyntaxError
	require.ErrorAs(t, json.Unmarshal(text, &any), &syntax)
	if offset == len(text) || syntax.Error() == "unexpected end of JSON input" {
		require.Equal(t, len(text), offset, "%q: %v", text, syntax)
		require.EqualValues(t, len(text), syntax.Offset, "%q: %v", text, syntax)
		return
	}
	require.EqualValues(t, syntax.Offset-1, offset, "%q: %v", text, syntax)
}

// depth is how deep brackets outside of strings are open at most, in any text.
func depth(text []byte) int {
	open, deepest, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			open++
			deepest = max(deepest, open)
		case c == ']' || c == '}':
			open--
		}
	}
	return deepest
}

// FuzzAppendRequest reads what was written, by encoding/json and by DecodeAnswer: requests have
// the form of answers.
func FuzzAppendRequest(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), int64(1700000000123), []byte(`{"order":4711,"n":1.50}`))
	f.Add([]byte{}, int64(-1), []byte(nil))
	f.Add([]byte{0xff}, int64(0), []byte(" \"<\u2028>\" "))
	f.Fuzz(func(t *testing.T, idBytes []byte, timestamp int64, value []byte) {
		if _, err := core.ValidJSON(value); len(value) > 0 && err != nil || len(value) > maxText || depth(value) == core.MaxDepth {
			return
		}
		var id core.ID
		copy(id[:], idBytes)
		message := core.AppendRequest(nil, id, timestamp, value)
		if len(value) == 0 {
			value = []byte("null")
		}
		var got struct {
			ID        string
			Timestamp int64
			Value     json.RawMessage
		}
		require.NoError(t, json.Unmarshal(message, &got))
		require.Equal(t, id.String(), got.ID)
		require.Equal(t, timestamp, got.Timestamp)
		require.Equal(t, string(bytes.Trim(value, " \t\r\n")), string(got.Value))

		reply, err := core.DecodeAnswer(message)
		require.NoError(t, err)
		require.Equal(t, id, reply.ID)
		require.Equal(t, string(bytes.Trim(value, " \t\r\n")), string(reply.Value))
	})
}

// FuzzDecodeAnswer compares with a model on top of the tokens of encoding/json.
func FuzzDecodeAnswer(f *testing.F) {
	for _, rest := range []string{
		`"value":{"a":[1]}`, `"value":null,"http":{"status":201}`, `"extend":500`, `"error":{"code":5e2,"message":"\ud83d\ude00"}`,
		`"error":{"code":"BadTimeout"},"value":1`, `"error":null,"value":1`, `"error":{"code":1.5}`, `"error":{"code":-9223372036854775808,"message":null}`,
		`"value":1,"valu\u0065":2`, `"VALUE":1`, `"id":7`, `"id":"7","x":[[{}]]`,
	} {
		f.Add([]byte(`{"id":"0a1b2c3d-1234-4abc-8def-0123456789ab","timestamp":1,` + rest + `}`))
	}
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"\u0069\u0064":"0A1B2C3D-1234-4ABC-8DEF-01234567\u0038\u0039ab"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) > maxText {
			return
		}
		got, err := core.DecodeAnswer(payload)
		want, ok := decodeModel(payload)
		require.Equal(t, ok, err == nil, "%q: %v", payload, err)
		if !ok {
			require.Zero(t, got)
			return
		}
		require.Equal(t, want.problem, got.Problem != nil, "%q: %v", payload, got.Problem)
		got.Problem = nil
		require.Equal(t, want.reply, got, "%q", payload)
	})
}

type modelReply struct {
	reply   core.Reply
	problem bool
}

// decodeModel reads an answer the slow way. False: malformed.
func decodeModel(payload []byte) (modelReply, bool) {
	var m modelReply
	if !json.Valid(payload) || !utf8.Valid(payload) || depth(payload) > core.MaxDepth {
		return m, false
	}
	members, ok := membersOf(payload)
	if !ok {
		return m, false
	}
	if id, has := members["id"]; has {
		text, isString := textOf(id)
		if !isString {
			return m, false
		}
		m.reply.HasID = true
		m.reply.ID, _ = core.ParseID([]byte(text))
	}
	m.reply.Value, m.reply.HTTP, m.reply.Extend = members["value"], members["http"], members["extend"]
	if failure, has := members["error"]; has {
		m.reply.Error = errorModel(failure)
		m.problem = m.reply.Error == nil
	} else {
		m.problem = m.reply.Value == nil && m.reply.Extend == nil
	}
	return m, true
}

func errorModel(text []byte) *core.ReplyError {
	members, ok := membersOf(text)
	if !ok {
		return nil
	}
	var e core.ReplyError
	if name, isString := textOf(members["code"]); isString {
		e.CodeName = name
		ok = name != ""
	} else {
		e.Code, ok = integerModel(string(members["code"]))
	}
	if message, has := members["message"]; has {
		text, isString := textOf(message)
		e.Message, ok = text, ok && isString
	}
	if !ok {
		return nil
	}
	return &e
}

// membersOf returns the members of an object by their decoded names, the last of each.
func membersOf(text []byte) (map[string][]byte, bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, false
	}
	members := map[string][]byte{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, false
		}
		members[name.(string)] = value
	}
	_, err := d.Token()
	return members, err == nil || errors.Is(err, io.EOF)
}

func textOf(text []byte) (string, bool) {
	var s string
	if len(text) == 0 || text[0] != '"' {
		return "", false
	}
	err := json.Unmarshal(text, &s)
	return s, err == nil
}

// integerModel is exact, and lets exponents alone that would take for ever.
func integerModel(text string) (int64, bool) {
	if text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return 0, false
	}
	if e := strings.IndexAny(text, "eE"); e >= 0 {
		exponent, ok := new(big.Int).SetString(strings.TrimPrefix(text[e+1:], "+"), 10)
		if !ok || !exponent.IsInt64() || exponent.Int64() > maxText+20 || exponent.Int64() < -maxText-20 {
			// Too far for any mantissa of this length but zero.
			return 0, strings.Trim(text[:e], "-0.") == ""
		}
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return 0, false
	}
	return r.Num().Int64(), true
}
