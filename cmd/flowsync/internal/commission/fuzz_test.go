package commission

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzLoad: whatever stands in a file, Load ends, and gives either a model or a reason. A model
// holds what the gateway relies on.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml", "testdata/bad/*/*.yaml", "../../examples/*.yaml"} {
		for _, name := range glob(f, pattern) {
			data, err := os.ReadFile(name)
			require.NoError(f, err)
			f.Add(data)
		}
	}
	for _, text := range []string{"a: 1\n---\nb: 2\n", "\xff\xfea\x00", "a:\n\tb: 1\n", "resources: &r {a: *r}\n", "definitions: {a: !ref a, b: !sub '${b}', c: !merge [!ref c]}\n", "? [a]\n: 1\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 16<<10 {
			return // longer ones are slow, and nothing new
		}
		options := LoadOptions{ServiceID: "fuzz", Lenient: true}
		model, problems := Load([]Source{{Name: "fuzz.yaml", Data: data}}, options)
		wrong := slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
		require.Equal(t, wrong, model == nil)
		require.LessOrEqual(t, len(problems), maxProblems+1)
		for _, p := range problems {
			require.Equal(t, printable(p.String()), p.String())
			require.Equal(t, "fuzz.yaml", p.Pos.File)
		}
		if model == nil {
			return
		}
		require.Len(t, model.Services, 1)
		requireServable(t, model)
		model.EachNode(func(_ *Service, n *Node) {
			require.NotEmpty(t, n.Operation)
			require.Equal(t, n.Operation == Transaction, n.Transaction.Timeout > 0)
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
	})
}
