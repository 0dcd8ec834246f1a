package rules

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompileReportsEverything(t *testing.T) {
	p, problems := Compile([]Spec{
		{Kind: "transfrom", Args: map[string]any{"expression": "$"}, At: "f.yml:1:1"},
		{Kind: "transform", Args: map[string]any{"expresion": "$"}, At: "f.yml:2:1"},
		{Kind: "burst", Args: map[string]any{"maxSize": 3}, At: "f.yml:3:1"},
		{Kind: "transform", Args: map[string]any{"expression": "$uppercas($.a) &\n $eval('1') & %.b"}, At: "f.yml:4:1"},
		{Kind: "parse", Args: map[string]any{"format": "int16"}, At: "f.yml:5:1"},
	}, CompileOptions{Transaction: true})
	assert.Nil(t, p)
	got := make([]string, len(problems))
	for i, problem := range problems {
		got[i] = problem.String()
	}
	assert.Equal(t, []string{
		`f.yml:1:1: there is no rule "transfrom" (did you mean "transform"?)`,
		`f.yml:2:1: transform has no property "expresion" (did you mean "expression"?)`,
		`f.yml:2:1: the expression of transform must be an expression, not nothing (put the JSONata expression in quotes or after |)`,
		`f.yml:3:1: burst cannot be used on a transaction: the request must become one message at once (use it in a mapping)`,
		`f.yml:4:1: the expression of transform, line 2 column 15: the parent operator % is not supported (keep the parent in a variable)`,
		`f.yml:4:1: the expression of transform, line 1 column 1: there is no function $uppercas (did you mean $uppercase?)`,
		`f.yml:4:1: the expression of transform, line 2 column 2: the function $eval is not supported`,
		`f.yml:5:1: parse has no format "int16" (did you mean "int16BE"?)`,
	}, got)
}

func TestCompileProblems(t *testing.T) {
	for _, tt := range []struct {
		kind string
		args any
		says string
	}{
		{"transform", nil, "must be an expression, not nothing"},
		{"transform", "$", `takes properties, not "$" (write transform: {expression`},
		{"transform", []any{}, "takes properties, not a list"},
		{"transform", map[string]any{"expression": ""}, "is empty"},
		{"transform", map[string]any{"expression": " "}, "is empty"},
		{"transform", map[string]any{"expression": map[string]any{}}, "not an object"},
		{"transform", map[string]any{"expression": "1 +"}, "line 1 column 4: unexpected end"},
		{"transform", map[string]any{"expression": "a\nb"}, "line 2 column 1: syntax error: 'b'"},
		{"transform", map[string]any{"expression": `"ä" )`}, "line 1 column 5: syntax error: ')'"},
		{"transform", map[string]any{"expression": "/* x"}, "the comment has no end"},
		{"transform", map[string]any{"expression": "'x"}, "unterminated string"},
		{"transform", map[string]any{"expression": "'x\\"}, "unterminated string"},
		{"transform", map[string]any{"expression": "/x"}, "unterminated regular expression"},
		{"transform", map[string]any{"expression": "`x"}, "unterminated name"},
		{"transform", map[string]any{"expression": "a.b@$v.c"}, `line 1 column 4: the binding "@"`},
		{"transform", map[string]any{"expression": "a.b#$v"}, `line 1 column 4: the binding "#"`},
		{"transform", map[string]any{"expression": "a.(%).b"}, "line 1 column 4: the parent operator %"},
		{"transform", map[string]any{"expression": "$assert(true, 'x')"}, "line 1 column 1: the function $assert is not supported"},
		{"transform", map[string]any{"expression": "x ~> $parseInteger ( '0' )"}, "line 1 column 6: the function $parseInteger is not"},
		{"transform", map[string]any{"expression": "$foo(1)"}, "there is no function $foo"},
		{"transform", map[string]any{"expression": "$_flowsyncStep()"}, "are reserved"},
		{"transform", map[string]any{"expression": strings.Repeat(" ", MaxExpression) + "1"}, "longer than"},
		{"filter", map[string]any{"expression": "]"}, "the expression of filter, line 1 column 1"},
		{"setContextVars", map[string]any{"vars": "x"}, `not "x"`},
		{"setContextVars", map[string]any{}, "not nothing"},
		{"setContextVars", map[string]any{"vars": map[string]any{"a/b": "1"}}, `"a/b" cannot be the name`},
		{"setContextVars", map[string]any{"vars": map[string]any{"a": "("}}, "the variable a of setContextVars, line 1"},
		{"stash", nil, `stash needs "label" (write stash: {label: previous})`},
		{"stash", map[string]any{"label": 5}, "must be a string, not 5"},
		{"stash", map[string]any{"label": ""}, "label of stash is empty"},
		{"parse", map[string]any{"format": "xml"}, `no format "xml" (there are ascii, boolean`},
		{"collect", map[string]any{"label": "x"}, `collect has no property "label" (it has none)`},
		{"cov", map[string]any{}, `cov needs "key"`},
		{"cov", map[string]any{"key": "a", "deadband": "x"}, `must be a number, not "x"`},
		{"cov", map[string]any{"key": "a", "deadband": -1}, "not negative, not -1"},
		{"cov", map[string]any{"key": "a", "deadbandMode": "percent"}, `cannot be "percent" (it is absolute or relative)`},
		{"burst", map[string]any{"interval": 0}, "integer from 1 to 86400000, not 0"},
		{"burst", map[string]any{"maxSize": 1.5}, "integer from 1 to 65536, not 1.5"},
		{"burst", map[string]any{"maxSize": json.Number("70000")}, "integer from 1 to 65536, not 70000"},
		{"burst", map[string]any{"maxsize": int64(3)}, `did you mean "maxSize"?`},
	} {
		_, problems := Compile([]Spec{{Kind: tt.kind, Args: tt.args}}, CompileOptions{})
		require.NotEmpty(t, problems, "%s %v", tt.kind, tt.args)
		assert.Contains(t, problems[0].String(), tt.says)
	}
}

