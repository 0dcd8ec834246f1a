package gateway

import (
	"fmt"
	"net"
	"time"

	"golang.org/x/time/rate"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/commission"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// addServers makes nodes and routes of the model's HTTP servers, and listens if there are any.
func (g *Gateway) addServers(model *commission.Model) error {
	for _, service := range model.Services {
		for _, server := range service.HTTPServers {
			if err := g.openServer(); err != nil {
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

// openServer makes the one HTTP server that all of the model's share.
func (g *Gateway) openServer() error {
	if g.server != nil {
		return nil
	}
	server, err := http.New(http.Options{
		Engine: g.engine, TLS: g.settings.TLS, AllowOrigins: g.settings.AllowOrigins,
		Token: g.settings.Token, Logger: g.settings.Logger,
	})
	if err != nil {
		return err
	}
	g.listener, err = net.Listen("tcp", g.settings.HTTP)
	if err != nil {
		return fmt.Errorf("--http: %w: choose another address", err)
	}
	g.server = server
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
		route.Transaction, err = g.transaction(service.ID, n)
	case commission.ServerReceives:
		route.Receive, err = g.intake(n)
	case commission.ServerProvides:
		route.Provide, err = g.outlet(n, n.Rules)
	case commission.ServerProvidesAndReceives:
		provide := http.Route{Method: "GET", Path: route.Path, Where: route.Where}
		// What was received has gone through the rules already.
		if provide.Provide, err = g.outlet(n, nil); err != nil {
			return err
		}
		if err := g.add(provide, n); err != nil {
			return err
		}
		route.Receive, err = g.intake(n)
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
	return g.server.Add(route)
}

func (g *Gateway) transaction(service string, n *commission.HTTPNode) (*http.Transaction, error) {
	request, err := compile(n.Rules, true)
	if err != nil {
		return nil, err
	}
	response, err := compile(n.Transaction.ResponseRules, true)
	if err != nil {
		return nil, err
	}
	node, err := g.engine.AddNode(core.NodeOptions{
		Name: service + "/" + n.ID, Topic: n.Topic, Timeout: n.Transaction.Timeout, MaxInFlight: n.Transaction.MaxInFlight,
		QoS: n.QoS, Retain: n.Retain, Inspect: inspection(n.Topic+"/tres", response),
	})
	if err != nil {
		return nil, err
	}
	if request != nil {
		g.bus.add(node, request)
	}
	return &http.Transaction{
		Node: node, TimeoutCode: n.TimeoutErrorCode, TimeoutMessage: n.Transaction.TimeoutErrorMessage,
	}, nil
}

func (g *Gateway) intake(n *commission.HTTPNode) (func([]byte, *http.Meta) error, error) {
	in := &intake{
		link: g.link, name: n.ID, topic: n.Topic, qos: n.QoS, retain: n.Retain, closed: &g.draining,
		logger: g.settings.Logger, log: rate.Sometimes{Interval: time.Second},
	}
	run, err := g.start(n.Rules, in.emit)
	in.run = run
	return in.receive, err
}

func (g *Gateway) outlet(n *commission.HTTPNode, specs []rules.Spec) (func() ([]byte, bool), error) {
	out := &outlet{name: n.ID, topic: n.Topic, logger: g.settings.Logger, log: rate.Sometimes{Interval: time.Second}}
	run, err := g.start(specs, out.emit)
	if err != nil {
		return nil, err
	}
	out.run = run
	return out.provide, g.link.Subscribe(n.Topic, max(1, n.QoS), out.handle)
}

// start runs a node's rules, which may keep state; nil if there are none.
func (g *Gateway) start(specs []rules.Spec, emit func(rules.Output)) (*rules.Run, error) {
	pipeline, err := compile(specs, false)
	if err != nil || pipeline == nil {
		return nil, err
	}
	run := pipeline.Start(emit)
	g.runs = append(g.runs, run)
	return run, nil
}

// addMappings starts the model's mappings.
func (g *Gateway) addMappings(model *commission.Model) error {
	for _, service := range model.Services {
		for _, m := range service.Mappings {
			if err := g.addMapping(service.ID, m); err != nil {
				return fmt.Errorf("%s: mapping %s: %w", m.Pos, m.ID, err)
			}
		}
	}
	return nil
}

func (g *Gateway) addMapping(service string, m *commission.Mapping) error {
	pipeline, err := compile(m.Rules, false)
	if err != nil {
		return err
	}
	if pipeline == nil {
		pipeline = &rules.Pipeline{}
	}
	to := target{topic: m.Publish.Topic, qos: m.Publish.QoS, retain: m.Publish.Retain}
	r := newRelay(service+"/"+m.ID, pipeline, to, g.link, g.settings.Logger)
	g.relays = append(g.relays, r)
	for _, in := range m.Inputs {
		filter := in.Filter
		if !g.settings.NoShare {
			// Of several gateways with the same files one maps a message, not each of them.
			filter = "$share/flowsync-" + service + "/" + filter
		}
		if err := g.link.Subscribe(filter, in.QoS, r.handler(in.Names, in.Filter, in.Label)); err != nil {
			return err
		}
	}
	return nil
}

// compile returns the pipeline of a list of rules, nil if there are none. Files with faulty
// rules do not get here; the error is for those who make models by hand.
func compile(specs []rules.Spec, transaction bool) (*rules.Pipeline, error) {
	if len(specs) == 0 {
		return nil, nil
	}
	pipeline, problems := rules.Compile(specs, rules.CompileOptions{Transaction: transaction})
	if len(problems) > 0 {
		return nil, fmt.Errorf("%v", problems)
	}
	return pipeline, nil
}
