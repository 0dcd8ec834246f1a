package rules

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSignatures: each of the first would be parsed for ever.
func TestSignatures(t *testing.T) {
	for source, says := range map[string]string{
		`function($x)<~>{1}`:                "line 1 column 14: '~' cannot be in the signature of a function (write it as",
		"1 +\n λ($x) <n!:n>{1}":             "line 2 column 10: '!'",
		"`function`()<a<!>>{1}":             "line 1 column 16: '!'",
		"function /* a */ ($x, $y\"z) <n~n": "line 1 column 31: '~'",
		`function($x)<n/"/~:n>{1}`:          "column 15: '/'",
		`function($x)<n:n>{ λ($y)<~ }`:      "column 26: '~'",
		`(function($x)<é>{1})`:              "column 15: 'é'",
	} {
		_, problems := Compile(transform(source), CompileOptions{})
		require.NotEmpty(t, problems, source)
		require.Contains(t, problems[0].String(), says, source)
	}
	for _, source := range []string{
		`function($x)<n:n>{$x}(1)`, `function($f)<f<n:n>:(ns)>{1}(λ($x)<n?-:n>{2})`, `($function := λ($x){1}; $function(a)<"x" ? /~!/)`, `"function" & (a)<3`,
	} {
		_, problems := Compile(transform(source), CompileOptions{})
		require.Empty(t, problems, source)
	}
}

// TestTooLargeSaysWhere: that a result is too large may show only when it is written.
func TestTooLargeSaysWhere(t *testing.T) {
	specs := []Spec{
		{Kind: "transform", Args: map[string]any{"expression": `[1..233333]`}, At: "a.yml:3:5"},
		{Kind: "filter", Args: map[string]any{"expression": `true`}, At: "a.yml:4:5"},
	}
	p := mustCompile(t, CompileOptions{}, specs...)
	const want = "a.yml:3:5: rule transform: the value is larger than 1048576 bytes"
	_, err := p.Apply(Input{Payload: []byte(`1`)})
	require.EqualError(t, err, want)
	var got []Output
	run := p.Start(func(out Output) { got = append(got, out) })
	run.Push(Input{Topic: "a", Payload: []byte(`1`)})
	run.Close()
	require.Len(t, got, 1)
	require.EqualError(t, got[0].Err, want)
}