func TestTransactionsRefuseWhatHolds(t *testing.T) {
	for kind, held := range map[string]bool{"cov": true, "burst": true, "collect": true, "stash": false} {
		_, problems := Compile([]Spec{spec(kind, map[string]any{"label": "l"})}, CompileOptions{Transaction: true})
		assert.Equal(t, held, len(problems) == 1, kind)
	}
}

func TestTooManyRules(t *testing.T) {
	_, problems := Compile(make([]Spec, MaxRules+1), CompileOptions{})
	require.Len(t, problems, 1)
	assert.Contains(t, problems[0].Text, "there are 257 rules")
}

func TestScalarsAreExpressions(t *testing.T) {
	for v, out := range map[any]string{true: "true", int64(5): "5", 0.5: "0.5", json.Number("7"): "7"} {
		p := mustCompile(t, CompileOptions{}, spec("transform", map[string]any{"expression": v}))
		got, err := p.Apply(Input{Payload: []byte("1")})
		require.NoError(t, err)
		assert.Equal(t, out, string(got))
	}
}

func TestZeroPipeline(t *testing.T) {
	out, err := new(Pipeline).Apply(Input{Payload: []byte("x")})
	require.NoError(t, err)
	assert.Equal(t, "x", string(out))
}

func TestExpand(t *testing.T) {
	vars := map[string]string{"line": "L 1", "rest": "a/b", "empty": "", "hash": "#", "plus": "+", "nul": "a\x00", "bad": "\xff", "slash": "/x"}
	for template, want := range map[string]string{
		"a/b": "a/b", "a/{line}/c": "a/L 1/c", "{rest}": "a/b", "x{line}y": "xL 1y", "{line}{rest}/c": "L 1a/b/c", "a}b": "a}b",
	} {
		got, err := Expand(template, vars)
		require.NoError(t, err, template)
		assert.Equal(t, want, got)
	}
	for template, says := range map[string]string{
		"": "is empty", "a/{none}": `the variable "none" is not set`, "a/{line": "has no }", "a//b": "level of it is empty",
		"/a": "level of it is empty", "a/": "level of it is empty", "a/{empty}/b": "level of it is empty", "{empty}": "is empty",
		"a/{slash}": "level of it is empty", "a/{hash}": "wildcard", "a/{plus}": "wildcard", "{nul}": "without NUL", "{bad}": "UTF-8",
		strings.Repeat("a", 65536): "longer than 65535", "{}": `the variable "" is not set`,
	} {
		_, err := Expand(template, vars)
		require.ErrorContains(t, err, says, clip(template))
	}
}

func TestNearest(t *testing.T) {
	names := set("transform filter parse stash")
	for name, want := range map[string]string{
		"transfrom": "transform", "Filter": "filter", "prase": "parse", "stach": "stash", "x": "", "": "",
		"something": "", strings.Repeat("x", 1000): "",
	} {
		assert.Equal(t, want, nearest(name, names), name)
	}
	assert.Equal(t, "ab", nearest("ax", set("ac ab ad")), "the first of equals")
}
