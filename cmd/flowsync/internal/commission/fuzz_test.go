package commission

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzLoad: whatever stands in a file, Load ends, and gives either a model or reasons, each with its
// place in the file and short; the same again for the same file. A model holds what the gateway
// relies on.
func FuzzLoad(f *testing.F) {
	for _, data := range files(f) {
		f.Add(data)
	}
	for _, text := range []string{
		"a: 1\n---\nb: 2\n", "\xff\xfea\x00", "a:\n\tb: 1\n", "resources: &r {a: *r}\n", "definitions: {a: !ref a, b: !sub '${b}', c: !merge [!ref c]}\n", "? [a]\n: 1\n",
		"a: &a [*a]\n", "%YAML 1.1\n---\n{}\n", "resources: {\"a\\nb\": {type: 'x\x1b'}}\n", "resources:\r\n  a: |2-\r\n    x\r\n", "- !!binary aGk=\n- !!set {? a}\n", "<<: {a: 1}\n", "a: .inf\nb: 0x1F\nc: 1_000\nd: 2026-11-24\ne: ~\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) { requireSound(t, data) })
}

// files are all that the tests and the examples have.
func files(t testing.TB) (all [][]byte) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml", "testdata/bad/*/*.yaml", "../../examples/*.yaml"} {
		for _, name := range glob(t, pattern) {
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			all = append(all, data)
		}
	}
	return all
}

func requireSound(t *testing.T, data []byte) {
	if len(data) > 16<<10 {
		return // longer ones are slow, and nothing new
	}
	load := func(data []byte) (*Model, []Problem) {
		return Load([]Source{{Name: "fuzz.yaml", Data: data}}, LoadOptions{ServiceID: "fuzz", Lenient: true})
	}
	before := bytes.Clone(data)
	model, problems := load(data)
	require.Equal(t, before, data)
	wrong := slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
	require.Equal(t, wrong, model == nil)
	require.LessOrEqual(t, len(problems), maxProblems+1)
	for _, p := range problems {
		require.Equal(t, printable(p.String()), p.String())
		require.Less(t, len(p.String()), 4000)
		requireWithin(t, data, p.Pos)
	}
	again, problemsAgain := load(data)
	require.Equal(t, problems, problemsAgain)
	if model != nil {
		require.Equal(t, text(t, model), text(t, again))
		requireUsable(t, model)
	}
}

func text(t *testing.T, model *Model) string {
	b, err := json.Marshal(model)
	require.NoError(t, err)
	return string(b)
}

// requireWithin: a place is in the file, or just behind a line of it.
func requireWithin(t *testing.T, data []byte, at Position) {
	require.Equal(t, "fuzz.yaml", at.File)
	require.True(t, at.Line >= 0 && at.Column >= 0 && (at.Line > 0 || at.Column == 0), "%v", at)
	if at.Line == 0 || !utf8.Valid(data) || bytes.ContainsAny(data, "\r\u0085\u2028\u2029\ufeff") {
		return // other ends of lines, or none
	}
	lines := append(strings.Split(string(data), "\n"), "") // where the file ends
	require.LessOrEqual(t, at.Line, len(lines), "%v", at)
	require.LessOrEqual(t, at.Column, len([]rune(lines[at.Line-1]))+1, "%v in %q", at, lines[at.Line-1])
}

func requireUsable(t *testing.T, model *Model) {
	require.Len(t, model.Services, 1)
	requireServable(t, model)
	model.EachNode(func(_ *Service, n *Node) {
		require.NotEmpty(t, n.Operation)
		require.Equal(t, n.Operation == Transaction, n.Transaction.Timeout > 0)
		if n.Transaction.Fallback != nil {
			require.True(t, json.Valid(n.Transaction.Fallback))
		}
		require.True(t, !n.Transaction.FailFast || n.QoS == 1)
		require.Equal(t, n.Transaction.Idempotency, n.Transaction.IdempotencyWindow > 0)
	})
	model.eachHTTPNode(func(_ *Service, s *HTTPServer, n *HTTPNode) {
		require.Positive(t, s.MaxBody)
		require.NotEmpty(t, n.Method)
		require.Equal(t, n.Operation == Transaction, n.TimeoutErrorCode > 0)
	})
	for _, m := range model.Services[0].Mappings {
		require.NotEmpty(t, m.Inputs)
		require.NotEmpty(t, m.Publish.Topic)
	}
}
