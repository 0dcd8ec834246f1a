package commission

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// withValue is a file that has a value of YAML in each place where one becomes JSON, with its line and
// the column in which the value begins.
func withValue(place, value string) (text, at string) {
	properties := "parent: !ref http, method: POST, route: /n, operation: transaction"
	head := map[string]string{
		"fallback":     "  n: {type: Cybus::Node::Http, properties: {" + properties + ", transaction: {fallback: ",
		"in a list":    "  n: {type: Cybus::Node::Http, properties: {" + properties + ", transaction: {fallback: [1, {a: [",
		"in a map":     "  n: {type: Cybus::Node::Http, properties: {" + properties + ", transaction: {fallback: {a: {b: ",
		"OPC UA":       "  v: {type: Cybus::Node::Opcua, properties: {parent: !ref root, browseName: v, nodeType: Variable, dataType: Double, operation: transaction, transaction: {fallback: ",
		"initialValue": "  v: {type: Cybus::Node::Opcua, properties: {parent: !ref root, browseName: v, nodeType: Variable, dataType: String, initialValue: ",
		"initial list": "  v: {type: Cybus::Node::Opcua, properties: {parent: !ref root, browseName: v, nodeType: Variable, dataType: String, valueRank: 1, initialValue: [",
		"rule":         "  n: {type: Cybus::Node::Http, properties: {" + properties + ", rules: [{setContextVars: {vars: {a: ",
		"definition":   "definitions: {d: ",
		"default":      "parameters: {p: {default: ",
	}[place]
	closing := map[rune]string{'{': "}", '[': "]"}
	tail := ""
	for _, c := range head {
		if c == '}' || c == ']' {
			tail = tail[1:]
		}
		tail = closing[c] + tail
	}
	text = "resources:\n" + server + "  ua: {type: Cybus::Server::Opcua}\n" +
		"  root: {type: Cybus::Node::Opcua, properties: {parent: !ref ua, browseName: r, nodeType: Object}}\n" + head + value + tail + "\n"
	return text, fmt.Sprintf("x.yaml:%d:%d: ", strings.Count(text, "\n"), len(head)+1)
}

var valuePlaces = []string{"fallback", "in a list", "in a map", "OPC UA", "initialValue", "initial list", "rule", "definition", "default"}

// TestVastNumbers: a number that is too large is not taken for text, wherever it stands.
func TestVastNumbers(t *testing.T) {
	for _, place := range valuePlaces {
		for _, number := range []string{
			"1e400", "-1e400", "+1.5E+400", ".1e400", "1_0e400", "1.e999999999999", strings.Repeat("9", 400), "-" + strings.Repeat("9", 400) + ".5",
			"0x10000000000000000", "-0xffffffffffffffffff", "0b" + strings.Repeat("1", 65), "0o7777777777777777777777777",
		} {
			text, at := withValue(place, number)
			model, problems := load(text)
			require.Nil(t, model, "%s in %s", number, place)
			require.Equal(t, at+fmt.Sprintf("%q is a number that does not fit into 64 bits: put it in quotes if it is a text\n", clip(number)), problems)
		}
		text, at := withValue(place, ".inf")
		_, problems := load(text)
		require.Equal(t, at+"\".inf\" is not a number that JSON knows\n", problems)
	}
}

// TestNoNumbers: what is text stays text, and what fits is a number, as it is written.
func TestNoNumbers(t *testing.T) {
	for value, want := range map[string]string{
		`"1e400"`: `"1e400"`, `'1e400'`: `"1e400"`, "!!str 1e400": `"1e400"`, "0x1p9999": `"0x1p9999"`, "_1e400": `"_1e400"`, "._1e400": `"._1e400"`,
		"1e400x": `"1e400x"`, "0xfffffffffffffffffffffg": `"0xfffffffffffffffffffffg"`, "1.2.3": `"1.2.3"`, "99999999999999999999-7": `"99999999999999999999-7"`,
		"0xffffffffffffffffffffp1": `"0xffffffffffffffffffffp1"`, "0b99999999999999999999999999999999999999999999999999999999999999999": `"0b99999999999999999999999999999999999999999999999999999999999999999"`,
		"2026-11-25": `"2026-11-25"`,
		"+":          `"+"`, "e400": `"e400"`,
		"1e308": "1e308", "1e-400": "1e-400", "123456789012345678901234567890": "123456789012345678901234567890", "0x10": "16", "+1.50": "1.5",
	} {
		text, _ := withValue("in a map", value)
		model, problems := load(text)
		require.NotNil(t, model, "%s: %s", value, problems)
		got := model.Services[0].HTTPServers[0].Nodes[0].Transaction.Fallback
		require.Equal(t, `{"a":{"b":`+want+`}}`, string(got))
	}
}

// TestVastOption: nor is it as the value of an option, unless the parameter is a text.
func TestVastOption(t *testing.T) {
	read := func(declared, option string) (*Model, string) {
		text := "parameters: {p: {" + declared + "}}\nresources:\n" + server +
			"  n: {type: Cybus::Node::Http, properties: {parent: !ref http, method: POST, route: /n, operation: transaction, transaction: {fallback: !ref p}}}\n"
		model, problems := Load([]Source{{Name: "x.yaml", Data: []byte(text)}}, LoadOptions{ServiceID: "x", Params: map[string]string{"p": option}})
		return model, listed(problems)
	}
	for _, number := range []string{"1e400", "0x10000000000000000", ".inf", ".nan", "18446744073709551615"} {
		model, problems := read("default: 1", number)
		require.Nil(t, model)
		require.Equal(t, "x.yaml:1:14: --param p: its value is a number that JSON does not know, or that does not fit into 64 bits: declare the parameter with type: string if it is a text\n", problems)
		model, problems = read("type: number", number)
		require.Nil(t, model)
		require.Contains(t, problems, "--param p: its value does not fit, want type number")
		model, problems = read("type: string", number)
		require.NotNil(t, model, problems)
		require.Equal(t, `"`+number+`"`, string(model.Services[0].HTTPServers[0].Nodes[0].Transaction.Fallback))
	}
	for option, want := range map[string]string{"1e4": "1e4", `"1e400"`: `"\"1e400\""`, "<<": `"<<"`, "!x": `"!x"`, "!!float 1e400": `"!!float 1e400"`, "1e400 # x": `"1e400 # x"`} {
		model, problems := read("default: 1", option)
		require.NotNil(t, model, problems)
		require.Equal(t, want, string(model.Services[0].HTTPServers[0].Nodes[0].Transaction.Fallback))
	}
}
