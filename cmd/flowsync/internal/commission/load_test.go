package commission

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const server = "  http: {type: Cybus::Server::Http}\n"

// TestNotAFile: what is no YAML text, or not one document, is told with its place.
func TestNotAFile(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":           {"", "x.yaml: the file is empty\n"},
		"comment":         {"# nothing\n", "x.yaml: the file is empty\n"},
		"null":            {"---\n", "x.yaml:2:1: a commissioning file is a map of description, version, metadata, parameters, definitions, resources\n"},
		"list":            {"- a\n", "x.yaml:1:1: a commissioning file is a map of description, version, metadata, parameters, definitions, resources\n"},
		"not UTF-8":       {"a: b\nc: ä\xff\n", "x.yaml:2:5: the byte 0xff is not UTF-8: save the file as UTF-8 text\n"},
		"UTF-16":          {"\xff\xfea\x00", "x.yaml:1:1: the byte 0xff is not UTF-8: save the file as UTF-8 text\n"},
		"NUL":             {"a: b\n\nc\x00: d\n", "x.yaml:3:2: the character U+0000 does not belong into a text: save the file as UTF-8 text\n"},
		"escape":          {"a: \x1b[31m\n", "x.yaml:1:4: the character U+001B does not belong into a text: save the file as UTF-8 text\n"},
		"non-character":   {"a: \uffff\n", "x.yaml:1:4: the character U+FFFF does not belong into a text: save the file as UTF-8 text\n"},
		"two documents":   {"metadata: {name: a}\n---\nmetadata: {name: b}\n", "x.yaml:2:1: a second YAML document begins here: a commissioning file is one, put each into a file of its own\n"},
		"broken document": {"metadata: {name: a}\n---\nb: [1\nc: 2", "x.yaml:4:2: this is not YAML: did not find expected ',' or ']', while parsing a flow sequence that begins on line 3\n"},
		"tab":             {"metadata:\n\tname: a\n", "x.yaml:2:1: this is not YAML: found character that cannot start any token\n"},
		"open list":       {"metadata: [a,\nb: 2\n", "x.yaml:3:1: this is not YAML: did not find expected ',' or ']', while parsing a flow sequence that begins on line 1\n"},
		"colon":           {"a: b: c\n", "x.yaml:1:5: this is not YAML: mapping values are not allowed in this context\n"},
		"anchor":          {"a: *nobody\n", "x.yaml:1:4: this is not YAML: unknown anchor 'nobody' referenced\n"},
		"no resources":    {"metadata: {name: a}\n", "x.yaml:1:18: the file has no resources\n"},
		"null resources":  {"metadata: {name: a}\nresources:\n", "x.yaml:1:18: the file has no resources\n"},
		"too large":       {strings.Repeat("#", maxFile+1), "x.yaml: the file is larger than 4 MiB\n"},
	} {
		t.Run(name, func(t *testing.T) {
			model, problems := Load([]Source{{Name: "x.yaml", Data: []byte(c.text)}}, LoadOptions{})
			require.Nil(t, model)
			require.Equal(t, c.want, listed(problems))
		})
	}
}

func load(text string) (*Model, string) {
	model, problems := Load([]Source{{Name: "x.yaml", Data: []byte(text)}}, LoadOptions{ServiceID: "x"})
	return model, listed(problems)
}

