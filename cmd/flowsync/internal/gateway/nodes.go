package gateway

import (
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/commission"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/core/idempotency"
	"github.com/flowsync-go/flowsync/transport/http"
)

// What nodes of all protocols are made of.

// transaction adds a node that starts transactions to the engine. inspect is the protocol's view
// of its answers.
func (g *Gateway) transaction(service string, n *commission.Node, inspect func(*core.Reply) error) (*core.Node, error) {
	request, err := compile(n.Rules, true)
	if err != nil {
		return nil, err
	}
	response, err := compile(n.Transaction.ResponseRules, true)
	if err != nil {
		return nil, err
	}
	t, rules := &n.Transaction, responseRules(n.Topic+"/tres", response)
	node, err := g.engine.AddNode(core.NodeOptions{
		Name: service + "/" + n.ID, Topic: n.Topic, Timeout: t.Timeout, MaxInFlight: t.MaxInFlight,
		QoS: n.QoS, Retain: n.Retain, Serial: t.Serial, MaxExtend: t.MaxExtend, FailFast: t.FailFast, Wait: t.Wait,
		Inspect: g.inspection(t, rules, inspect),
	})
	if err != nil {
		return nil, err
	}
	g.topics = append(g.topics, n.Topic)
	if request != nil {
		g.bus.add(node, request)
	}
	if t.Outcomes {
		g.ends.add(node)
	}
	if t.Idempotency {
		g.keyed = append(g.keyed, node)
		err = g.table.AddNode(node, idempotency.NodeOptions{Window: t.IdempotencyWindow, Rules: rules, Protocol: inspect})
	}
	return node, err
}

// inspection is what sees the answers of a node. With keys, the table keeps what the rules made of
// an answer, and the protocol sees it anew at each replay.
func (g *Gateway) inspection(t *commission.TransactionOptions, rules, protocol func(*core.Reply) error) func(*core.Reply) error {
	if t.Idempotency {
		return g.table.Inspect(rules, protocol)
	}
	return inspection(rules, protocol)
}

func (g *Gateway) intake(n *commission.Node) (func([]byte, *http.Meta) error, error) {
	in := &intake{
		link: g.link, name: n.ID, topic: n.Topic, qos: n.QoS, retain: n.Retain, closed: &g.draining,
		logger: g.settings.Logger, log: rate.Sometimes{Interval: time.Second},
	}
	g.topics = append(g.topics, n.Topic)
	run, err := g.start(n.Rules, in.emit)
	in.run = run
	return in.receive, err
}

// outlet subscribes to a node's topic and gives take the values that come there, JSON text that
// is take's to keep. Its error says why a value does not fit.
func (g *Gateway) outlet(n *commission.Node, specs []rules.Spec, take func(value []byte) error) error {
	out := &outlet{name: n.ID, topic: n.Topic, take: take, logger: g.settings.Logger, log: rate.Sometimes{Interval: time.Second}}
	g.topics = append(g.topics, n.Topic)
	run, err := g.start(specs, out.emit)
	if err != nil {
		return err
	}
	out.run = run
	return g.link.Subscribe(n.Topic, max(1, n.QoS), out.handle)
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
