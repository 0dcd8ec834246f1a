package core

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestValidJSON(t *testing.T) {
	deep := strings.Repeat(`{"a":[`, MaxDepth/2) + strings.Repeat(`]}`, MaxDepth/2)
	for _, text := range []string{
		`{}`, `[]`, `""`, `0`, `-0`, `-0.0e-0`, `1E+5`, `123.456`, `true`, `false`, `null`, " \t\r\n1\n",
		`"\"\\\/\b\f\n\r\t\u00e4\uD83D\ude00\ud800"`, `"äöü 😀 \u0000"`, "\"\u2028\x7f\"", `[[],{},[{}]]`,
		`{"a":1,"a":2,"":3}`, `[ 1 , 2 ]`, `"twenty plain bytes.. ä"`, deep,
	} {
		offset, err := ValidJSON([]byte(text))
		require.NoError(t, err, text)
		require.Zero(t, offset)
		require.True(t, json.Valid([]byte(text)), text)
	}
}

func TestValidJSONFaults(t *testing.T) {
	tests := []struct {
		text   string
		offset int
		want   string
	}{
		{``, 0, "the text ends where a value is expected"},
		{`  `, 2, "the text ends where a value is expected"},
		{`{`, 1, "the text ends where a name in double quotes is expected"},
		{`{"a"`, 4, "the text ends where ':' is expected"},
		{`{"a":`, 5, "the text ends where a value is expected"},
		{`{"a":1`, 6, "the text ends where ',' or '}' is expected"},
		{`{"a":1,}`, 7, "a name in double quotes is expected, not '}'"},
		{`{a:1}`, 1, "a name in double quotes is expected, not 'a'"},
		{`{'a':1}`, 1, `a name in double quotes is expected, not '\''`},
		{`{"a" 1}`, 5, "':' is expected, not '1'"},
		{`{"a":1]`, 6, "',' or '}' is expected, not ']'"},
		{`[1,]`, 3, "a value is expected, not ']'"},
		{`[1 2]`, 3, "',' or ']' is expected, not '2'"},
		{`[`, 1, "the text ends where a value is expected"},
		{`1 2`, 2, "the end is expected, not '2'"},
		{`nul`, 3, "the text ends where the word null is expected"},
		{`nulx`, 3, "the word null is expected, not 'x'"},
		{`True`, 0, "a value is expected, not 'T'"},
		{`NaN`, 0, "a value is expected, not 'N'"},
		{`ä`, 0, "a value is expected, not 'ä'"},
		{"\xff", 0, "not valid UTF-8"},
		{"\x00", 0, `a value is expected, not '\x00'`},
		{"\v1", 0, `a value is expected, not '\v'`},
		{`01`, 1, "the end is expected, not '1'"},
		{`+1`, 0, "a value is expected, not '+'"},
		{`-`, 1, "the text ends where a digit is expected"},
		{`-a`, 1, "a digit is expected, not 'a'"},
		{`1.`, 2, "the text ends where a digit is expected"},
		{`.5`, 0, "a value is expected, not '.'"},
		{`1.e5`, 2, "a digit is expected, not 'e'"},
		{`1e`, 2, "the text ends where a digit is expected"},
		{`1e+-5`, 3, "a digit is expected, not '-'"},
		{`"abc`, 4, "the text ends where the rest of a string is expected"},
		{`"\`, 2, "the text ends where the rest of a string is expected"},
		{`"\u00`, 5, "the text ends where the rest of a string is expected"},
		{`"\x41"`, 2, `unknown escape; known are \" \\ \/ \b \f \n \r \t \u`},
		{`"\u00g0"`, 5, `\u needs four hexadecimal digits`},
		{`"\u00@0"`, 5, `\u needs four hexadecimal digits`},
		{"\"a\nb\"", 2, "a control character in a string must be escaped"},
		{"\"0123456789\x00\"", 11, "a control character in a string must be escaped"},
		{"\"ab\xff\"", 3, "not valid UTF-8"},
		{"\"ab\xc3\"", 3, "not valid UTF-8"},
		{"\"\xed\xa0\x80\"", 1, "not valid UTF-8"}, // a surrogate
		{"\"\xc0\x80\"", 1, "not valid UTF-8"},     // an overlong NUL
		{"{\"\xff\":1}", 2, "not valid UTF-8"},
		{strings.Repeat("[", MaxDepth+1), MaxDepth, "nested deeper than 128"},
		{strings.Repeat(`{"":`, MaxDepth+1), 4 * MaxDepth, "nested deeper than 128"},
	}
	for _, tt := range tests {
		offset, err := ValidJSON([]byte(tt.text))
		require.EqualError(t, err, tt.want, "%q", tt.text)
		require.Equal(t, tt.offset, offset, "%q", tt.text)
		if len(tt.text) <= MaxDepth {
			require.False(t, json.Valid([]byte(tt.text)) && utf8.ValidString(tt.text), "%q", tt.text)
		}
	}
}

// Every single byte at every place of a word of eight, in and behind it: the fast path must stop
// where the slow one would.
func TestPlainStopsAtTheRightByte(t *testing.T) {
	for c := range 256 {
		for at := range 18 {
			text := []byte(`"abcdefghijklmnopqrstuvwxyz`)
			text[1+at] = byte(c)
			want := len(text)
			if c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
				want = 1 + at
			}
			require.Equal(t, want, plain(text, 1), "byte %#x at %d", c, at)
		}
	}
	// Neighbours must not be marked by a borrow.
	for _, pair := range []string{"\"#", "\\]", "\x1f ", "\"\"", "!\"", "[\\", " \x1f"} {
		text := []byte("abc" + pair + "defghijkl")
		require.Equal(t, 3+strings.IndexAny(pair, "\"\\\x1f"), plain(text, 0), "%q", pair)
	}
}
