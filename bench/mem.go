package bench

import (
	"errors"
	"log/slog"
	"net"

	"github.com/flowsync-go/flowsync/transport/http"
)

// MemName is the name of [MemGateway].
const MemName = "mem"

// MemGateway starts the HTTP server of this project on a bus inside the process, whose responder
// answers [Echo] with what it was asked with.
func MemGateway(_ Config, b *Backend) (string, func() error, error) {
	node, err := b.AddNode("echo", nil)
	if err != nil {
		return "", nil, err
	}
	server, err := http.New(http.Options{Engine: b.Engine, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", nil, err
	}
	if err := server.Add(http.Route{Method: "POST", Path: Echo, Transaction: &http.Transaction{Node: node}}); err != nil {
		return "", nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	stop := func() error { return errors.Join(server.Close(), <-served) }
	return listener.Addr().String(), stop, nil
}

// Servers of this project and those it works with, by the names that they have here.
func ownServers() Servers {
	return Servers{
		FlowsyncName: WithBackend(Flowsync),
		MemName:      WithBackend(MemGateway),
		MochiName:    Mochi,
		SinkName:     Sink,
	}
}
