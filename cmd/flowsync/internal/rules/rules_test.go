package rules

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func transform(expression string) []Spec {
	return []Spec{{Kind: "transform", Args: map[string]any{"expression": expression}, At: "a.yml:3:5"}}
}

func mustCompile(t testing.TB, opts CompileOptions, specs ...Spec) *Pipeline {
	t.Helper()
	p, problems := Compile(specs, opts)
	require.Empty(t, problems)
	return p
}

func spec(kind string, args map[string]any) Spec { return Spec{Kind: kind, Args: args, At: kind} }

const request = `{"id":"7","timestamp":1700000000000,"value":{"order":"<A&B>","count":3,"lots":[],"note":null,` +
	`"parts":[{"n":1,"t":["x"]},{"n":2,"t":[]},{"n":3}],"big":9007199254740993,"huge":18446744073709551615}}`

// golden is one rule, what goes in and what comes out. in is request if empty.
var golden = []struct {
	name, rule, in, out string
}{
	{"whole message", `$`, `{"b":1,"a":2}`, `{"a":2,"b":1}`},
	{"answer of the smallest mapping", `{"id": $.id, "timestamp": $.timestamp, "value": $.value.count * 2}`, "", `{"id":"7","timestamp":1700000000000,"value":6}`},
	{"names without $", `value.count + 1`, "", `4`},
	{"whole message inside", `{"all": $, "n": {"deep": $.a}}`, `{"a":1}`, `{"all":{"a":1},"n":{"deep":1}}`},
	{"whole message under a computed name", `{("a" & "ll"): $}`, `{"a":1}`, `{"all":{"a":1}}`},
	{"implicit context inside", `value.order.{"u": $uppercase()}`, "", `{"u":"<A&B>"}`},
	{"array as the message, inside", `{"count": $count($), "sum": $sum($.n), "all": $}`, `[{"n":1},{"n":2}]`, `{"all":[{"n":1},{"n":2}],"count":2,"sum":3}`},
	{"objects of a path", `value.parts.{"m": n}`, "", `[{"m":1},{"m":2},{"m":3}]`},
	{"no HTML escaping", `$.value.order`, "", `"<A&B>"`},
	{"no HTML escaping in $string", `$string({"o": value.order})`, "", `"{\"o\":\"<A&B>\"}"`},
	{"no HTML escaping in &", `"" & {"o": value.order}`, "", `"{\"o\":\"<A&B>\"}"`},
	{"no exponent", `1e20`, "", `100000000000000000000`},
	{"2^53 stays", `$.n`, `{"n":9007199254740992}`, `9007199254740992`},
	{"minus 2^53 stays", `$.n`, `{"n":-9007199254740992}`, `-9007199254740992`},
	{"computed up to 2^53", `9007199254740991 + 1`, "", `9007199254740992`},
	{"larger integers are copied exactly", `{"b": value.big, "h": $.value.huge}`, "", `{"b":9007199254740993,"h":18446744073709551615}`},
	{"arithmetic rounds them", `$.value.big + 0`, "", `9007199254740992`},
	{"beyond 64 bits they are rounded", `$`, `18446744073709551617`, `18446744073709552000`},
	{"null is kept", `{"n": $.value.note}`, "", `{"n":null}`},
	{"null is equal to null", `$.value.note = null`, "", `true`},
	{"null is in", `[value.note in [1, null], null in [value.note], 1 in [value.note]]`, "", `[true,true,false]`},
	{"null is not equal to others", `[value.note = 0, value.note != false, value.note = "", value.note != null]`, "", `[false,true,false,false]`},
	{"objects are equal", `[{"a":[1,{"b":null}]} = {"a":[$count([2]),{"b":value.note}]}, {"a":1} = {"a":2}, [1] = [1], [1] = 1]`, "", `[true,false,true,false]`},
	{"undefined is equal to nothing", `[none = none, none != 1, 1 in none]`, "", `[false,false,false]`},
	{"others are equal", `["a" = "a", true = true, true = 1, "1" = 1, $sum = $sum, 1 in 1]`, "", `[true,true,false,false,true,true]`},
	{"null is not undefined", `[$exists(value.note), $exists(value.none)]`, "", `[true,false]`},
	{"null as the message", `$`, `null`, `null`},
	{"empty array is kept", `{"l": $.value.lots}`, "", `{"l":[]}`},
	{"empty array inside", `$.value.parts[1].t`, "", `[]`},
	{"array of one is kept", `{"t": $.value.parts[0].t}`, "", `{"t":["x"]}`},
	{"path through arrays", `value.parts.n`, "", `[1,2,3]`},
	{"path through arrays of arrays", `value.parts.t`, "", `"x"`},
	{"path through arrays in arrays", `a`, `[[0,[{"b":1},{"a":1},{"a":[2,[3]]}]],{"a":4}]`, `[1,2,[3],4]`},
	{"predicate in arrays in arrays", `$count(a.x[y.$string() = "1"])`, `{"a":[[[{"x":[[{"y":1}]]}]]]}`, `1`},
	{"array as the message", `$.n`, `[{"n":1},{"n":2}]`, `[1,2]`},
	{"predicate", `value.parts[n > 1].n`, "", `[2,3]`},
	{"index", `value.parts[-1].n`, "", `3`},
	{"application", `value.order ~> $substring(1, 3)`, "", `"A&B"`},
	{"application in a function", `$map([1,2,3], function($x) { $x ~> $power(2) })`, "", `[1,4,9]`},
	{"application to a function", `value.count ~> $string`, "", `"3"`},
	{"chain", `value.order ~> $uppercase() ~> $length()`, "", `5`},
	{"comment", "/* \"'` */ value.count /* % */", "", `3`},
	{"comment at the end", "value.count /* x */", "", `3`},
	{"not fooled by strings", `"$eval(1) % @ # /* " & '$assert()'`, "", `"$eval(1) % @ # /* $assert()"`},
	{"not fooled by quoted names", "{\"x\": `a % @ #`}", `{"a % @ #":1}`, `{"x":1}`},
	{"not fooled by regular expressions", `$replace("a%@b", /[%@#$eval()]/, "-")`, "", `"---b"`},
	{"modulo", `value.count % 2`, "", `1`},
	{"modulo after )", `(value.count) % 2`, "", `1`},
	{"division is not a regular expression", `value.count / 2 / 3 & "%@"`, "", `"0.5%@"`},
	{"own function", `($twice := function($v) { $v * 2 }; $twice(value.count))`, "", `6`},
	{"parameter that is a function", `(function($f) { $f(4) })($sqrt)`, "", `2`},
	{"recursion", `($f := function($n) { $n < 2 ? 1 : $n * $f($n - 1) }; $f(10))`, "", `3628800`},
	{"range", `[1..4]`, "", `[1,2,3,4]`},
	{"range of variables", `[0..value.count]`, "", `[0,1,2,3]`},
	{"empty range", `{"r": [3..1]}`, "", `{"r":[]}`},
	{"range with undefined", `{"r": [none..1]}`, "", `{"r":[]}`},
	{"array in a path", `value.parts.[n, n + 1]`, "", `[[1,2],[2,3],[3,4]]`},
	{"group", `value.parts{$string(n): n}`, "", `{"1":1,"2":2,"3":3}`},
	{"sort", `value.parts^(>n).n`, "", `[3,2,1]`},
	{"keys are in order", `$keys(value)`, "", `["big","count","huge","lots","note","order","parts"]`},
	{"partial application", `($add := function($a, $b) { $a + $b }; $inc := $add(?, 1); $inc(value.count))`, "", `4`},
	{"transformation", `$ ~> |value|{"count": count + 1}, ["lots", "parts", "big", "huge"]|`, "", `{"id":"7","timestamp":1700000000000,"value":{"count":4,"note":null,"order":"<A&B>"}}`},
	{"transformation with itself", `$ ~> |$|{"self": $}|`, `{"a":1}`, `{"a":1,"self":{"a":1}}`},
	{"match", `$match("ab12", /[0-9]/).match`, "", `["1","2"]`},
	{"split by pattern in the context", `value.order.$split(/&/)`, "", `["<A","B>"]`},
	{"contains in the context", `value.order.$contains("A")`, "", `true`},
	{"replace in the context", `value.order.$replace("A", "x")`, "", `"<x&B>"`},
	{"replace with a limit", `value.order.$replace(/[AB]/, "x", 1)`, "", `"<x&B>"`},
	{"pad in the context", `id.$pad(-3, "#")`, "", `"##7"`},
	{"match in the context", `value.order.$match(/[AB]/, 1).index`, "", `1`},
	{"string in the context", `[1,true].$string()`, "", `["1","true"]`},
	{"conditional without else", `{"v": value.count > 5 ? 1}`, "", `{}`},
	{"conditional", `value.count > 5 ? "many" : "few"`, "", `"few"`},
	{"lookup", `$lookup(value, "count")`, "", `3`},
	{"merge", `$merge([{"a":1},{"a":2}])`, "", `{"a":2}`},
	{"negation", `-value.count`, "", `-3`},
	{"or, and, in", `value.count in [1,3] and (false or true)`, "", `true`},
	{"members named as operators", `{"x": and, "y": $.in}`, `{"and":1,"in":2}`, `{"x":1,"y":2}`},
	{"function as a member is left out", `{"f": $sum, "a": 1, "l": [$sum]}`, "", `{"a":1,"l":[null]}`},
	{"Unicode", `{"ü": "\u00fc€"}`, "", `{"ü":"ü€"}`},
	{"a function in its own arguments", `value.order.$substring($length($$.id.$substring(0)))`, "", `"A&B>"`},
	{"a function in its own arguments, alone", `value.order.$substring($$.id.$substring(0) = "7" ? 1 : 2, 1)`, "", `"A"`},
	{"wildcard", `$count(value.*)`, "", `8`},
	{"descendants", `$sum(**.n)`, "", `6`},
}

