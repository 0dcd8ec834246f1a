package commission

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The bounds of a file.
const (
	maxFile   = 4 << 20 // bytes
	maxDepth  = 64      // nesting, references followed included
	maxValues = 200_000 // that a file may grow to by aliases, references and merges
)

// resolver turns the YAML nodes of one file into values.
type resolver struct {
	*report
	file       string
	globals    map[string]string
	params     map[string]*value
	defined    map[string]*yaml.Node // definitions
	resources  map[string]Position
	open       map[string]bool   // definitions that are being resolved
	done       map[string]*value // those that have been
	values     int
	exhausted  bool
	aliasTrail map[*yaml.Node]bool
}

func (r *resolver) at(n *yaml.Node) Position {
	return Position{File: r.file, Line: n.Line, Column: n.Column}
}

// resolve gives the value of a node. What is wrong is reported, and null stands for it.
func (r *resolver) resolve(n *yaml.Node, depth int) *value {
	at := r.at(n)
	nothing := &value{pos: at}
	if r.values++; r.values > maxValues || depth > maxDepth {
		if !r.exhausted {
			r.exhausted = true
			r.errorf(at, "too much: more than %d values, or nested deeper than %d, references included", maxValues, maxDepth)
		}
		return nothing
	}
	switch n.Tag {
	case "!ref":
		return r.ref(n, depth)
	case "!sub":
		return r.sub(n, depth)
	case "!merge":
		return r.merge(n, depth)
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		r.unknown(at, "tag", n.Tag, []string{"!ref", "!sub", "!merge"})
		return nothing
	}
	switch n.Kind {
	case yaml.MappingNode:
		return r.mapOf(n, depth)
	case yaml.SequenceNode:
		v := &value{kind: listKind, pos: at}
		for _, item := range n.Content {
			v.items = append(v.items, r.resolve(item, depth+1))
		}
		return v
	case yaml.AliasNode:
		return r.alias(n, depth)
	case yaml.ScalarNode:
		v, err := scalarValue(n, at)
		if err != nil {
			r.errorf(at, "%v", err)
		}
		return v
	}
	r.errorf(at, "this is not YAML that can be read here")
	return nothing
}

func (r *resolver) alias(n *yaml.Node, depth int) *value {
	if n.Alias == nil || r.aliasTrail[n.Alias] {
		r.errorf(r.at(n), "the alias *%s contains itself", clip(n.Value))
		return &value{pos: r.at(n)}
	}
	r.aliasTrail[n.Alias] = true
	defer delete(r.aliasTrail, n.Alias)
	return r.resolve(n.Alias, depth+1)
}

func (r *resolver) mapOf(n *yaml.Node, depth int) *value {
	v := &value{kind: mapKind, pos: r.at(n)}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			r.errorf(r.at(key), "a key must be a plain word")
			continue
		}
		if before := v.get(key.Value); before != nil {
			r.errorf(r.at(key), "%q stands twice in this map, first at line %d", clip(key.Value), before.pos.Line)
			continue
		}
		v.entries = append(v.entries, entry{key.Value, r.at(key), r.resolve(n.Content[i+1], depth+1)})
	}
	return v
}

// ref carries out !ref name: a global, a parameter, a definition, or the id of a resource.
func (r *resolver) ref(n *yaml.Node, depth int) *value {
	if n.Kind != yaml.ScalarNode {
		r.errorf(r.at(n), "!ref wants a name")
		return &value{pos: r.at(n)}
	}
	return r.named(n.Value, r.at(n), depth)
}

func (r *resolver) named(name string, at Position, depth int) *value {
	if text, ok := r.globals[name]; ok {
		return stringValue(text, at)
	}
	if v, ok := r.params[name]; ok {
		moved := *v
		moved.pos = at
		return &moved
	}
	if v, ok := r.done[name]; ok {
		return v
	}
	if def, ok := r.defined[name]; ok {
		return r.definition(name, def, at, depth)
	}
	if _, ok := r.resources[name]; ok {
		return &value{kind: stringKind, text: name, resource: name, pos: at}
	}
	r.unknown(at, "reference", name, r.names())
	return &value{pos: at}
}

