package commission

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/transport/http"
	"github.com/flowsync-go/flowsync/transport/mqtt"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

var update = flag.Bool("update", false, "write the golden files anew; look at what changed")

// readCase reads a file, or all of a folder, and the options that a first line such as
// "# options: lenient, id=x, param a=1" asks for.
func readCase(t testing.TB, path string) ([]Source, LoadOptions) {
	t.Helper()
	names := []string{path}
	if filepath.Ext(path) != ".yaml" {
		names = glob(t, path+"/*.yaml")
	}
	options := LoadOptions{Params: map[string]string{}}
	var files []Source
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		files = append(files, Source{Name: filepath.Base(name), Data: data})
		first, _, _ := strings.Cut(string(data), "\n")
		list, _ := strings.CutPrefix(first, "# options: ")
		for option := range strings.SplitSeq(list, ", ") {
			name, value, _ := strings.Cut(option, "=")
			param, isParam := strings.CutPrefix(name, "param ")
			switch {
			case option == "lenient":
				options.Lenient = true
			case name == "id":
				options.ServiceID = value
			case isParam:
				options.Params[param] = value
			}
		}
	}
	return files, options
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, names, pattern)
	return names
}

func listed(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		if p.Warning {
			b.WriteString("warning: ")
		}
		b.WriteString(p.String() + "\n")
	}
	return b.String()
}

func requireGolden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// TestBad: everything that is wrong is said, and nothing else. A folder is loaded as a whole.
func TestBad(t *testing.T) {
	for _, path := range glob(t, "testdata/bad/*") {
		if filepath.Ext(path) == ".txt" {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			model, problems := Load(readCase(t, path))
			require.Nil(t, model)
			requireGolden(t, strings.TrimSuffix(path, ".yaml")+".txt", listed(problems))
		})
	}
}

// TestGood: what files mean, with what is doubtful about them.
func TestGood(t *testing.T) {
	for _, path := range glob(t, "testdata/good/*.yaml") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			model, problems := Load(readCase(t, path))
			require.NotNil(t, model, "%s", listed(problems))
			requireServable(t, model)
			var b strings.Builder
			encoder := json.NewEncoder(&b)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			require.NoError(t, encoder.Encode(model))
			requireGolden(t, strings.TrimSuffix(path, ".yaml")+".json", b.String())
			requireGolden(t, strings.TrimSuffix(path, ".yaml")+".txt", listed(problems))
		})
	}
}

// requireServable: what check accepts, the HTTP server and the broker's client take.
func requireServable(t *testing.T, model *Model) {
	t.Helper()
	server, err := http.New(http.Options{})
	require.NoError(t, err)
	model.eachHTTPNode(func(_ *Service, s *HTTPServer, n *HTTPNode) {
		for _, method := range n.Methods() {
			path := http.JoinPath("/data", s.BasePath, n.Route)
			receive := func([]byte, *http.Meta) error { return nil }
			require.NoError(t, server.Add(http.Route{Method: method, Path: path, MaxBody: s.MaxBody, Receive: receive}))
		}
		require.NoError(t, mqtt.ValidateTopic(n.Topic+"/treq"))
	})
	if _, server := model.OPCUAServer(); server != nil {
		require.NotEmpty(t, server.Security)
		server.Root.EachNode(func(n *OPCUANode) { require.NotEmpty(t, n.NodeID) })
		require.Empty(t, opcua.CheckTree(grown(server.Root)))
	}
	for _, s := range model.Services {
		for _, m := range s.Mappings {
			vars := map[string]string{}
			for _, in := range m.Inputs {
				require.NoError(t, mqtt.ValidateFilter("$share/flowsync-"+s.ID+"/"+in.Filter))
				for _, name := range in.Names {
					vars[name] = "x"
				}
			}
			for _, name := range contextVars(m.Rules) {
				vars[name] = "x"
			}
			topic, err := rules.Expand(m.Publish.Topic, vars)
			require.NoError(t, err)
			require.NoError(t, mqtt.ValidateTopic(topic))
		}
	}
}

// grown is a tree as the gateway gives it to the server, but for the operations.
func grown(n *OPCUANode) *opcua.Node {
	out := &opcua.Node{
		Class: n.Class, ID: n.NodeID, BrowseName: n.BrowseName, DisplayName: n.DisplayName, Description: n.Description,
		DataType: n.DataType, Initial: n.Initial, Inputs: n.Inputs, Outputs: n.Outputs, Where: n.Pos.String(),
	}
	if n.Class == opcua.Method {
		out.Receive = func([]byte) error { return nil }
	}
	for _, child := range n.Children {
		out.Children = append(out.Children, grown(child))
	}
	return out
}

// TestExamples: the files that users begin with load, and the warnings they give are meant.
func TestExamples(t *testing.T) {
	want := map[string]string{
		"quickstart.yaml":      "",
		"opcua.yaml":           "",
		"robust.yaml":          "",
		"answered.yaml":        "GET",
		"error.yaml":           "GET",
		"timeout-default.yaml": "GET",
		"timeout-custom.yaml":  "GET 408",
	}
	var all []Source
	for _, path := range glob(t, "../../examples/*.yaml") {
		files, options := readCase(t, path)
		all = append(all, files...)
		model, problems := Load(files, options)
		require.NotNil(t, model, "%s", listed(problems))
		words, ok := want[files[0].Name]
		require.True(t, ok, "%s: say here what it warns of", path)
		require.Len(t, problems, len(strings.Fields(words)))
		for i, word := range strings.Fields(words) {
			require.Contains(t, problems[i].Text, word)
		}
	}
	require.Len(t, all, len(want))
}