func TestGolden(t *testing.T) {
	for _, tt := range golden {
		t.Run(tt.name, func(t *testing.T) {
			p := mustCompile(t, CompileOptions{Transaction: true}, transform(tt.rule)...)
			in := tt.in
			if in == "" {
				in = request
			}
			for range 2 { // the library's trees change as they are used
				out, err := p.Apply(Input{Payload: []byte(in)})
				require.NoError(t, err)
				assert.Equal(t, tt.out, string(out))
			}
		})
	}
}

func TestUntouchedMessagesKeepTheirBytes(t *testing.T) {
	in := []byte("{ \"z\" : 1.50, \"a\":\"\\u0041\" }")
	for name, specs := range map[string][]Spec{
		"no rules": nil,
		"rules that only look": {
			spec("filter", map[string]any{"expression": "z = 1.5"}),
			spec("setContextVars", map[string]any{"vars": map[string]any{"v": "a"}}),
			spec("stash", map[string]any{"label": "l"}),
		},
	} {
		out, err := mustCompile(t, CompileOptions{Transaction: true}, specs...).Apply(Input{Payload: in})
		require.NoError(t, err, name)
		assert.Equal(t, string(in), string(out), name)
	}
}

func TestFilter(t *testing.T) {
	for expression, passes := range map[string]bool{
		`true`: true, `false`: false, `temperature > 85`: true, `temperature < 85`: false,
		`none`: false, `null`: false, `""`: false, `"x"`: true, `0`: false, `1`: true,
		`[]`: false, `[0]`: false, `[1]`: true, `{}`: false, `$`: true, `$sum`: false,
	} {
		p := mustCompile(t, CompileOptions{Transaction: true}, spec("filter", map[string]any{"expression": expression}))
		out, err := p.Apply(Input{Payload: []byte(`{"temperature":90}`)})
		if passes {
			assert.NoError(t, err, expression)
			assert.Equal(t, `{"temperature":90}`, string(out))
			continue
		}
		assert.Error(t, err, expression)
		if expression != `$sum` { // a function is a mistake, not an answer
			assert.ErrorIs(t, err, ErrFiltered, expression)
		}
	}
}