// TestBounds: whatever a file repeats, it is refused before it takes memory and time.
func TestBounds(t *testing.T) {
	nested := func(levels int) string {
		return "definitions: {a: " + strings.Repeat("[", levels) + strings.Repeat("]", levels) + "}\nresources:\n" + server
	}
	var chain strings.Builder
	chain.WriteString("resources:\n" + server + "definitions:\n  d0: [x]\n")
	for i := range 100 {
		fmt.Fprintf(&chain, "  d%d: [!ref d%d]\n", i+1, i)
	}
	long := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct{ text, want string }{
		"deep enough":          {nested(maxDepth), ""},
		"too deep":             {nested(maxDepth + 1), "x.yaml:1:82: nested deeper than 64 levels, with the references that lead here\n"},
		"deep for the library": {nested(20_000), "x.yaml:1:10017: this is not YAML: exceeded max depth of 10000\n"},
		"chain of references":  {chain.String(), "nested deeper than 64 levels"},
		"text": {"parameters: {p: {default: " + long + "}}\ndefinitions: {d: !sub '" + strings.Repeat("${p}", 20) + "'}\nresources:\n" + server,
			"x.yaml:2:18: the file grows beyond 200000 values or 16 MiB of text, with what it repeats by aliases, references and substitutions: split it\n"},
		"parameters": {"parameters: {p: {default: [" + strings.Repeat("1,", 50_000) + "]}}\ndefinitions: {d: [!ref p, !ref p, !ref p, !ref p]}\nresources:\n" + server,
			"the file grows beyond"},
		"merge": {"definitions: {a: {" + strings.Repeat("k", 10) + ": 1}, b: !merge [" + strings.Repeat("!ref a,", 100_000) + "]}\nresources:\n" + server,
			"the file grows beyond"},
		"long route":     {"resources:\n  http: {type: Cybus::Server::Http, properties: {basePath: " + strings.Repeat("a", maxPath+1) + "}}\n", "basePath of http: longer than 4096 bytes"},
		"long filter":    {"resources:\n  m: {type: Cybus::Mapping, properties: {mappings: [{subscribe: {topic: " + strings.Repeat("a", 65_530) + "}, publish: {topic: b}}]}}\n", "bytes long, MQTT allows 65535"},
		"unused ref":     {"definitions: {a: !ref nobody}\nresources:\n" + server, `unknown reference "nobody" (want one of Cybus::MqttHost, Cybus::MqttRoot, Cybus::ServiceId, a, http)`},
		"steering a tty": {"resources:\n  \"\\e[31m\": 5\n", `x.yaml:2:13: resource \x1b[31m must be a map of properties, not 5`},
		"long name":      {"resources:\n  " + strings.Repeat("a", 1000) + ": 5\n", "resource " + strings.Repeat("a", 80) + "… must be a map"},
	} {
		t.Run(name, func(t *testing.T) {
			model, problems := load(c.text)
			require.Equal(t, c.want == "", model != nil, problems)
			require.Contains(t, problems, c.want)
			require.Less(t, len(problems), 10_000)
		})
	}
}

// TestManyProblems: those beyond the bound are counted, and an error among them is none the less one.
func TestManyProblems(t *testing.T) {
	warnings := func(n int) string {
		var b strings.Builder
		b.WriteString("resources:\n" + server)
		for i := range n {
			fmt.Fprintf(&b, "  n%d: {type: Cybus::Node::Http, properties: {parent: !ref http, method: GET, route: /%d, operation: transaction}}\n", i, i)
		}
		return b.String()
	}
	model, problems := load(warnings(maxProblems + 2))
	require.NotNil(t, model)
	require.Equal(t, maxProblems+1, strings.Count(problems, "\n"))
	require.True(t, strings.HasSuffix(problems, "\nwarning: x.yaml: and 2 more problems\n"))

	model, problems = load(warnings(maxProblems+2) + "  bad: {type: Cybus::Mapping}\n  worse: {type: Cybus::Mapping, properties: {mapping: !ref n1, mappings: [{subscribe: {endpoint: a}}]}}\n")
	require.Nil(t, model)
	require.True(t, strings.HasSuffix(problems, "\nx.yaml: and 6 more problems\n"), problems[len(problems)-100:])
}

// TestTreeBounds: trees are bounded in depth, ids in length, and a chain of parents as long as a
// file may have it, be it closed to a ring, takes no time.
func TestTreeBounds(t *testing.T) {
	chain := func(n, root int, browseName string) string {
		var b strings.Builder
		b.WriteString("resources:\n  ua: {type: Cybus::Server::Opcua}\n")
		for i := range n { // the deepest comes first
			parent := fmt.Sprintf("n%d", i+1)
			if i == n-1 {
				parent = map[int]string{0: "ua", 1: "n0"}[root]
			}
			fmt.Fprintf(&b, "  n%d: {type: Cybus::Node::Opcua, properties: {parent: !ref %s, browseName: %s, nodeType: Object}}\n", i, parent, browseName)
		}
		return b.String()
	}
	for name, c := range map[string]struct{ text, want string }{
		"deep enough": {chain(maxTree, 0, "a"), ""},
		"too deep":    {chain(maxTree+5, 0, "a"), "x.yaml:7:55: n4 stands more than 64 nodes deep\n"},
		"long id":     {chain(9, 0, strings.Repeat("a", maxName)), "the node id of n1, made of the browse names above it, is longer than 4096 bytes: give it a nodeId\n"},
		"long name":   {chain(1, 0, strings.Repeat("a", maxName+1)), "want a name of at most 512 bytes, without control characters\n"},
		"very deep":   {chain(5_000, 0, "a"), "n4935 stands more than 64 nodes deep\n"},
		"ring":        {chain(5_000, 1, "a"), "the parent of n0 leads back to it: n0 → n1 → n2 → n3 → n4 → n5 → n6 → n7 → … → n0: one of them must have the server as its parent\n"},
	} {
		t.Run(name, func(t *testing.T) {
			model, problems := load(c.text)
			require.Equal(t, c.want == "", model != nil, problems)
			require.Contains(t, problems, c.want)
			require.Less(t, len(problems), 1000)
		})
	}
}

