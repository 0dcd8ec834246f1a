package http

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// router finds the resource that a path means. It is a tree of segments; each segment of the
// tree is visited at most once in a lookup, so that a lookup is bounded by the size of the tree.
type router struct {
	root segment
	all  []string // every method in use, for OPTIONS *
}

// segment is one place in the tree.
type segment struct {
	literals map[string]*segment // by decoded text in lower case
	param    *segment            // what follows a parameter in this place
	resource *resource           // what ends here; nil if nothing does
}

// resource is everything that one path serves.
type resource struct {
	routes []*boundRoute // by method, few
	allow  string        // the Allow header
}

// boundRoute is a route in its place.
type boundRoute struct {
	Route
	params   []string // names, in the order of the path
	pathText string   // Path, if it can be a property as it is
}

// lookup is what was found for a request. It is reused: params keeps its storage.
type lookup struct {
	resource *resource
	params   [][]byte // undecoded, alias the path
}

// add puts a route in its place, or says why it cannot be there.
func (rt *router) add(r Route) error {
	at := &rt.root
	var names []string
	for text := range strings.SplitSeq(strings.Trim(JoinPath(r.Path), "/"), "/") {
		if text == "" {
			continue // the root itself
		}
		name, isParam, err := parseSegment(text)
		if err != nil {
			return fmt.Errorf("http: route %s: %w", &r, err)
		}
		if !isParam {
			at = at.literal(name)
			continue
		}
		if slices.Contains(names, name) {
			return fmt.Errorf("http: route %s: the parameter {%s} is there twice", &r, name)
		}
		names = append(names, name)
		if at.param == nil {
			at.param = new(segment)
		}
		at = at.param
	}
	if at.resource == nil {
		at.resource = new(resource)
	}
	if other := at.resource.route([]byte(r.Method)); other != nil {
		return fmt.Errorf("http: route %s is the same as %s (parameters count as equal, case does not matter): change the method or the path of one", &r, &other.Route)
	}
	at.resource.routes = append(at.resource.routes, &boundRoute{Route: r, params: names, pathText: asProperty(r.Path)})
	at.resource.allow = allowed(at.resource.methods())
	if !slices.Contains(rt.all, r.Method) {
		rt.all = append(rt.all, r.Method)
	}
	return nil
}

func allowed(used []string) string {
	var list []string
	for _, m := range methods {
		if slices.Contains(used, m) {
			list = append(list, m)
		}
	}
	return strings.Join(append(list, "OPTIONS"), ", ")
}

func (s *segment) literal(text string) *segment {
	next := s.literals[text]
	if next == nil {
		next = new(segment)
		if s.literals == nil {
			s.literals = make(map[string]*segment)
		}
		s.literals[text] = next
	}
	return next
}

// parseSegment reads one segment of a route's path: the name of a parameter, or a literal
// decoded and in lower case.
func parseSegment(text string) (name string, isParam bool, err error) {
	if strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") {
		name = text[1 : len(text)-1]
		if name == "" || strings.ContainsAny(name, "{}") {
			return "", false, fmt.Errorf("%q is not a parameter, write {name}", text)
		}
		return name, true, nil
	}
	if strings.ContainsAny(text, "{}?#") {
		return "", false, fmt.Errorf("%q: a parameter is a whole segment, {name}, and ? and # cannot be part of a path", text)
	}
	decoded, ok := appendDecoded(nil, []byte(text), false)
	if !ok || !utf8.Valid(decoded) {
		return "", false, fmt.Errorf("%q has an invalid percent-escape", text)
	}
	return string(appendFolded(nil, decoded)), false, nil
}

// find looks path up. The path must have valid escapes. False if nothing is there.
func (rt *router) find(path []byte, found *lookup) bool {
	found.params = found.params[:0]
	if len(path) > 0 && path[len(path)-1] == '/' {
		path = path[:len(path)-1] // one trailing slash is ignored
	}
	found.resource = rt.root.find(path, &found.params)
	return found.resource != nil
}

func (s *segment) find(path []byte, params *[][]byte) *resource {
	if len(path) == 0 {
		return s.resource
	}
	if path[0] != '/' {
		return nil
	}
	text, rest := path[1:], []byte(nil)
	if i := bytes.IndexByte(text, '/'); i >= 0 {
		text, rest = text[:i], text[i:]
	}
	if len(text) == 0 {
		return nil
	}
	if len(s.literals) > 0 {
		if next := s.match(text); next != nil {
			if r := next.find(rest, params); r != nil {
				return r
			}
		}
	}
	if s.param == nil {
		return nil
	}
	before := len(*params)
	*params = append(*params, text)
	r := s.param.find(rest, params)
	if r == nil {
		*params = (*params)[:before]
	}
	return r
}

func (s *segment) match(text []byte) *segment {
	var room, folded [128]byte
	decoded := text
	if bytes.IndexByte(text, '%') >= 0 {
		decoded, _ = appendDecoded(room[:0], text, false)
	}
	return s.literals[string(appendFolded(folded[:0], decoded))]
}

// appendFolded appends text in lower case.
func appendFolded(dst, text []byte) []byte {
	for i, c := range text {
		if c >= utf8.RuneSelf {
			return append(dst, bytes.ToLower(text[i:])...)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// route returns the route of a method, nil if there is none.
func (r *resource) route(method []byte) *boundRoute {
	for _, route := range r.routes {
		if route.Method == string(method) {
			return route
		}
	}
	return nil
}

func (r *resource) methods() []string {
	var list []string
	for _, route := range r.routes {
		list = append(list, route.Method)
	}
	return list
}