func TestTransformWithoutResultDrops(t *testing.T) {
	p := mustCompile(t, CompileOptions{Transaction: true}, transform(`none`)...)
	_, err := p.Apply(Input{Payload: []byte(`{}`)})
	require.ErrorIs(t, err, ErrFiltered)
}

func TestErrorsSayWhichRuleAndWhere(t *testing.T) {
	for expression, says := range map[string]string{
		`$error("boom")`:     "a.yml:3:5: rule transform: boom",
		`1 + "a"`:            "must evaluate to a number",
		`$sum`:               "the result is a function",
		`($x := 5; $x(1))`:   "cannot call non-function",
		`{"a":1,"a":2}`:      `two members "a"`,
		`{} ~> |$|5|`:        "must evaluate to an object",
		`$number("x")`:       "number",
		`1/0`:                "out of range",
		`[1.5..2]`:           "left side of the",
		`[1.."x"]`:           "right side of the",
		`[1..1e9]`:           "more than 250000 elements",
		`$pad("", 99999999)`: "at most 1048576",
	} {
		_, err := mustCompile(t, CompileOptions{}, transform(expression)...).Apply(Input{Payload: []byte(`{}`)})
		require.Error(t, err, expression)
		assert.Contains(t, err.Error(), says, expression)
		assert.True(t, strings.HasPrefix(err.Error(), "a.yml:3:5: rule transform: "), err)
		assert.NotErrorIs(t, err, ErrFiltered)
	}
}

