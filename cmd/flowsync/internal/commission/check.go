package commission

import (
	"slices"
	"strings"
)

// checkModel finds what no single resource and no single file can know.
func checkModel(r *report, model *Model) {
	checkServices(r, model)
	checkTopics(r, model)
	checkRoutes(r, model)
	checkLoops(r, model)
}

func checkServices(r *report, model *Model) {
	first := map[string]*Service{}
	for _, s := range model.Services {
		if other := first[s.ID]; other != nil {
			r.errorf(Position{File: s.File}, "the service id %q is that of %s too: their topics would be the same", s.ID, other.File)
			continue
		}
		first[s.ID] = s
	}
}

func (m *Model) eachHTTPNode(f func(*HTTPServer, *HTTPNode)) {
	for _, service := range m.Services {
		for _, server := range service.HTTPServers {
			for _, node := range server.Nodes {
				f(server, node)
			}
		}
	}
}

// checkTopics: no two nodes have the same topic, since answers could not be told apart.
func checkTopics(r *report, model *Model) {
	first := map[string]*HTTPNode{}
	model.eachHTTPNode(func(_ *HTTPServer, n *HTTPNode) {
		if other := first[n.Topic]; other != nil {
			r.errorf(n.Pos, "%s has the topic %q, which %s at %s has already", n.ID, n.Topic, other.ID, other.Pos)
			return
		}
		first[n.Topic] = n
	})
}

// Methods are those that the node answers to.
func (n *HTTPNode) Methods() []string {
	if n.Operation == ServerProvidesAndReceives {
		return []string{"GET", n.Method}
	}
	return []string{n.Method}
}

// checkRoutes: a method and path may be given once. Upper and lower case, a trailing slash and
// the names of parameters make no difference.
func checkRoutes(r *report, model *Model) {
	first := map[string]*HTTPNode{}
	model.eachHTTPNode(func(s *HTTPServer, n *HTTPNode) {
		path := canonicalPath(s.BasePath + "/" + n.Route)
		for _, method := range n.Methods() {
			if other := first[method+" "+path]; other != nil {
				r.errorf(n.Pos, "%s %s of %s is served by %s at %s already", method, path, n.ID, other.ID, other.Pos)
				continue
			}
			first[method+" "+path] = n
		}
	})
}

func canonicalPath(path string) string {
	var segments []string
	for segment := range strings.SplitSeq(strings.ToLower(path), "/") {
		if strings.HasPrefix(segment, "{") {
			segment = "{}"
		}
		if segment != "" {
			segments = append(segments, segment)
		}
	}
	return "/" + strings.Join(segments, "/")
}

// checkLoops warns of mappings that feed each other in a circle. It may be meant, when rules
// end it.
func checkLoops(r *report, model *Model) {
	var all []*Mapping
	for _, s := range model.Services {
		all = append(all, s.Mappings...)
	}
	const most = 2000 // comparing every pair takes too long beyond
	if len(all) > most {
		return
	}
	feeds := make([][]int, len(all))
	for i, a := range all {
		for j, b := range all {
			if i != j && a.feeds(b) {
				feeds[i] = append(feeds[i], j)
			}
		}
	}
	for i := range all {
		if circle := circleFrom(feeds, i); circle != nil {
			var names []string
			for _, j := range circle {
				names = append(names, all[j].ID)
			}
			r.warnf(all[i].Pos, "mappings feed each other in a circle: %s → %s; make sure that a filter ends it", strings.Join(names, " → "), names[0])
		}
	}
}

// circleFrom returns the shortest circle through start of which start is the lowest number, so
// that each circle is told once.
func circleFrom(feeds [][]int, start int) []int {
	paths := [][]int{{start}}
	seen := map[int]bool{}
	for len(paths) > 0 {
		path := paths[0]
		paths = paths[1:]
		for _, next := range feeds[path[len(path)-1]] {
			if next == start {
				return path
			}
			if next > start && !seen[next] {
				seen[next] = true
				paths = append(paths, append(slices.Clone(path), next))
			}
		}
	}
	return nil
}
