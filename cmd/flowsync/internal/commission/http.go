package commission

import (
	"net/url"
	"strings"
	"unicode/utf8"
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

func (s *service) httpNode(id string) {
	o := s.properties[id]
	o.require("parent", "method", "route", "operation")
	n := &HTTPNode{Node: s.node(o, id, httpOperations)}
	n.Method = o.oneOf("method", "GET", "POST", "PUT", "PATCH", "DELETE")
	n.Route = o.text("route", "")
	s.checkPath(o, "route", n.Route)
	s.httpTransaction(o, n)
	s.checkMethod(o, n)
	enabled := o.enabled()
	server := find(s, o, "parent", httpServerType, s.servers)
	o.done()
	s.nodes[id] = &n.Node
	if enabled && server != nil {
		server.Nodes = append(server.Nodes, n)
	}
}

// httpTransaction reads what is below "transaction".
func (s *service) httpTransaction(o *object, n *HTTPNode) {
	t := s.transaction(o, &n.Node)
	if t == nil {
		return
	}
	n.TimeoutErrorCode = int(t.integer("timeoutErrorCode", 500, 400, 599, "an HTTP status from 400 to 599"))
	if n.TimeoutErrorCode == 408 {
		s.warnf(t.place("timeoutErrorCode"), "timeoutErrorCode 408 of %s: clients may repeat a request by themselves after 408; 504 is safer", t.what)
	}
	s.noReadTransaction(t)
	s.warnOfPatience(t, &n.Node, httpPatience)
	t.done()
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

// checkMethod finds methods that do not go with the operation, or not as one may think.
func (s *service) checkMethod(o *object, n *HTTPNode) {
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
