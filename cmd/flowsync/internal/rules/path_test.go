package rules

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	jsonata "github.com/blues/jsonata-go"
	"github.com/stretchr/testify/require"
)

// anyValue makes values without nulls, empty arrays and arrays in arrays: those that the
// library is right about.
func anyValue(r *rand.Rand, depth int) any {
	kind := r.IntN(6)
	if depth == 0 {
		kind %= 2
	}
	switch kind {
	case 0:
		return float64(r.IntN(5))
	case 1:
		return string(rune('x' + r.IntN(3)))
	case 2, 3:
		list := make([]any, 1+r.IntN(3))
		for i := range list {
			if list[i] = anyValue(r, depth-1); reflect.TypeOf(list[i]).Kind() == reflect.Slice {
				list[i] = true
			}
		}
		return list
	default:
		object := map[string]any{}
		for range r.IntN(4) {
			object[string(rune('a'+r.IntN(3)))] = anyValue(r, depth-1)
		}
		return object
	}
}

// evalTheirs: the library panics for some arrays in arrays.
func evalTheirs(e *jsonata.Expr, v any) (raw any, panicked bool, err error) {
	defer func() { panicked = recover() != nil }()
	raw, err = e.Eval(v)
	return raw, false, err
}

// TestPathsAsTheLibraryHasThem holds our walk along member names, and the rest of the rewritten
// tree, against the library's own on everything but what it gets wrong.
func TestPathsAsTheLibraryHasThem(t *testing.T) {
	var pairs [][2]any
	for _, source := range []string{
		`a`, `$.a`, `a.b`, `$.a.b.c`, `a.b.a`, `$$.c.b`, `(a).b`, `a[0].b`, `a[b].c`, `a.(b).c`, `[a.b, c]`, `$count(a.b)`,
		`a.$.b`, `$[0].a`, `($x := a; $x.b)`, `b.*.a`, `a = b.c`, `a in b`, `a.b & c`, `a.[b, c]`, `a.b.$string($)`, `(a.b)[0]`,
		`$lookup($, "a").b`, `a{$string($): $count($)}`,
	} {
		own, faults := compile(source)
		require.Empty(t, faults, source)
		pairs = append(pairs, [2]any{own, jsonata.MustCompile(source)})
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		v := anyValue(r, 5)
		for _, pair := range pairs {
			own, theirs := pair[0].(*expression), pair[1].(*jsonata.Expr)
			got, defined, err := own.evalLocked(v, newMessage(Input{}), nil) // no test runs beside
			if err != nil {
				require.NotContains(t, err.Error(), "the JSONata library failed")
			}
			raw, panicked, theirErr := evalTheirs(theirs, v)
			if panicked {
				continue
			}
			input, _ := encode(v)
			if errors.Is(theirErr, jsonata.ErrUndefined) {
				require.NoError(t, err)
				require.False(t, defined, "%s on %s: %v", theirs, input, got)
				continue
			}
			require.Equal(t, theirErr == nil, err == nil, "%s on %s: %v, %v", theirs, input, err, theirErr)
			if err != nil {
				continue
			}
			want, _ := normalise(raw)
			require.Equal(t, want, got, "%s on %s", theirs, input)
		}
	}
}

// TestEveryFunctionExists holds the list of names against the library.
func TestEveryFunctionExists(t *testing.T) {
	for name := range functions {
		e, faults := compile("$exists($" + name + ")")
		require.Empty(t, faults)
		got, _, err := e.evalLocked(null, newMessage(Input{}), nil)
		require.NoError(t, err)
		require.Equal(t, true, got, name)
	}
	for name := range lacking {
		e, faults := compile("$exists($" + name + ")")
		require.Empty(t, faults)
		got, _, err := e.evalLocked(null, newMessage(Input{}), nil)
		require.NoError(t, err)
		require.Equal(t, false, got, name)
	}
}

// FuzzScan: blanking out comments keeps everything else, and nothing panics.
func FuzzScan(f *testing.F) {
	for _, tt := range golden {
		f.Add(tt.rule)
	}
	f.Add("'\\")
	f.Add("/\\")
	f.Add("function(")
	f.Fuzz(func(t *testing.T, source string) {
		blanked, faults := scan(source)
		require.Len(t, blanked, len(source))
		for _, fault := range faults {
			require.LessOrEqual(t, fault.offset, len(source))
		}
		require.Equal(t, strings.Count(source, "\n"), strings.Count(blanked, "\n"))
	})
}
