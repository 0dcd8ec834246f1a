package commission

import (
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// The largest bodies that an HTTP server takes, in bytes.
const (
	defaultMaxBody = 100_000
	largestMaxBody = 512_000
)

// maxPath bounds a base path or route, in bytes: a longer one could not be called.
const maxPath = 4096

func (s *service) httpServer(id string) {
	o := s.properties[id]
	server := &HTTPServer{ID: id, Pos: s.places[id], BasePath: o.text("basePath", "")}
	server.MaxBody = int(o.integer("requestMaxBodySize", defaultMaxBody, 1, largestMaxBody, "an integer from 1 to 512000 (bytes)"))
	if s.checkPath(o, "basePath", server.BasePath) > 0 {
		s.errorf(o.place("basePath"), "basePath of %s has a parameter: only a route may have them", o.what)
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
	n := &HTTPNode{ID: id, Pos: s.places[id], QoS: o.qos(), Retain: o.truth("retain"), Topic: s.topic(o, id)}
	n.Method = o.oneOf("method", "GET", "POST", "PUT", "PATCH", "DELETE")
	n.Route = o.text("route", "")
	s.checkPath(o, "route", n.Route)
	n.Operation = operations[o.oneOf("operation",
		"transaction", "serverReceives", "serverProvides", "serverProvidesReceives", "serverProvidesAndReceives")]
	n.Rules = o.rules("rules", n.Operation == Transaction)
	s.transaction(o, n)
	s.checkOperation(o, n)
	if n.Retain && n.Operation == Transaction {
		s.warnf(o.place("retain"), "retain of %s: a responder that connects later gets the last request once more, which has ended long ago", o.what)
	}
	s.noEffect(o, "inputBuffering", "requests are published as they come")
	enabled := o.enabled()
	server := find(s, o, "parent", httpServerType, s.servers)
	o.done()
	s.nodes[id] = n
	if enabled && server != nil {
		server.Nodes = append(server.Nodes, n)
	}
}

// topic reads a node's topic, or takes the resource id for it.
func (s *service) topic(o *object, id string) string {
	root := "services/" + s.ID + "/"
	topic := root + strings.Trim(o.text("topic", id), "/")
	at := o.place("topic")
	switch err := mqtt.ValidateTopic(topic + "/treq"); {
	case topic == root:
		s.errorf(at, "topic of %s is empty", o.what)
	case err != nil:
		s.errorf(at, "topic of %s: %v", o.what, err)
	case strings.ContainsAny(topic, "{}"):
		s.errorf(at, "topic of %s has a brace: these stand for variables in mappings", o.what)
	}
	return topic
}

// checkPath reports what is wrong with a base path or route, and counts its parameters.
func (s *service) checkPath(o *object, name, path string) int {
	at := o.place(name)
	fault := func(format string, args ...any) {
		s.errorf(at, "%s of %s: "+format, append([]any{name, o.what}, args...)...)
	}
	if len(path) > maxPath {
		fault("longer than %d bytes", maxPath)
		return 0
	}
	names := map[string]bool{}
	for segment := range strings.SplitSeq(path, "/") {
		decoded, err := url.PathUnescape(segment)
		param, isParam := parameter(segment)
		switch {
		case isParam && names[param]:
			fault("the parameter {%s} stands twice", clip(param))
		case isParam:
			names[param] = true
		case strings.ContainsAny(segment, "{}"):
			fault("a parameter is a whole segment, /{name}/, not %q", clip(segment))
		case strings.ContainsAny(segment, "?#"):
			fault("a path has no ? and no #")
		case err != nil || !utf8.ValidString(decoded):
			fault("%q has a %% that is followed by no valid code: a percent sign is written %%25", clip(segment))
		}
	}
	return len(names)
}

// parameter gives the name of a segment that is {name}.
func parameter(segment string) (name string, ok bool) {
	if len(segment) < 3 || segment[0] != '{' || segment[len(segment)-1] != '}' {
		return "", false
	}
	name = segment[1 : len(segment)-1]
	return name, !strings.ContainsAny(name, "{}")
}

// transaction reads what is below "transaction".
func (s *service) transaction(o *object, n *HTTPNode) {
	v := o.field("transaction")
	if n.Operation != Transaction {
		if v != nil && n.Operation != "" {
			s.errorf(v.pos, "%s has transaction properties, but its operation is %s", o.what, n.Operation)
		}
		return
	}
	if v == nil {
		v = &value{pos: o.val.pos}
	}
	t := s.object(v, "transaction of "+o.what)
	const most = int64(core.MaxTimeout / time.Millisecond)
	n.Transaction = TransactionOptions{
		Timeout: time.Millisecond * time.Duration(t.integer("timeout", int64(core.DefaultTimeout/time.Millisecond), 1, most,
			"an integer from 1 to 3600000 (ms)")),
		TimeoutErrorCode:    int(t.integer("timeoutErrorCode", 500, 400, 599, "an HTTP status from 400 to 599")),
		TimeoutErrorMessage: t.text("timeoutErrorMessage", ""),
		MaxInFlight:         int(t.integer("maxInFlight", 0, 1, 1<<24, "an integer from 1 to 16777216")),
		ResponseRules:       t.rules("responseRules", true),
	}
	t.refuse("fallback", "idempotencyWindow", "maxExtend")
	t.refuseTrue("serial", "idempotency", "outcomes", "failFast", "readTransaction")
	if t.oneOf("onDisconnect", "fail", "wait") == "wait" {
		s.errorf(t.place("onDisconnect"), "onDisconnect: wait of %s is not supported in this version", t.what)
	}
	if n.Transaction.TimeoutErrorCode == 408 {
		s.warnf(t.place("timeoutErrorCode"), "timeoutErrorCode 408 of %s: clients may repeat a request by themselves after 408; 504 is safer", t.what)
	}
	t.done()
}

// checkOperation finds methods that do not go with the operation, or not as one may think.
func (s *service) checkOperation(o *object, n *HTTPNode) {
	if n.Method == "" || (n.Method == "GET") == (n.Operation == ServerProvides) {
		return
	}
	at := o.place("method")
	switch n.Operation {
	case Transaction:
		s.warnf(at, "%s is a transaction with method GET: proxies and clients may repeat a GET by themselves, which then starts it twice; POST is safer", o.what)
	case ServerProvides:
		s.errorf(at, "%s provides a value, which is read with GET, not %s", o.what, n.Method)
	case ServerReceives:
		s.errorf(at, "%s receives values, and a GET carries none: use POST, PUT or PATCH", o.what)
	case ServerProvidesAndReceives:
		s.errorf(at, "%s provides and receives: give the method it receives with, such as PUT; it provides with GET", o.what)
	}
}

// noEffect takes a property that Connectware knows and that changes nothing here, whatever its
// value, and says so once.
func (s *service) noEffect(o *object, name, why string) {
	if o.has(name) {
		s.noticef(o.place(name), name, "%s has no effect: %s", name, why)
	}
	o.ignore(name)
}
