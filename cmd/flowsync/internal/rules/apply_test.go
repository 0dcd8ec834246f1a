package rules

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzApply runs fixed expressions on any payload: what comes out is JSON, or an error that
// says where; the identity gives what encoding/json understands.
func FuzzApply(f *testing.F) {
	pipelines := map[string]*Pipeline{}
	for _, expression := range []string{
		`$`, `{"id": $.id, "timestamp": $.timestamp, "value": $.value}`, `**`, `$string()`, `a.b.c`, `$keys()`,
		`$sum(a) + $count(b)`, `a[b > 1]^(c).d`, `$ ~> |a|{"b": $}, ["c"]|`, `$map($, function($v, $i) { $v & $i })`, `$match(s, /a+/)`,
		`$merge([$, {"x": a}]){$string(b): $}`, `[1..a]`, `$pad(s, n)`, `a ? b : c`, `a = b or a in c`, `$sort(a)`, `$split(s, "") ~> $join("-")`,
		`$fromMillis(timestamp)`, `$toMillis(s)`, `$formatNumber(n, "#,##0.00")`, `$substring(s, n)`, `$distinct(a)`, `$spread($)`, `$zip(a, b)`,
	} {
		pipelines[expression] = mustCompile(f, CompileOptions{Transaction: true}, transform(expression)...)
	}
	for _, seed := range []string{
		request, `{}`, `null`, `[]`, `[null,[]]`, `1e308`, `-0`, `{"a":[{"b":2,"c":1},{"b":3,"c":"x"}],"s":"aab","n":3,"timestamp":17e11}`,
		`"\ud800"`, `{"a":1,"a":2}`, `[9007199254740993,18446744073709551616]`, `{"a":{"b":{"c":[]}}}`, `{"n":-9e18,"s":"€","timestamp":1e300}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		for expression, p := range pipelines {
			out, err := p.Apply(Input{Payload: payload})
			if err != nil {
				if !errors.Is(err, ErrFiltered) {
					require.Contains(t, err.Error(), "a.yml:3:5: rule transform: ")
				}
				continue
			}
			require.True(t, json.Valid(out), "%s: %s", expression, out)
			require.LessOrEqual(t, len(out), MaxPayload)
			if expression == "$" {
				var want, got any
				require.NoError(t, json.Unmarshal(payload, &want))
				require.NoError(t, json.Unmarshal(out, &got))
				require.Equal(t, want, got)
			}
		}
	})
}

// BenchmarkApply tells what a message costs: 350 bytes in.
func BenchmarkApply(b *testing.B) {
	for name, specs := range map[string][]Spec{
		"none":      nil,
		"filter":    {spec("filter", map[string]any{"expression": `value.count > 2`})},
		"transform": transform(`{"id": $.id, "timestamp": $.timestamp, "value": {"order": value.order, "twice": value.count * 2}}`),
		"vars and map": {
			spec("setContextVars", map[string]any{"vars": map[string]any{"o": "value.order"}}),
			transform(`{"id": id, "value": $map(value.parts, function($p) { $p.n * 2 }), "o": $context.vars.o}`)[0],
		},
	} {
		b.Run(name, func(b *testing.B) {
			p := mustCompile(b, CompileOptions{Transaction: true}, specs...)
			in := Input{Payload: []byte(request)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Apply(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
