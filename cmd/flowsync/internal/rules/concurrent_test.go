package rules

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// implicit are functions that take their first argument from the context. The library keeps
// that context in the function, of which there is one in the process, while it evaluates the
// other arguments. With an evaluating lock that does nothing, this test finds some 370 of its
// 12000 results wrong on two cores, all of them those of another goroutine's message.
var implicit = []struct {
	expression string
	want       func(s string, n int) string
}{
	{`s.$uppercase()`, func(s string, _ int) string { return `"` + strings.ToUpper(s) + `"` }},
	{`s.$length()`, func(s string, _ int) string { return fmt.Sprint(len(s)) }},
	{`n.$string()`, func(_ string, n int) string { return fmt.Sprintf(`"%d"`, n) }},
	{`s.$substring($sum([1..20]) - 209)`, func(s string, _ int) string { return `"` + s[1:] + `"` }},
	{`s.$substring($count([1..30]) - 30)`, func(s string, _ int) string { return `"` + s + `"` }},
	{`n.$power($count([1..20]) - 19)`, func(_ string, n int) string { return fmt.Sprint(n) }},
	{`n.$power($max([1..20]) - 20 + 1)`, func(_ string, n int) string { return fmt.Sprint(n) }},
	{`s.$substringBefore($join(["-", $join($map([1..9], function($v) { "" }))]))`, func(s string, _ int) string { return `"` + s[:2] + `"` }},
}

// TestConcurrentMessagesAreNotMixedUp compares every result of 8 goroutines that each run an
// expression of their own, compiled separately.
func TestConcurrentMessagesAreNotMixedUp(t *testing.T) {
	const rounds = 1500
	wrong := make([]int, len(implicit))
	var group sync.WaitGroup
	for g, tt := range implicit {
		p := mustCompile(t, CompileOptions{Transaction: true}, transform(tt.expression)...)
		group.Go(func() {
			for i := range rounds {
				s, n := fmt.Sprintf("x%d-%s", g, strings.Repeat("a", i%7)), g*rounds+i
				out, err := p.Apply(Input{Payload: fmt.Appendf(nil, `{"s":%q,"n":%d}`, s, n)})
				if err != nil || string(out) != tt.want(s, n) {
					wrong[g]++
				}
			}
		})
	}
	group.Wait()
	assert.Equal(t, make([]int, len(implicit)), wrong, "wrong results of each goroutine")
}

// TestConcurrentApplyOfOnePipeline shares stash, context and the compiled expression, while
// others compile.
func TestConcurrentApplyOfOnePipeline(t *testing.T) {
	p := mustCompile(t, CompileOptions{Transaction: true},
		spec("setContextVars", map[string]any{"vars": map[string]any{"v": "n"}}),
		spec("stash", map[string]any{"label": "l"}),
		transform(`{"n": n, "v": $context.vars.v, "topic": $context.topic, "before": $last("l").n, "same": $last("l").n = $last("l").n}`)[0],
		transform(`$merge([$, {"ok": n = v and topic = $string(n)}])`)[0],
		transform(`ok`)[0])
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := range 300 {
				n := g*1000 + i
				out, err := p.Apply(Input{Payload: fmt.Appendf(nil, `{"n":%d}`, n), Topic: fmt.Sprint(n)})
				if !assert.NoError(t, err) || !assert.Equal(t, "true", string(out)) {
					return
				}
			}
		})
	}
	group.Go(func() {
		for range 50 {
			_, problems := Compile(transform(`$map([1..3], function($v) { $v ~> $string() })`), CompileOptions{})
			assert.Empty(t, problems)
		}
	})
	group.Wait()
}

func TestConcurrentPush(t *testing.T) {
	var out recorder
	r := mustCompile(t, CompileOptions{}, burstOf(map[string]any{"maxSize": 10, "interval": 1})...).Start(out.emit)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 250 {
				r.Push(Input{Payload: []byte(`1`)})
			}
		})
	}
	group.Wait()
	r.Close()
	assert.Equal(t, 1000, strings.Count(strings.Join(out.take(), ""), "1"), "none lost, none twice")
}
