package rules

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzExpression compiles any text and gives it a payload. It is refused with reasons that say
// where and stay short, or it runs to its end in bounded time and gives JSON, or an error; the same
// again if nothing in it is left to chance; and the next message is judged as if it had never been.
func FuzzExpression(f *testing.F) {
	for _, c := range golden {
		f.Add(c.rule, c.in)
	}
	for _, source := range fixed {
		f.Add(source, request)
	}
	for _, source := range []string{
		`($f := function($n) { $n = 0 ? 0 : 1 + $f($n - 1) }; $f(50))`, `$map([1..3], function($x, $i, $a) { $x * $i + $count($a) })`, `$reduce(value.parts.n, function($a, $b) { $a + $b })`,
		`value.parts ~> $filter(function($p) { $p.n > 1 })`, `$sort(value.parts, function($a, $b) { $a.n < $b.n })`, `$replace(value.order, /([A-Z])/, "<$1>")`, `$lookup(value, "count")`,
		`value{"n": $sum(parts.n)}`, `value.parts{$string(n): t}`, `$sift(value, function($v, $k) { $k = "count" })`, `$each(value, function($v, $k) { $k })`, `$formatBase(255, 16) & $base64encode("x")`,
		`$contains(value.order, "A") and $not(false)`, `$eval("1")`, `$assert(true)`, `value.%.id`, `value@$v.x`, `a#$i`, "/* a */ 1 /* b", `"\u00e4" & 'x\'y'`, "`a b`.c", `$string($sum)`, `$f(1)`,
		`function($x)<n:n>{$x}(1)`, `λ($x){$x}(2)`, `$context.vars.line & $last("x")`, `[[1,2],[3]][0][1]`, `{"a":1}.a ^ (>b)`, `*.n`, `**.n`, `$ ~> |value|{"count": 1}, "note"|`, `$power(2, 0.5) ~> $round(2)`,
	} {
		f.Add(source, "")
	}
	probe := mustCompile(f, CompileOptions{}, transform(`{"u": value.order.$uppercase(), "m": $map(value.parts, function($p) { $p.n * 2 }), "s": $sum([1,2])}`)...)
	const want = `{"m":[2,4,6],"s":3,"u":"<A&B>"}`
	f.Fuzz(func(t *testing.T, source, payload string) {
		if len(source) > 500 || len(payload) > 2000 {
			return
		}
		if payload == "" {
			payload = request
		}
		began := time.Now()
		p, problems := Compile(transform(source), CompileOptions{Transaction: true})
		require.Equal(t, p == nil, len(problems) > 0)
		for _, problem := range problems {
			require.Equal(t, "a.yml:3:5", problem.At)
			require.NotEmpty(t, problem.Text)
			require.Less(t, len(problem.Text)+len(problem.Hint), 2000)
		}
		if p != nil {
			requireBounded(t, p, source, payload)
		}
		require.Less(t, time.Since(began), 20*time.Second, source)
		out, err := probe.Apply(Input{Payload: []byte(request)})
		require.NoError(t, err)
		require.Equal(t, want, string(out), "what came next, after %s", source)
	})
}

func requireBounded(t *testing.T, p *Pipeline, source, payload string) {
	out, err := p.Apply(Input{Payload: []byte(payload)})
	if err == nil {
		require.True(t, json.Valid(out), "%s: %s", source, out)
		require.LessOrEqual(t, len(out), MaxPayload)
	} else if !errors.Is(err, ErrFiltered) {
		require.Contains(t, err.Error(), "a.yml:3:5: rule transform")
		require.Less(t, len(err.Error()), 4000)
	}
	for _, chance := range []string{"*", "$random", "$shuffle", "$now", "$millis", "$each", "$sift", "$spread", "$keys", "{", "|"} {
		if strings.Contains(source, chance) {
			return
		}
	}
	again, err2 := p.Apply(Input{Payload: []byte(payload)})
	require.Equal(t, string(out), string(again), source)
	require.Equal(t, err == nil, err2 == nil, source)
}
