package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	bigmath "math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fixed are expressions that any payload is given to. The last ones visit members in no order.
var fixed = []string{
	`$`, `{"id": $.id, "timestamp": $.timestamp, "value": $.value}`, `{"all": $}`, `$string()`, `a.b.c`, `$keys()`,
	`$sum(a) + $count(b)`, `a[b > 1]^(c).d`, `$ ~> |a|{"b": $}, ["c"]|`, `$map($, function($v, $i) { $v & $i })`, `$match(s, /a+/)`,
	`$merge([$, {"x": a}]){$string(b): $}`, `[1..a]`, `$pad(s, n)`, `a ? b : c`, `a = b or a in c`, `$sort(a)`, `$split(s, "") ~> $join("-")`,
	`$fromMillis(timestamp)`, `$toMillis(s)`, `$formatNumber(n, "#,##0.00")`, `$substring(s, n)`, `$distinct(a)`, `$zip(a, b)`,
	`**`, `$spread($)`,
}

// FuzzApply runs fixed expressions on any payload: what comes out is JSON, or an error that says
// where, and the same if it is run again; what is passed on is what encoding/json understands of it,
// integers of up to 64 bits to the last digit.
func FuzzApply(f *testing.F) {
	var pipelines []*Pipeline
	for _, expression := range fixed {
		pipelines = append(pipelines, mustCompile(f, CompileOptions{Transaction: true}, transform(expression)...))
	}
	for _, seed := range []string{
		request, `{}`, `null`, `[]`, `[null,[]]`, `1e308`, `-0`, `{"a":[{"b":2,"c":1},{"b":3,"c":"x"}],"s":"aab","n":3,"timestamp":17e11}`,
		`"\ud800"`, `{"a":1,"a":2}`, `[9007199254740993,18446744073709551616]`, `{"a":{"b":{"c":[]}}}`, `{"n":-9e18,"s":"€","timestamp":1e300}`,
		`[-9223372036854775808,18446744073709551615,1.0,1e3,-0.0,9007199254740992.0,0.1e1]`, `{"id":null,"timestamp":-1,"value":[[[]],{"":{"":""}}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		for i, p := range pipelines {
			out, err := p.Apply(Input{Payload: payload})
			require.Equal(t, before, payload)
			if err != nil {
				if !errors.Is(err, ErrFiltered) {
					require.Contains(t, err.Error(), "a.yml:3:5: rule transform: ")
				}
				continue
			}
			require.True(t, json.Valid(out), "%s: %s", fixed[i], out)
			require.LessOrEqual(t, len(out), MaxPayload)
			if i < len(fixed)-2 {
				again, err := p.Apply(Input{Payload: payload})
				require.NoError(t, err)
				require.Equal(t, string(out), string(again), fixed[i])
			}
			requirePassedOn(t, fixed[i], payload, out)
		}
	})
}

// requirePassedOn compares what an expression passes on with what encoding/json reads of it.
func requirePassedOn(t *testing.T, expression string, payload, out []byte) {
	want := decoded(t, payload)
	switch expression {
	default:
		return
	case `$`:
	case `{"all": $}`:
		want = map[string]any{"all": want}
	case `{"id": $.id, "timestamp": $.timestamp, "value": $.value}`:
		message, ok := want.(map[string]any)
		if !ok {
			return
		}
		kept := map[string]any{}
		for _, name := range []string{"id", "timestamp", "value"} {
			if value, has := message[name]; has {
				kept[name] = value
			}
		}
		want = kept
	}
	requireSame(t, want, decoded(t, out), expression)
}

func decoded(t *testing.T, text []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&v))
	return v
}

// requireSame compares values, integers of up to 64 bits exactly and other numbers as float64.
func requireSame(t *testing.T, want, got any, where string) {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		require.True(t, ok && len(object) == len(want), "%s: %v, want %v", where, got, want)
		for name, member := range want {
			requireSame(t, member, object[name], where)
		}
	case []any:
		list, ok := got.([]any)
		require.True(t, ok && len(list) == len(want), "%s: %v, want %v", where, got, want)
		for i := range want {
			requireSame(t, want[i], list[i], where)
		}
	case json.Number:
		number, ok := got.(json.Number)
		require.True(t, ok, "%s: %v, want %v", where, got, want)
		if exact, isInteger := integer(want); isInteger {
			other, isInteger := integer(number)
			require.True(t, isInteger && exact.Cmp(other) == 0, "%s: %s, want %s", where, number, want)
			return
		}
		a, err := want.Float64()
		require.NoError(t, err)
		b, err := number.Float64()
		require.NoError(t, err)
		require.Equal(t, a+0, b+0, where) // -0 is 0
	default:
		require.Equal(t, want, got, where)
	}
}

// integer reads a number that is written as one and has at most 64 bits.
func integer(n json.Number) (*bigmath.Int, bool) {
	if strings.ContainsAny(string(n), ".eE") {
		return nil, false
	}
	i, ok := new(bigmath.Int).SetString(string(n), 10)
	return i, ok && (i.IsInt64() || i.IsUint64())
}
