package commission

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

const (
	defaultMaxBody = 100_000
	largestMaxBody = 512_000
)

func (s *service) httpServer(id string) {
	o := s.properties[id]
	server := &HTTPServer{ID: id, Pos: o.val.pos, BasePath: o.text("basePath", "")}
	server.MaxBody = int(o.integer("requestMaxBodySize", defaultMaxBody, 1, largestMaxBody, "1 to 512000 (bytes)"))
	if v := o.val.get("basePath"); v != nil && strings.ContainsAny(v.text, "{}?#%") {
		s.errorf(v.pos, "basePath of %s may not contain any of { } ? # %%", id)
	}
	s.servers[id] = server
	if o.enabled() {
		s.HTTPServers = append(s.HTTPServers, server)
	}
	o.done()
}

// operations, as files spell them. The documentation has two spellings of the last one.
var operations = map[string]Operation{
	"transaction": Transaction, "serverReceives": ServerReceives, "serverProvides": ServerProvides,
	"serverProvidesReceives": ServerProvidesAndReceives, "serverProvidesAndReceives": ServerProvidesAndReceives,
}

func (s *service) httpNode(id string) {
	o := s.properties[id]
	o.require("parent", "method", "route", "operation")
	n := &HTTPNode{ID: id, Pos: o.val.pos, QoS: o.qos(), Retain: o.truth("retain"), Topic: s.topic(o, id)}
	n.Method = o.oneOf("method", "GET", "GET", "POST", "PUT", "PATCH", "DELETE")
	n.Route = o.text("route", "/")
	s.checkRoute(o, n)
	n.Operation = operations[o.oneOf("operation", "transaction",
		"transaction", "serverReceives", "serverProvides", "serverProvidesReceives", "serverProvidesAndReceives")]
	n.Rules = o.rules("rules", n.Operation == Transaction)
	s.transaction(o, n)
	s.checkOperation(o, n)
	s.inputBuffering(o)
	enabled := o.enabled()
	server := s.parent(o)
	o.done()
	s.nodes[id] = n
	if enabled && server != nil {
		server.Nodes = append(server.Nodes, n)
	}
}

// parent finds the server that a node belongs to.
func (s *service) parent(o *object) *HTTPServer {
	v := o.field("parent")
	if v == nil {
		return nil
	}
	if v.kind != stringKind {
		o.wrong(v, "parent", "!ref to a "+httpServerType)
		return nil
	}
	if server := s.servers[v.text]; server != nil {
		return server
	}
	if typ, ok := s.types[v.text]; ok {
		s.errorf(v.pos, "parent of %s is %q, which is a %s, want a %s", o.what, v.text, typ, httpServerType)
		return nil
	}
	s.unknown(v.pos, "parent of "+o.what+":", v.text, slices.Sorted(maps.Keys(s.servers)))
	return nil
}

func (s *service) checkRoute(o *object, n *HTTPNode) {
	v := o.val.get("route")
	if v == nil || v.kind != stringKind {
		return
	}
	names := map[string]bool{}
	for segment := range strings.SplitSeq(v.text, "/") {
		inner, isParam := strings.CutPrefix(segment, "{")
		inner, closed := strings.CutSuffix(inner, "}")
		switch {
		case isParam && closed && inner != "" && !strings.ContainsAny(inner, "{}"):
			if names[inner] {
				s.errorf(v.pos, "route of %s has the parameter {%s} twice", n.ID, clip(inner))
			}
			names[inner] = true
		case strings.ContainsAny(segment, "{}"):
			s.errorf(v.pos, "route of %s: a parameter is a whole segment, /{name}/, not %q", n.ID, clip(segment))
		case strings.ContainsAny(segment, "?#"):
			s.errorf(v.pos, "route of %s is a path: it has no ? or #", n.ID)
		}
	}
}

// transaction reads what is below "transaction".
func (s *service) transaction(o *object, n *HTTPNode) {
	v := o.field("transaction")
	if v != nil && n.Operation != Transaction {
		s.errorf(v.pos, "%s has transaction properties, but its operation is %s", o.what, n.Operation)
	}
	if v == nil {
		v = &value{kind: mapKind, pos: o.val.pos}
	}
	t := s.object(v, "transaction of "+n.ID)
	const most = int64(core.MaxTimeout / time.Millisecond)
	n.Transaction = TransactionOptions{
		Timeout: time.Millisecond * time.Duration(t.integer("timeout", int64(core.DefaultTimeout/time.Millisecond), 1, most,
			"an integer from 1 to 3600000 (ms)")),
		TimeoutErrorCode:    int(t.integer("timeoutErrorCode", 500, 400, 599, "an HTTP status from 400 to 599")),
		TimeoutErrorMessage: t.text("timeoutErrorMessage", ""),
		MaxInFlight:         int(t.integer("maxInFlight", 0, 1, 1<<24, "an integer from 1 to 16777216")),
		ResponseRules:       t.rules("responseRules", true),
	}
	t.refuse("serial", "fallback", "idempotency", "idempotencyWindow", "maxExtend", "outcomes", "failFast", "readTransaction")
	if d := t.oneOf("onDisconnect", "fail", "fail", "wait"); d == "wait" {
		s.errorf(t.val.get("onDisconnect").pos, "onDisconnect: wait of %s is not supported in this version", t.what)
	}
	t.done()
}

// checkOperation warns of what works, but not as its author may think.
func (s *service) checkOperation(o *object, n *HTTPNode) {
	at := func(field string) Position {
		if v := o.val.get(field); v != nil {
			return v.pos
		}
		return o.val.pos
	}
	switch n.Operation {
	case Transaction:
		if n.Method == "GET" {
			s.warnf(at("method"), "%s is a transaction with method GET: proxies and clients may repeat a GET by themselves, which then starts it twice; POST is safer", n.ID)
		}
		if n.Transaction.TimeoutErrorCode == 408 {
			s.warnf(at("transaction"), "timeoutErrorCode 408 of %s: clients may repeat a request by themselves after 408; 504 is safer", n.ID)
		}
	case ServerProvides:
		if n.Method != "GET" {
			s.errorf(at("method"), "%s provides a value, which is read with GET, not %s", n.ID, n.Method)
		}
	case ServerReceives:
		if n.Method == "GET" {
			s.errorf(at("method"), "%s receives values, and a GET carries none: use POST, PUT or PATCH", n.ID)
		}
	case ServerProvidesAndReceives:
		if n.Method == "GET" {
			s.errorf(at("method"), "%s provides and receives: give the method it receives with, such as PUT; it provides with GET", n.ID)
		}
	}
}

func (s *service) inputBuffering(o *object) {
	v := o.field("inputBuffering")
	if v == nil || s.buffering {
		return
	}
	s.buffering = true
	s.warnf(v.pos, "inputBuffering is accepted and has no effect: requests are published as they come")
}