func (r *resolver) definition(name string, def *yaml.Node, at Position, depth int) *value {
	if r.open[name] {
		r.errorf(at, "the definition %q refers to itself", name)
		return &value{pos: at}
	}
	r.open[name] = true
	v := r.resolve(def, depth+1)
	delete(r.open, name)
	r.done[name] = v
	return v
}

func (r *resolver) names() []string {
	names := slices.Collect(maps.Keys(r.globals))
	names = slices.AppendSeq(names, maps.Keys(r.params))
	names = slices.AppendSeq(names, maps.Keys(r.defined))
	names = slices.AppendSeq(names, maps.Keys(r.resources))
	slices.Sort(names)
	return names
}

// sub carries out !sub 'text with ${name}', or !sub [text, {name: value}] with names of its own.
func (r *resolver) sub(n *yaml.Node, depth int) *value {
	at := r.at(n)
	text, own := n.Value, map[string]*value{}
	if n.Kind == yaml.SequenceNode && len(n.Content) == 2 && n.Content[0].Kind == yaml.ScalarNode {
		text = n.Content[0].Value
		vars := r.resolve(n.Content[1], depth+1)
		for _, e := range vars.entries {
			own[e.key] = e.val
		}
	} else if n.Kind != yaml.ScalarNode {
		r.errorf(at, "!sub wants a text, or a list of a text and a map of variables")
		return &value{pos: at}
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			r.errorf(at, "the text has ${ without }")
			break
		}
		b.WriteString(r.substitute(strings.TrimSpace(name), own, at, depth))
		text = after
		if b.Len() > maxFile {
			r.errorf(at, "the text grows beyond %d bytes", maxFile)
			break
		}
	}
	return stringValue(b.String(), at)
}

func (r *resolver) substitute(name string, own map[string]*value, at Position, depth int) string {
	v, ok := own[name]
	if !ok {
		v = r.named(name, at, depth+1)
	}
	text, ok := v.textOf()
	if !ok && v.kind != nullKind {
		r.errorf(at, "${%s} is %v, and only a single value can be put into a text", clip(name), v.kind)
	}
	return text
}

// merge carries out !merge [a, b, …]: maps are merged in depth, of two other values the later one
// wins, and lists that are merged as such are joined.
func (r *resolver) merge(n *yaml.Node, depth int) *value {
	at := r.at(n)
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.errorf(at, "!merge wants a list of maps, or a list of lists")
		return &value{pos: at}
	}
	merged := r.resolve(n.Content[0], depth+1)
	for _, c := range n.Content[1:] {
		next := r.resolve(c, depth+1)
		if next.kind != merged.kind || next.kind != mapKind && next.kind != listKind {
			r.errorf(r.at(c), "!merge cannot merge %v with %v", merged.kind, next.kind)
			continue
		}
		merged = r.mergeTwo(merged, next, depth+1)
	}
	return merged
}

func (r *resolver) mergeTwo(a, b *value, depth int) *value {
	r.values += len(a.entries) + len(a.items) + len(b.items)
	if depth > maxDepth || r.values > maxValues {
		r.errorf(b.pos, "too much: more than %d values, or nested deeper than %d", maxValues, maxDepth)
		return b
	}
	if a.kind == listKind && b.kind == listKind {
		return &value{kind: listKind, pos: a.pos, items: append(slices.Clone(a.items), b.items...)}
	}
	if a.kind != mapKind || b.kind != mapKind {
		return b
	}
	out := &value{kind: mapKind, pos: a.pos, entries: slices.Clone(a.entries)}
	for _, e := range b.entries {
		i := slices.IndexFunc(out.entries, func(x entry) bool { return x.key == e.key })
		if i < 0 {
			out.entries = append(out.entries, e)
			continue
		}
		merged := e
		if out.entries[i].val.kind == mapKind {
			merged.val = r.mergeTwo(out.entries[i].val, e.val, depth+1)
		}
		out.entries[i] = merged
	}
	return out
}
