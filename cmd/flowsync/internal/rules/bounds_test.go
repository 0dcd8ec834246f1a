package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRunaways: none of these may end the process, or take more than moments.
func TestRunaways(t *testing.T) {
	long := `{"s":"` + strings.Repeat("a", 900_000) + `","l":[` + strings.Repeat("1,", 2000) + `1]}`
	for name, tt := range map[string]struct{ expression, says string }{
		"recursion":                    {`($f := function($x) { 1 + $f($x) }; $f(1))`, "too deeply"},
		"tail recursion":               {`($f := function($x) { $f($x + 1) }; $f(1))`, "too deeply"},
		"typed recursion":              {`($f := function($x)<n:n> { 1 + $f($x) }; $f(1))`, "too deeply"},
		"recursion with a range":       {`($f := function($x) { $count([1..127]) + $f($x) }; $f(1))`, "more than 250000 steps"},
		"mutual recursion":             {`($f := function($x) { $g($x) }; $g := function($x) { $f($x) }; $f(1))`, "too deeply"},
		"recursion through a path":     {`($f := function($x) { [1,2].($f($x)) }; $f(1))`, "too deeply"},
		"recursion through map":        {`($f := function($x) { $map([1,2], $f) }; $f(1))`, "too deeply"},
		"recursion through partial":    {`($f := $sum(?, $f(1)); $f := $string(?, $f(1)); $f(2))`, "too deeply"},
		"recursion through transform":  {`($t := |$|{"a": $t($)}|; $t({}))`, "too deeply"},
		"recursion through apply":      {`($f := function($x) { $x ~> $f() }; 1 ~> $f())`, "too deeply"},
		"loop over ranges":             {`[1..1000].[1..1000]`, "more than 250000 steps"},
		"loop over predicates":         {`[1..100000][$ > 0][$ > 1][$ > 2]`, "more than 250000 steps"},
		"products of the input":        {`l.($$.l.($$.l.(1)))`, "more than 250000 steps"},
		"products of arrays":           {`l.[$$.l.[$$.l]]`, "more than 250000 steps"},
		"aggregates of the input":      {`($x := $$.l; l.($sum($x)))`, "more than 250000 steps"},
		"branching recursion":          {`($f := function($n) { $n = 0 ? 1 : $f($n-1) + $f($n-1) }; $f(30))`, "more than 250000 steps"},
		"range":                        {`[1..10000000]`, "more than 250000 elements"},
		"range of infinity":            {`[-9e307..9e307]`, "more than 250000 elements"},
		"pad":                          {`$pad("", -1e9)`, "at most"},
		"strings that double":          {`($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $f("aaaaaaaa", 40))`, "larger than"},
		"objects that double":          {`($f := function($o, $n) { $n = 0 ? $o : $f({"a": $o, "b": $o}, $n - 1) }; $f(1, 40))`, "larger than"},
		"deep result":                  {`($f := function($o, $n) { $n = 0 ? $o : $f({"a": $o}, $n - 1) }; $f(1, 200))`, "deeper than 128"},
		"large result":                 {`[s, s]`, "larger than"},
		"many matches":                 {`$match(s, /a/)`, "at most 65536"},
		"many matches, replace":        {`$replace(s, /a/, "b")`, "at most 65536"},
		"many matches, split":          {`$split(s, /a/)`, "at most 65536"},
		"many matches, contains":       {`$contains(s, /a/)`, "at most 65536"},
		"cycle, then all descendants":  {`($o := $ ~> |$|{"self": $}|; $count($o.**)) > 0 ? $error("finished")`, "finished"},
		"panic of the library":         {`"a" < $sum`, ""},
		"expression nested very deep ": {strings.Repeat("(", 20_000) + "1" + strings.Repeat(")", 20_000) + ` + "x"`, "number"},
	} {
		t.Run(name, func(t *testing.T) {
			p := mustCompile(t, CompileOptions{}, transform(tt.expression)...)
			in := `{}`
			if strings.Contains(tt.expression, "l.") || strings.Contains(tt.expression, "s, ") {
				in = long
			}
			_, err := p.Apply(Input{Payload: []byte(in)})
			require.Error(t, err)
			assert.Contains(t, err.Error(), tt.says)
			// The lock is free and the pipeline still works.
			_, err = mustCompile(t, CompileOptions{}, transform(`1`)...).Apply(Input{Payload: []byte(`1`)})
			require.NoError(t, err)
		})
	}
}

func TestRecoverInto(t *testing.T) {
	err := func() (err error) {
		defer recoverInto(&err)
		panic(strings.Repeat("x", 1000))
	}()
	require.ErrorContains(t, err, "the JSONata library failed: xxx")
	assert.Less(t, len(err.Error()), 400)
}

// TestUsualRecursionFits keeps the bounds from being drawn too tight.
func TestUsualRecursionFits(t *testing.T) {
	p := mustCompile(t, CompileOptions{}, transform(`($f := function($n) { $n = 0 ? 0 : 1 + $f($n - 1) }; $f(500))`)...)
	out, err := p.Apply(Input{Payload: []byte(`{}`)})
	require.NoError(t, err)
	assert.Equal(t, "500", string(out))

	var list strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&list, `{"n":%d},`, i)
	}
	p = mustCompile(t, CompileOptions{}, transform(`$sum(l[n > 0].(n * 2))`)...)
	out, err = p.Apply(Input{Payload: []byte(`{"l":[` + list.String() + `{"n":0}]}`)})
	require.NoError(t, err)
	assert.Equal(t, "399980000", string(out))
}

func TestNormaliseRefusesWhatJSONLacks(t *testing.T) {
	type oddity struct{ A int }
	for _, v := range []any{oddity{1}, map[int]any{1: 2}, []any{make(chan int)}} {
		_, err := normalise(v)
		require.ErrorContains(t, err, "cannot express")
	}
	out, err := normalise(map[string]any{"i": 3, "u": uint8(4), "f": float32(0.5), "s": []string{"x"}, "n": nil, "b": true})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"i": 3.0, "u": 4.0, "f": 0.5, "s": []any{"x"}, "n": null, "b": true}, out)
}
