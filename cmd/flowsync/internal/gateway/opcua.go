package gateway

import (
	"fmt"
	"net"
	"strconv"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/commission"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

// provision is a Variable that is given what is seen on its topic.
type provision struct {
	from  *commission.Node
	rules []rules.Spec
	to    *opcua.Node
}

// addOPCUA makes the tree of the model's OPC UA server and listens, if it has one.
func (g *Gateway) addOPCUA(model *commission.Model) error {
	service, s := model.OPCUAServer()
	if s == nil {
		return nil
	}
	var provided []provision
	root, err := g.opcuaNode(service.ID, s.Root, &provided)
	if err != nil {
		return err
	}
	if err := g.openOPCUA(s, root); err != nil {
		return err
	}
	for _, p := range provided { // now there is a server to give them to
		take := func(value []byte) error { return g.opcua.Provide(p.to, value) }
		if err := g.outlet(p.from, p.rules, take); err != nil {
			return fmt.Errorf("%s: %w", p.from.Pos, err)
		}
	}
	return nil
}

// openOPCUA makes the server and listens.
func (g *Gateway) openOPCUA(s *commission.OPCUAServer, root *opcua.Node) error {
	address, whose := g.settings.OPCUA, "--opcua"
	if address == "" {
		address, whose = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)), s.Pos.String()
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%s: %w: choose another address with --opcua", whose, err)
	}
	server, err := opcua.New(opcua.Options{
		Engine: g.doorEngine(), Root: root, ApplicationURI: s.ApplicationURI, Hosts: s.Hosts, Path: s.ResourcePath,
		Security: s.Security, Anonymous: s.Anonymous, Login: g.settings.Login,
		State: g.settings.State, Version: g.settings.Version, Logger: g.settings.Logger,
	})
	if err != nil {
		listener.Close()
		return fmt.Errorf("%s: %w", s.Pos, err)
	}
	g.opcua = server
	g.doors = append(g.doors, &door{protocol: opcuaProtocol, server: server, listener: listener})
	g.ua.Addr, g.ua.Path = listener.Addr().String(), s.ResourcePath
	g.ua.Security, g.ua.Anonymous = s.Security, s.Anonymous
	return nil
}

// opcuaNode makes a node and all below it.
func (g *Gateway) opcuaNode(service string, n *commission.OPCUANode, provided *[]provision) (*opcua.Node, error) {
	node := &opcua.Node{
		Class: n.Class, ID: n.NodeID, BrowseName: n.BrowseName, DisplayName: n.DisplayName, Description: n.Description,
		DataType: n.DataType, Initial: n.Initial, Inputs: n.Inputs, Outputs: n.Outputs, Where: n.Pos.String(),
	}
	if err := g.operate(service, n, node, provided); err != nil {
		return nil, fmt.Errorf("%s: %w", n.Pos, err)
	}
	for _, c := range n.Children {
		child, err := g.opcuaNode(service, c, provided)
		if err != nil {
			return nil, err
		}
		node.Children = append(node.Children, child)
	}
	return node, nil
}

// operate gives a node its operation.
func (g *Gateway) operate(service string, n *commission.OPCUANode, node *opcua.Node, provided *[]provision) error {
	if n.Operation == "" {
		return nil
	}
	g.ua.Nodes = append(g.ua.Nodes, OPCUANodeInfo{
		Class: n.Class, NodeID: n.NodeID, Operation: n.Operation, Topic: n.Topic, Timeout: n.Transaction.Timeout,
		Reads: n.ReadTransaction,
	})
	switch n.Operation {
	case commission.Transaction:
		return g.opcuaTransaction(service, n, node)
	case commission.ServerProvides:
		*provided = append(*provided, provision{&n.Node, n.Rules, node})
		return nil
	case commission.ServerProvidesAndReceives:
		// What was received has gone through the rules already.
		*provided = append(*provided, provision{&n.Node, nil, node})
	}
	receive, err := g.intake(&n.Node)
	node.Receive = func(value []byte) error { return receive(value, nil) }
	return err
}

func (g *Gateway) opcuaTransaction(service string, n *commission.OPCUANode, node *opcua.Node) error {
	node.Transaction = &opcua.Transaction{
		TimeoutStatus: n.TimeoutStatus, TimeoutMessage: n.Transaction.TimeoutErrorMessage, Read: n.ReadTransaction,
		Fallback: n.Transaction.Fallback, Keys: n.Transaction.Idempotency,
	}
	var err error
	node.Transaction.Node, err = g.transaction(service, &n.Node, opcua.Inspect(node))
	return err
}
