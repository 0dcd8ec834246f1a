package gateway

import (
	"fmt"
	"net"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/commission"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/transport/http"
)

// addHTTP makes nodes and routes of the model's HTTP servers, and listens if there are any.
func (g *Gateway) addHTTP(model *commission.Model) error {
	for _, service := range model.Services {
		for _, server := range service.HTTPServers {
			if err := g.openHTTP(); err != nil {
				return err
			}
			for _, node := range server.Nodes {
				if err := g.addHTTPNode(service, server, node); err != nil {
					return fmt.Errorf("%s: %w", node.Pos, err)
				}
			}
		}
	}
	return nil
}

// openHTTP makes the one HTTP server that all of the model's share.
func (g *Gateway) openHTTP() error {
	if g.http != nil {
		return nil
	}
	server, err := http.New(http.Options{
		Engine: g.doorEngine(), TLS: g.settings.TLS, AllowOrigins: g.settings.AllowOrigins,
		Token: g.settings.Token, Logger: g.settings.Logger,
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", g.settings.HTTP)
	if err != nil {
		return fmt.Errorf("--http: %w: choose another address", err)
	}
	g.http = server
	g.doors = append(g.doors, &door{protocol: httpProtocol, server: server, listener: listener})
	return nil
}

func (g *Gateway) addHTTPNode(service *commission.Service, server *commission.HTTPServer, n *commission.HTTPNode) error {
	route := http.Route{
		Method:   n.Method,
		Path:     http.JoinPath(g.settings.HTTPPrefix, server.BasePath, n.Route),
		MaxBody:  server.MaxBody,
		NeedMeta: len(n.Rules) > 0,
		Where:    n.Pos.String(),
	}
	var err error
	switch n.Operation {
	case commission.Transaction:
		route.Transaction, err = g.httpTransaction(service.ID, n)
	case commission.ServerReceives:
		route.Receive, err = g.intake(&n.Node)
	case commission.ServerProvides:
		route.Provide, err = g.lastValue(&n.Node, n.Rules)
	case commission.ServerProvidesAndReceives:
		provide := http.Route{Method: "GET", Path: route.Path, Where: route.Where}
		// What was received has gone through the rules already.
		if provide.Provide, err = g.lastValue(&n.Node, nil); err != nil {
			return err
		}
		if err := g.add(provide, n); err != nil {
			return err
		}
		route.Receive, err = g.intake(&n.Node)
	}
	if err != nil {
		return err
	}
	return g.add(route, n)
}

func (g *Gateway) add(route http.Route, n *commission.HTTPNode) error {
	g.routes = append(g.routes, RouteInfo{
		Method: route.Method, Path: route.Path, Operation: n.Operation, Topic: n.Topic, Timeout: n.Transaction.Timeout,
	})
	return g.http.Add(route)
}

func (g *Gateway) httpTransaction(service string, n *commission.HTTPNode) (*http.Transaction, error) {
	node, err := g.transaction(service, &n.Node, http.Inspect)
	if err != nil {
		return nil, err
	}
	return &http.Transaction{
		Node: node, TimeoutCode: n.TimeoutErrorCode, TimeoutMessage: n.Transaction.TimeoutErrorMessage,
		Fallback: n.Transaction.Fallback, Keys: n.Transaction.Idempotency,
	}, nil
}

// lastValue returns what gives the last value seen on a node's topic.
func (g *Gateway) lastValue(n *commission.Node, specs []rules.Spec) (func() ([]byte, bool), error) {
	var last lastValue
	return last.get, g.outlet(n, specs, last.set)
}