// TestManyMappings: the search for circles is bounded, and says so.
func TestManyMappings(t *testing.T) {
	file := func(n int) string {
		var b strings.Builder
		b.WriteString("resources:\n")
		for i := range n {
			fmt.Fprintf(&b, "  m%d: {type: Cybus::Mapping, properties: {mappings: [{subscribe: {topic: a/%d}, publish: {topic: a/%d}}]}}\n", i, i, (i+1)%n)
		}
		return b.String()
	}
	_, problems := load(file(300))
	require.True(t, strings.HasPrefix(problems, "warning: x.yaml:2:"), problems)
	require.Contains(t, problems, "m0 → m1 → m2 → ")
	require.Contains(t, problems, " → m299 → m0: make sure")
	require.Equal(t, 1, strings.Count(problems, "\n"))

	_, problems = load(file(maxMappings + 1))
	require.Contains(t, problems, "there are more than 2000 mappings")
}

// TestSeveralFiles: one service each, with parameters of the same name in both, and what is
// accepted without effect is said once for all of them.
func TestSeveralFiles(t *testing.T) {
	file := func(name string) Source {
		return Source{Name: name + ".yaml", Data: []byte("metadata: {name: " + name + "}\nparameters: {base: {default: x}}\nresources:\n" +
			"  http: {type: Cybus::Server::Http, properties: {basePath: !sub '/${base}/${Cybus::ServiceId}/${Cybus::MqttHost}'}}\n" +
			"  n: {type: Cybus::Node::Http, properties: {parent: !ref http, method: POST, route: /n, operation: transaction, inputBuffering: true}}\n")}
	}
	model, problems := Load([]Source{file("b"), file("a")}, LoadOptions{Params: map[string]string{"base": "Y"}, MqttHost: "broker"})
	require.NotNil(t, model)
	require.Equal(t, "warning: b.yaml:5:129: inputBuffering has no effect: requests are published as they come\n", listed(problems))
	require.Len(t, model.Services, 2)
	require.Equal(t, "b", model.Services[0].ID)
	require.Equal(t, "/Y/b/broker", model.Services[0].HTTPServers[0].BasePath)
	require.Equal(t, "/Y/a/broker", model.Services[1].HTTPServers[0].BasePath)
	require.Equal(t, "services/a/n", model.Services[1].HTTPServers[0].Nodes[0].Topic)
}

func TestNothing(t *testing.T) {
	model, problems := Load(nil, LoadOptions{Params: map[string]string{"a": "b"}})
	require.Equal(t, &Model{}, model)
	require.Empty(t, problems)
}

func TestMethods(t *testing.T) {
	require.Equal(t, []string{"POST"}, (&HTTPNode{Method: "POST", Node: Node{Operation: Transaction}}).Methods())
	require.Equal(t, []string{"GET", "PUT"}, (&HTTPNode{Method: "PUT", Node: Node{Operation: ServerProvidesAndReceives}}).Methods())
}

func TestNearest(t *testing.T) {
	known := []string{"timeout", "timeoutErrorCode", "qos"}
	for name, want := range map[string]string{
		"timeOut": "timeout", "timeoutErorCode": "timeoutErrorCode", "QOS": "qos", "retain": "", "x": "", "": "",
		strings.Repeat("timeout", 20): "",
	} {
		require.Equal(t, want, nearest(name, known), name)
	}
	require.Equal(t, "", nearest("timeout", make([]string, maxKnown+1)))
	require.Equal(t, "", didYouMean("x", nil))
	require.Equal(t, 3, editDistance("kitten", "sitting", 9))
}
