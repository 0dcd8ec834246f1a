package commission

import (
	"net/url"
	"strings"
)

// checkModel finds what no single resource and no single file can know.
func checkModel(r *report, model *Model) {
	checkServices(r, model)
	checkOPCUAServers(r, model)
	checkTopics(r, model)
	checkRoutes(r, model)
	checkCircles(r, model)
}

func checkServices(r *report, model *Model) {
	first := map[string]*Service{}
	for _, s := range model.Services {
		if other := first[s.ID]; other != nil {
			r.errorf(s.Pos, "the service id %q is that of %s too: their topics would be the same", clip(s.ID), other.Pos)
			continue
		}
		if s.ID != "" {
			first[s.ID] = s
		}
	}
}

func (m *Model) eachHTTPNode(f func(*Service, *HTTPServer, *HTTPNode)) {
	for _, service := range m.Services {
		for _, server := range service.HTTPServers {
			for _, node := range server.Nodes {
				f(service, server, node)
			}
		}
	}
}

// EachNode calls f with every node that has a topic, of all protocols.
func (m *Model) EachNode(f func(*Service, *Node)) {
	m.eachHTTPNode(func(s *Service, _ *HTTPServer, n *HTTPNode) { f(s, &n.Node) })
	for _, service := range m.Services {
		if service.OPCUAServer == nil || service.OPCUAServer.Root == nil {
			continue
		}
		service.OPCUAServer.Root.EachNode(func(n *OPCUANode) {
			if n.Topic != "" {
				f(service, &n.Node)
			}
		})
	}
}

// checkTopics: no topic is used by two nodes, since their messages could not be told apart. A
// node that is called a/tres would answer a, and one that is called a/tend hear how a's end.
func checkTopics(r *report, model *Model) {
	first := map[string]*Node{}
	model.EachNode(func(s *Service, n *Node) {
		if s.ID == "" {
			return
		}
		topics := []string{n.Topic}
		if n.Operation == Transaction {
			topics = append(topics, n.Topic+"/treq", n.Topic+"/tres")
		}
		if n.Transaction.Outcomes {
			topics = append(topics, n.Topic+"/tend")
		}
		if n.Transaction.FailFast { // the broker is asked there whether it tells that nobody listens
			topics = append(topics, n.Topic+"/probe")
		}
		for _, topic := range topics {
			if other := first[topic]; other != nil {
				r.errorf(n.Pos, "%s uses the topic %q, which %s at %s uses already", clip(n.ID), clip(topic), clip(other.ID), other.Pos)
				return
			}
		}
		for _, topic := range topics {
			first[topic] = n
		}
	})
}

// checkRoutes: a method and path may be given once. Upper and lower case, slashes that are
// doubled or at the end, escapes, and the names of parameters make no difference.
func checkRoutes(r *report, model *Model) {
	first := map[string]*HTTPNode{}
	model.eachHTTPNode(func(_ *Service, s *HTTPServer, n *HTTPNode) {
		path := canonicalPath(s.BasePath + "/" + n.Route)
		for _, method := range n.Methods() {
			if other := first[method+" "+path]; other != nil {
				r.errorf(n.Pos, "%s %s of %s is served by %s at %s already", method, clip(path), clip(n.ID), clip(other.ID), other.Pos)
				continue
			}
			if method != "" {
				first[method+" "+path] = n
			}
		}
	})
}

func canonicalPath(path string) string {
	var b strings.Builder
	for segment := range strings.SplitSeq(path, "/") {
		if _, ok := parameter(segment); ok {
			b.WriteString("/{}")
			continue
		}
		if decoded, err := url.PathUnescape(segment); err == nil && segment != "" {
			b.WriteString("/" + url.PathEscape(strings.ToLower(decoded)))
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}
