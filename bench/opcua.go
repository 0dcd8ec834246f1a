package bench

import (
	"errors"
	"log/slog"
	"net"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

// FlowsyncName is the name of the project's own server of OPC UA.
const FlowsyncName = "flowsync"

// The nodes of the tree, below Objects, in namespace 1.
const (
	Root     = "Bench"
	Method   = "Bench.Echo"  // gives back its one argument, v, a String
	Variable = "Bench.Order" // a String; a Write is a transaction
)

// Flowsync starts the OPC UA server of this project, with the tree that [CallRequest] and
// [WriteRequest] are for. The address is an endpoint's URL.
func Flowsync(c Config, b *Backend) (string, func() error, error) {
	text, err := opcua.ParseDataType("String", -1)
	if err != nil {
		return "", nil, err
	}
	argument := []opcua.Argument{{Name: "v", DataType: text}}
	method := &opcua.Node{Class: opcua.Method, BrowseName: "Echo", Inputs: argument, Outputs: argument}
	variable := &opcua.Node{Class: opcua.Variable, BrowseName: "Order", DataType: text}
	for _, n := range []*opcua.Node{method, variable} {
		var node *core.Node
		if node, err = b.AddNode(n.BrowseName, opcua.Inspect(n)); err != nil {
			return "", nil, err
		}
		n.Transaction = &opcua.Transaction{Node: node}
	}
	mode := "SignAndEncrypt"
	if c.Security == "None" {
		mode = "None"
	}
	server, err := opcua.New(opcua.Options{
		Engine: b.Engine, Anonymous: true, State: c.State, Hosts: []string{"127.0.0.1"},
		Security: []opcua.Security{{Policy: c.Security, Mode: mode}},
		Root:     &opcua.Node{Class: opcua.Object, BrowseName: Root, Children: []*opcua.Node{method, variable}},
		Logger:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return "", nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	stop := func() error { return errors.Join(server.Close(), <-served) }
	return "opc.tcp://" + listener.Addr().String() + "/UA/Bench", stop, nil
}