func TestPayloadThatIsNotJSON(t *testing.T) {
	p := mustCompile(t, CompileOptions{}, transform(`$`)...)
	for in, says := range map[string]string{
		`TEMP01,23.5`: "byte 1", `{"a":1`: "byte 6", ``: "not JSON", `{} {}`: "more after the value",
		`1e999`: "out of range", "[\"a\x00\"]": "byte 4",
		strings.Repeat("[", 129):                           "deeper than 128",
		`"` + strings.Repeat("a", MaxPayload) + `"`:        "larger than 1048576 bytes",
		`{"a":` + strings.Repeat(`{"a":`, 128) + `1` + "}": "deeper than 128",
	} {
		_, err := p.Apply(Input{Payload: []byte(in)})
		require.Error(t, err)
		assert.Contains(t, err.Error(), says, clip(in))
	}
	deep := strings.Repeat("[", 128) + strings.Repeat("]", 128)
	out, err := p.Apply(Input{Payload: []byte(deep)})
	require.NoError(t, err)
	assert.Equal(t, deep, string(out))
}

func TestContext(t *testing.T) {
	p := mustCompile(t, CompileOptions{Transaction: true},
		spec("setContextVars", map[string]any{"vars": map[string]any{"line": "$.l", "both": `$context.vars.line & "!"`, "gone": "none"}}),
		spec("transform", map[string]any{"expression": `$context`}))
	in := Input{
		Payload: []byte(`{"l":{"n":7}}`), Topic: "a/b", Vars: map[string]string{"line": "old", "room": "r1"},
		HTTP: &HTTPContext{Method: "POST", Path: "/data/x", Params: map[string]string{"id": "5"}, Query: map[string][]string{"q": {"1"}, "r": {"1", "2"}}},
	}
	out, err := p.Apply(in)
	require.NoError(t, err)
	assert.JSONEq(t, `{"topic":"a/b","vars":{"line":{"n":7},"both":"old!","room":"r1"},
		"http":{"method":"POST","path":"/data/x","params":{"id":"5"},"query":{"q":"1","r":["1","2"]}}}`, string(out))
	assert.Equal(t, map[string]string{"line": "old", "room": "r1"}, in.Vars, "the caller's variables are his")

	out, err = mustCompile(t, CompileOptions{}, transform(`$context`)...).Apply(Input{Payload: []byte(`1`)})
	require.NoError(t, err)
	assert.Equal(t, `{"topic":"","vars":{}}`, string(out))
}

func TestSetContextVarsFails(t *testing.T) {
	p := mustCompile(t, CompileOptions{}, spec("setContextVars", map[string]any{"vars": map[string]any{"v": `1 + "a"`}}))
	_, err := p.Apply(Input{Payload: []byte(`{}`)})
	require.ErrorContains(t, err, "variable v: ")
}

