package main

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/commission"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/gateway"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

func opcuaModel(t *testing.T, properties string) *commission.Model {
	file := "metadata: {name: test}\nresources:\n  ua: {type: Cybus::Server::Opcua, properties: {" + properties + "}}\n" +
		"  root: {type: Cybus::Node::Opcua, properties: {parent: !ref ua, browseName: Root, nodeType: Object}}\n"
	model, problems := commission.Load([]commission.Source{{Name: "s.yaml", Data: []byte(file)}}, commission.LoadOptions{})
	require.NotNil(t, model, "%v", problems)
	return model
}

// TestWarnOfKeys: keys that a restart loses are not taken for safe.
func TestWarnOfKeys(t *testing.T) {
	file := "metadata: {name: test}\nresources:\n  http: {type: Cybus::Server::Http}\n" +
		"  ask: {type: Cybus::Node::Http, properties: {parent: !ref http, method: POST, route: /, operation: transaction, transaction: {idempotency: true}}}\n"
	keyed, problems := commission.Load([]commission.Source{{Name: "s.yaml", Data: []byte(file)}}, commission.LoadOptions{})
	require.NotNil(t, keyed, "%v", problems)
	for _, c := range []struct {
		model *commission.Model
		state string
		want  bool
	}{{keyed, "", true}, {keyed, "dir", false}, {opcuaModel(t, "securityModes: [None]"), "", false}} {
		var log strings.Builder
		s := &settings{state: c.state}
		require.NoError(t, s.judgeModel(c.model, slog.New(slog.NewTextHandler(&log, nil))))
		assert.Equal(t, c.want, strings.Contains(log.String(), "give --state DIR"), log.String())
	}
}

// TestWhoMayReachOPCUA: what a file and the options say together about who is let in.
func TestWhoMayReachOPCUA(t *testing.T) {
	const none, sign, both = "securityModes: [None]", "securityModes: [Sign]", "securityModes: [None, SignAndEncrypt]"
	const known = ", allowAnonymous: false"
	for _, c := range []struct {
		server, options string // state, users, insecure, or an address
		want            string // the flag whose fault it is
	}{
		{none, "", ""},
		{none, "127.0.0.1:0", ""},
		{none, "0.0.0.0:4841", "--opcua"},
		{none, "plant:4841", "--opcua"},
		{none, "0.0.0.0:4841 insecure", ""},
		{none + known, "state", "--opcua-users-file"},
		{none + known, "users", ""},
		{none + known, "users 0.0.0.0:4841", ""},
		{none + known, "users state", ""},
		{none + known, "users state 0.0.0.0:4841", ""},
		{none, "users state 0.0.0.0:4841", "--opcua"},
		{"", "", "--state"},
		{sign, "", "--state"},
		{both, "", "--state"},
		{"", "state", ""},
		{"", "state 0.0.0.0:4841", ""},
		{sign, "state 0.0.0.0:4841", ""},
		{both, "state 0.0.0.0:4841", "--opcua"},
		{both + known, "state users 0.0.0.0:4841", ""},
		{both + known, "0.0.0.0:4841", "--opcua --opcua-users-file --state"},
	} {
		s := &settings{}
		for _, option := range strings.Fields(c.options) {
			switch option {
			case "state":
				s.state = "dir"
			case "users":
				s.users = usersOf(t, "a:b")
			case "insecure":
				s.insecure = true
			default:
				s.opcua = option
			}
		}
		err := s.judgeModel(opcuaModel(t, c.server), slog.New(slog.DiscardHandler))
		name := c.server + " with " + c.options
		if c.want == "" {
			assert.NoError(t, err, name)
			continue
		}
		var faults optionFaults
		require.ErrorAs(t, err, &faults, name)
		flags := map[string]bool{}
		for _, fault := range faults {
			flag, text, _ := strings.Cut(fault, ": ")
			flags[flag] = true
			assert.Contains(t, text, "s.yaml:3:3", name)
		}
		for _, flag := range strings.Fields(c.want) {
			assert.True(t, flags[flag], "%s: %v", name, faults)
		}
		assert.Len(t, faults, len(strings.Fields(c.want)), name)
	}
	assert.NoError(t, (&settings{opcua: "0.0.0.0:1"}).judgeModel(&commission.Model{}, nil), "without a server there is nothing to reach")
}

func TestUsersAndAnonymous(t *testing.T) {
	s := &settings{state: "dir", users: usersOf(t, "a:b")}
	assert.Empty(t, warned(t, s, "allowAnonymous: false"))
	assert.Contains(t, warned(t, s, ""), "keeps nobody out")
}

// warned is what the log says about a server that may be served.
func warned(t *testing.T, s *settings, server string) string {
	var out page
	require.NoError(t, s.judgeModel(opcuaModel(t, server), slog.New(slog.NewTextHandler(&out, nil))))
	return out.String()
}

func TestOPCUAOverview(t *testing.T) {
	node := func(class opcua.Class, operation commission.Operation) string {
		return aboutNode(gateway.OPCUANodeInfo{Class: class, Operation: operation, Topic: "t", Timeout: 5})
	}
	for want, got := range map[string]string{
		"Method, a Call is held until it is answered, at most 5ns":    node(opcua.Method, commission.Transaction),
		"Method, published on t":                                      node(opcua.Method, commission.ServerReceives),
		"Variable, a Write is held until it is answered, at most 5ns": node(opcua.Variable, commission.Transaction),
		"Variable, the last value on t":                               node(opcua.Variable, commission.ServerProvides),
		"Variable, published on t":                                    node(opcua.Variable, commission.ServerReceives),
		"Variable, published on t, and the last value there":          node(opcua.Variable, commission.ServerProvidesAndReceives),
	} {
		assert.Equal(t, want, got)
	}
	reads := gateway.OPCUANodeInfo{Class: opcua.Variable, Operation: commission.Transaction, Timeout: 5, Reads: true}
	assert.Equal(t, "Variable, a Write or a Read is held until it is answered, at most 5ns", aboutNode(reads))
	o := opcuaOverview(gateway.OPCUAInfo{
		Addr: "127.0.0.1:4841", Path: "/UA", Anonymous: true, Nodes: []gateway.OPCUANodeInfo{{NodeID: "ns=1;i=1"}},
		Security: []opcua.Security{{Policy: "Basic256Sha256", Mode: "Sign"}, {Policy: "None", Mode: "None"}},
	})
	assert.Equal(t, "opc.tcp://127.0.0.1:4841/UA  (Basic256Sha256 Sign, None; no user needed)", o.String())
	assert.Equal(t, "ns=1;i=1", o.nodes[0].id)
}
