package rules

import "testing"

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