func TestStashOfTransactionsIsShared(t *testing.T) {
	p := mustCompile(t, CompileOptions{Transaction: true},
		spec("stash", map[string]any{"label": "raw"}),
		spec("filter", map[string]any{"expression": `$.t < 30`}),
		spec("transform", map[string]any{"expression": `{"now": $.t, "before": $last("raw") ? $last("raw").t : null, "never": $last("other")}`}))
	for _, step := range []struct{ in, out string }{
		{`{"t":25}`, `{"before":null,"never":null,"now":25}`},
		{`{"t":28}`, `{"before":25,"never":null,"now":28}`},
		{`{"t":99}`, ``},
		{`{"t":29}`, `{"before":99,"never":null,"now":29}`},
	} {
		out, err := p.Apply(Input{Payload: []byte(step.in)})
		assert.Equal(t, step.out, string(out))
		assert.Equal(t, step.out == "", errors.Is(err, ErrFiltered), err)
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct{ format, in, out string }{
		{"json", `{"a": [1.0]}`, `{"a":[1]}`},
		{"utf8", "TEMP01,23.5 °C", `"TEMP01,23.5 °C"`},
		{"utf8", "", `""`},
		{"latin1", "\xb0C", `"°C"`},
		{"ascii", "12", `"12"`},
		{"toBase64", "\x00\xff", `"AP8="`},
		{"fromBase64", "SGVsbG8gV29ybGQ=", `"Hello World"`},
		{"fromBase64", "\"SGVsbG8\"\n", `"Hello"`},
		{"fromBase64", "w7_Dvg", `"ÿþ"`},
		{"boolean", "\x00", `false`},
		{"boolean", "\x02", `true`},
		{"int8", "\xff", `-1`},
		{"uint8", "\xff", `255`},
		{"int16BE", "\x03\x20", `800`},
		{"int16BE", "\x09\xc4\x0a\x28", `2500`},
		{"int16BE", "\xff\xfe", `-2`},
		{"int16LE", "\xfe\xff", `-2`},
		{"uint16BE", "\x01\x00", `256`},
		{"uint16LE", "\x01\x00", `1`},
		{"int32BE", "\xff\xff\xff\xfe", `-2`},
		{"int32LE", "\xfe\xff\xff\xff", `-2`},
		{"uint32BE", "\xff\xff\xff\xff", `4294967295`},
		{"uint32LE", "\x01\x00\x00\x00", `1`},
		{"floatBE", "\x42\x20\x00\x00", `40`},
		{"floatLE", "\x00\x00\x20\x42", `40`},
		{"doubleBE", "\x3f\xb9\x99\x99\x99\x99\x99\x9a", `0.1`},
		{"doubleLE", "\x9a\x99\x99\x99\x99\x99\xb9\x3f", `0.1`},
	} {
		out, err := mustCompile(t, CompileOptions{}, spec("parse", map[string]any{"format": tt.format})).Apply(Input{Payload: []byte(tt.in)})
		require.NoError(t, err, tt.format)
		assert.Equal(t, tt.out, string(out), tt.format)
	}
	for _, tt := range []struct{ format, in, says string }{
		{"json", `{`, "not JSON"},
		{"utf8", "\xff", "not valid UTF-8"},
		{"ascii", "a\x80", "byte 1"},
		{"fromBase64", "SGVsb#", "not base64"},
		{"fromBase64", "/w==", "not UTF-8"},
		{"boolean", "", "needs 1 bytes, the payload has 0"},
		{"int32BE", "\x00\x01", "needs 4 bytes, the payload has 2"},
		{"floatBE", "\x7f\xc0\x00\x00", "NaN"},
		{"doubleLE", "\x00\x00\x00\x00\x00\x00\xf0\x7f", "+Inf"},
		{"latin1", strings.Repeat("a", MaxPayload+1), "larger than"},
		{"latin1", strings.Repeat("\xff", MaxPayload), "larger than"},
	} {
		_, err := mustCompile(t, CompileOptions{}, spec("parse", map[string]any{"format": tt.format})).Apply(Input{Payload: []byte(tt.in)})
		require.ErrorContains(t, err, tt.says, tt.format)
	}
}

func TestParseAfterOtherRules(t *testing.T) {
	p := mustCompile(t, CompileOptions{}, transform(`body`)[0], spec("parse", map[string]any{"format": "json"}), transform(`$.a`)[0])
	out, err := p.Apply(Input{Payload: []byte(`{"body":"{\"a\":5}"}`)})
	require.NoError(t, err)
	assert.Equal(t, `5`, string(out))
	_, err = p.Apply(Input{Payload: []byte(`{"body":{"a":5}}`)})
	require.ErrorContains(t, err, "reads the payload as it came")
}
