package opcua_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

func TestCheckTree(t *testing.T) {
	number := typeOf(t, "Int32")
	held := &opcua.Transaction{Node: new(core.Node)}
	fallback := func(text string, read bool) *opcua.Transaction {
		return &opcua.Transaction{Node: held.Node, Read: read, Fallback: []byte(text)}
	}
	keys := &opcua.Transaction{Node: held.Node, Keys: true}
	strings1, err := opcua.ParseDataType("String", 1)
	require.NoError(t, err)
	receive := func([]byte) error { return nil }
	object := func(children ...*opcua.Node) *opcua.Node {
		return &opcua.Node{Class: opcua.Object, BrowseName: "Root", Where: "file:1:1", Children: children}
	}
	deep := object()
	for range 70 {
		deep = object(deep)
	}
	for _, c := range []struct {
		name string
		root *opcua.Node
		want []string
	}{
		{"right", object(
			&opcua.Node{Class: opcua.Variable, BrowseName: "v", DataType: number, Initial: []byte("1")},
			&opcua.Node{Class: opcua.Method, BrowseName: "m", Receive: receive, ID: "ns=1;i=7"},
			&opcua.Node{Class: opcua.Object, BrowseName: "o"},
		), nil},
		{"nameless", &opcua.Node{Class: opcua.Object}, []string{"browse name is missing"}},
		{"long name", &opcua.Node{Class: opcua.Object, BrowseName: strings.Repeat("x", 600)}, []string{"longer than 512"}},
		{"not UTF-8", &opcua.Node{Class: opcua.Object, BrowseName: "\xff"}, []string{"not valid UTF-8"}},
		{"control characters", &opcua.Node{Class: opcua.Object, BrowseName: "a\nb"}, []string{"has control characters"}},
		{"no class", &opcua.Node{BrowseName: "x"}, []string{"neither Object, Variable nor Method"}},
		{"deep", deep, []string{"nested deeper than 64"}},
		{"ids", object(
			&opcua.Node{Class: opcua.Object, BrowseName: "a", ID: "ns=1;s=x"},
			&opcua.Node{Class: opcua.Object, BrowseName: "b", ID: "ns=1;s=x", Where: "file:9:1"},
			&opcua.Node{Class: opcua.Object, BrowseName: "c", ID: "ns=2;s=x"},
			&opcua.Node{Class: opcua.Object, BrowseName: "d", ID: "nonsense"},
			&opcua.Node{Class: opcua.Object, BrowseName: "e", ID: "i=85"},
		), []string{`node "b" (file:9:1): its id ns=1;s=x is that of "a"`, "want ns=1;s=", "want ns=1;s=", "want ns=1;s="}},
		{"twins", object(&opcua.Node{Class: opcua.Object, BrowseName: "a"}, &opcua.Node{Class: opcua.Object, BrowseName: "a", ID: "ns=1;i=1"}),
			[]string{"has its browse name"}},
		{"object with operation", &opcua.Node{Class: opcua.Object, BrowseName: "o", Receive: receive}, []string{"an Object has no operation"}},
		{"variable", object(
			&opcua.Node{Class: opcua.Variable, BrowseName: "a"},
			&opcua.Node{Class: opcua.Variable, BrowseName: "b", DataType: number, Initial: []byte(`"x"`)},
			&opcua.Node{Class: opcua.Variable, BrowseName: "c", DataType: number, Receive: receive, Transaction: held},
			&opcua.Node{Class: opcua.Variable, BrowseName: "d", DataType: number, Children: []*opcua.Node{object()}},
		), []string{"needs a data type", "initial value does not fit", "not both", "only Objects have children"}},
		{"method", object(
			&opcua.Node{Class: opcua.Method, BrowseName: "a"},
			&opcua.Node{Class: opcua.Method, BrowseName: "b", Transaction: &opcua.Transaction{Node: held.Node, Read: true}},
			&opcua.Node{Class: opcua.Method, BrowseName: "c", Transaction: &opcua.Transaction{}},
			&opcua.Node{Class: opcua.Method, BrowseName: "d", Transaction: &opcua.Transaction{Node: held.Node, TimeoutStatus: 500}},
			&opcua.Node{Class: opcua.Method, BrowseName: "e", Transaction: held, Inputs: []opcua.Argument{{}, {Name: "x", DataType: number}, {Name: "x", DataType: number}}},
		), []string{"either Transaction or Receive", "a Method is not read", "has no node", "not Bad",
			"name of an input argument is missing", `argument "" needs a data type`, `are called "x"`}},
		{"fallback", object(
			&opcua.Node{Class: opcua.Variable, BrowseName: "a", DataType: number, Where: "file:7:1", Transaction: fallback(`"x"`, false)},
			&opcua.Node{Class: opcua.Variable, BrowseName: "b", DataType: number, Transaction: fallback("null", true)},
			&opcua.Node{Class: opcua.Variable, BrowseName: "c", DataType: number, Transaction: fallback("null", false)},
			&opcua.Node{Class: opcua.Method, BrowseName: "d", Transaction: fallback("{}", false), Outputs: []opcua.Argument{{Name: "x", DataType: number}}},
			&opcua.Node{Class: opcua.Method, BrowseName: "e", Transaction: fallback("", false)},
			&opcua.Node{Class: opcua.Method, BrowseName: "f", Transaction: fallback("1", false), Outputs: []opcua.Argument{{Name: "x"}}},
			&opcua.Node{Class: opcua.Variable, BrowseName: "g", Transaction: fallback("1", false)},
		), []string{`node "a" (file:7:1): its fallback does not fit`, "null is no value", "output x is missing", "not JSON", "needs a data type", "needs a data type"}},
		{"keys", object(
			&opcua.Node{Class: opcua.Variable, BrowseName: "a", DataType: number, Transaction: keys},
			&opcua.Node{Class: opcua.Method, BrowseName: "b", Transaction: keys},
			&opcua.Node{Class: opcua.Method, BrowseName: "c", Transaction: keys, Inputs: []opcua.Argument{{Name: "idempotencyKey", DataType: number}}},
			&opcua.Node{Class: opcua.Method, BrowseName: "d", Transaction: keys, Inputs: []opcua.Argument{{Name: "idempotencykey", DataType: typeOf(t, "String")}}},
			&opcua.Node{Class: opcua.Method, BrowseName: "e", Transaction: keys, Inputs: []opcua.Argument{{Name: "idempotencyKey", DataType: strings1}}},
			&opcua.Node{Class: opcua.Method, BrowseName: "f", Transaction: keys, Inputs: []opcua.Argument{{Name: "n", DataType: number}, {Name: "idempotencyKey", DataType: typeOf(t, "String")}}},
		), []string{"only the Calls of a Method", "needs an input argument idempotencyKey", "needs an input argument", "needs an input argument", "needs an input argument"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			errs := opcua.CheckTree(c.root)
			require.Len(t, errs, len(c.want), "%v", errs)
			for i, want := range c.want {
				require.ErrorContains(t, errs[i], want)
			}
		})
	}
}

