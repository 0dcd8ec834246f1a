package service

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// objects are what is looked at by hand, and seeds of the fuzz target.
var objects = []string{
	`{}`, ` { } `, `{"a":1}`, `{"a":1,"a":2}`, `{"":null}`, `{"a":{"b":[1,{"c":"}]"}]},"d":[]}`,
	"{\n\t\"a\" : true ,\r\n \"b\" : [ 1 , 2 ] }", `{"\u0061\"\\":"\\\"","b":-1.5e+3}`, `{"a":"x"  }`, `{"a":{}  ,"b":[ ]}`,
	`{"ü":"\ud83d\ude00"}`, `{"a":"` + strings.Repeat("x", 300) + `","b":false}`, `{"a":1`, `{"a"}`, `{"a":1}}`, `{"\ud800":1}`,
}

// equalToJSON says what encoding/json reads must be read here.
func equalToJSON(t *testing.T, text []byte) {
	t.Helper()
	if _, err := core.ValidJSON(text); err != nil || text[0] != '{' {
		return
	}
	var want map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &want))
	got := map[string]json.RawMessage{}
	members(text, func(name, value []byte) { got[string(name)] = value })
	require.Equal(t, want, got)
}

func TestMembers(t *testing.T) {
	for _, text := range objects {
		equalToJSON(t, []byte(strings.TrimSpace(text)))
	}
	var names, values []string
	members([]byte(`{"a" : 1,"b":[2, 3] ,"a":"4"}`), func(name, value []byte) {
		names, values = append(names, string(name)), append(values, string(value))
	})
	require.Equal(t, []string{"a", "b", "a"}, names)
	require.Equal(t, []string{"1", "[2, 3]", `"4"`}, values)
}

func FuzzMembers(f *testing.F) {
	for _, text := range objects {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 0 {
			equalToJSON(t, text)
		}
	})
}

func TestOutputsThatAreNoJSON(t *testing.T) {
	two := method(Argument{Name: "ok", Type: number}, Argument{Name: "why", Type: text})
	for _, value := range []string{`{"ok":7,"why":"x"`, `{`, `{"ok":7,"why":"x"}}`, `{"ok":7 "why":"x"}`} {
		require.ErrorIs(t, two.Inspect(&core.Reply{Value: []byte(value)}), core.ErrBadResponse, value)
	}
}
