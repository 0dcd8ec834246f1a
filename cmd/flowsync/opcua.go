package main

import (
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/commission"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/gateway"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

// judgeModel judges what depends on the files too: what is kept, and how their OPC UA server may be
// reached.
func (s *settings) judgeModel(model *commission.Model, logger *slog.Logger) error {
	s.warnOfKeys(model, logger)
	_, server := model.OPCUAServer()
	if server == nil {
		return nil
	}
	var j judge
	s.judgeState(&j, server)
	if !server.Anonymous && s.users.none() {
		j.fault("opcua-users-file", "", "%s has allowAnonymous: false, and there are no users who could log in: give a file of name:password lines", server.Pos)
	}
	s.exposeOPCUA(&j, server)
	if server.Anonymous && !s.users.none() {
		logger.Warn("--opcua-users-file keeps nobody out: clients without a user are let in too, unless the OPC UA server has allowAnonymous: false", "server", server.Pos.String())
	}
	if s.usersFile != "" && readableByAll(s.usersFile) {
		logger.Warn("every user of this machine can read the passwords: take the right away with chmod o-r", "file", s.usersFile)
	}
	return j.err()
}

// warnOfKeys says what idempotency is without a folder for its keys.
func (s *settings) warnOfKeys(model *commission.Model, logger *slog.Logger) {
	if s.state != "" {
		return
	}
	var nodes []string
	model.EachNode(func(_ *commission.Service, n *commission.Node) {
		if n.Transaction.Idempotency {
			nodes = append(nodes, n.Pos.String())
		}
	})
	if len(nodes) > 0 {
		logger.Warn("idempotency keys are kept in memory only: a request that is repeated after a restart may be done twice; give --state DIR", "nodes", len(nodes), "first", nodes[0])
	}
}

// judgeState asks for a folder where there are certificates to keep: the server's own, since
// clients are told once to trust it, and those of the clients that it trusts.
func (s *settings) judgeState(j *judge, server *commission.OPCUAServer) {
	if modes := secureModes(server); s.state == "" && len(modes) > 0 {
		j.fault("state", "", "the OPC UA server at %s has the mode %s, which needs a certificate that stays the same, and a place for those of clients: give a folder, or securityModes: [None] in the file if nothing has to be kept from others", server.Pos, strings.Join(modes, " and "))
	}
}

// exposeOPCUA is the exposure of the OPC UA server. Who calls is known if everybody has to log in,
// or has to have a certificate that was put into the trust folder.
func (s *settings) exposeOPCUA(j *judge, server *commission.OPCUAServer) {
	address := s.opcuaAddress(server)
	if s.insecure || !beyondLoopback(address) || !slices.ContainsFunc(server.Security, plain) || !server.Anonymous && !s.users.none() {
		return
	}
	j.fault("opcua", s.opcua, "others can reach %s, and the OPC UA server at %s asks nobody who they are: take None out of securityModes, or set allowAnonymous: false and give --opcua-users-file, or give --insecure if all who can reach it may send requests", address, server.Pos)
}

// opcuaAddress is where the gateway listens for OPC UA clients.
func (s *settings) opcuaAddress(server *commission.OPCUAServer) string {
	if s.opcua != "" {
		return s.opcua
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(server.Port))
}

func plain(s opcua.Security) bool { return s.Mode == "None" }

func secureModes(server *commission.OPCUAServer) []string {
	var modes []string
	for _, s := range server.Security {
		if !plain(s) && !slices.Contains(modes, s.Mode) {
			modes = append(modes, s.Mode)
		}
	}
	return modes
}

// opcuaOverview says what an OPC UA client may do.
func opcuaOverview(info gateway.OPCUAInfo) overviewOPCUA {
	o := overviewOPCUA{address: info.Addr, path: info.Path, anonymous: info.Anonymous}
	for _, s := range info.Security {
		if text := securityText(s); !slices.Contains(o.security, text) {
			o.security = append(o.security, text)
		}
	}
	for _, n := range info.Nodes {
		o.nodes = append(o.nodes, overviewNode{id: n.NodeID, about: aboutNode(n)})
	}
	return o
}

// securityText names an endpoint as clients do.
func securityText(s opcua.Security) string {
	if plain(s) {
		return "None"
	}
	return s.Policy + " " + s.Mode
}

func aboutNode(n gateway.OPCUANodeInfo) string {
	switch {
	case n.Operation == commission.Transaction && n.Class == opcua.Method:
		return fmt.Sprintf("Method, a Call is held until it is answered, at most %v", n.Timeout)
	case n.Operation == commission.Transaction && n.Reads:
		return fmt.Sprintf("Variable, a Write or a Read is held until it is answered, at most %v", n.Timeout)
	case n.Operation == commission.Transaction:
		return fmt.Sprintf("Variable, a Write is held until it is answered, at most %v", n.Timeout)
	case n.Class == opcua.Method:
		return "Method, published on " + n.Topic
	case n.Operation == commission.ServerProvides:
		return "Variable, the last value on " + n.Topic
	case n.Operation == commission.ServerReceives:
		return "Variable, published on " + n.Topic
	default:
		return "Variable, published on " + n.Topic + ", and the last value there"
	}
}