func TestOptionsAreJudged(t *testing.T) {
	root := &opcua.Node{Class: opcua.Object, BrowseName: "Root"}
	none := []opcua.Security{{Policy: "None", Mode: "None"}}
	for _, c := range []struct {
		name    string
		options opcua.Options
		want    string
	}{
		{"right", opcua.Options{Root: root, Security: none, Anonymous: true}, ""},
		{"users only", opcua.Options{Root: root, Security: none, Login: func(string, string) bool { return false }}, ""},
		{"no root", opcua.Options{Security: none, Anonymous: true}, "Root is missing"},
		{"wrong root", opcua.Options{Root: &opcua.Node{}, Security: none, Anonymous: true}, "browse name"},
		{"no security", opcua.Options{Root: root, Anonymous: true}, "Security has no policy"},
		{"unknown policy", opcua.Options{Root: root, Anonymous: true, Security: []opcua.Security{{Policy: "Basic256", Mode: "Sign"}}}, "not known"},
		{"unknown mode", opcua.Options{Root: root, Anonymous: true, Security: []opcua.Security{{Policy: "None", Mode: "sign"}}}, "not known"},
		{"mixed", opcua.Options{Root: root, Anonymous: true, Security: []opcua.Security{{Policy: "None", Mode: "Sign"}}}, "None goes with None only"},
		{"no state", opcua.Options{Root: root, Anonymous: true, Security: []opcua.Security{{Policy: "Basic256Sha256", Mode: "Sign"}}}, "State is missing"},
		{"nobody", opcua.Options{Root: root, Security: none}, "nobody could log in"},
		{"negative", opcua.Options{Root: root, Security: none, Anonymous: true, MaxSessions: -1}, "MaxSessions is -1"},
		{"negative time", opcua.Options{Root: root, Security: none, Anonymous: true, WriteTimeout: -1}, "timeout is negative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, err := opcua.New(c.options)
			if c.want == "" {
				require.NoError(t, err)
				require.NoError(t, server.Close())
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestProvide(t *testing.T) {
	variable := &opcua.Node{Class: opcua.Variable, BrowseName: "Temperature", DataType: typeOf(t, "Double")}
	h := build(t, func(_ *house, o *opcua.Options) {
		o.Root = &opcua.Node{Class: opcua.Object, BrowseName: "Press", Children: []*opcua.Node{variable}}
	})
	require.NoError(t, h.server.Provide(variable, []byte("20.5")))
	require.ErrorContains(t, h.server.Provide(variable, []byte(`"hot"`)), "Temperature")
	require.ErrorContains(t, h.server.Provide(&opcua.Node{BrowseName: "other"}, []byte("1")), "no Variable of this server")
}

func TestServeAfterClose(t *testing.T) {
	h := build(t, func(h *house, o *opcua.Options) { echo(h, o) })
	require.NoError(t, h.server.Close())
	require.ErrorIs(t, h.server.Serve(listen(t)), opcua.ErrClosed)
}
