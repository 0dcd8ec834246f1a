package commission

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v4"
)

// The bounds of a file.
const (
	maxFile   = 4 << 20  // bytes
	maxDepth  = 64       // nesting, with the references that are followed
	maxValues = 200_000  // that it may grow to by aliases, references and merges
	maxText   = 16 << 20 // bytes of text made by substitution
)

var tags = []string{"!ref", "!sub", "!merge"}

// resolver turns the YAML nodes of one file into values. References are followed anew each time,
// so that a value stands in one place only: the bounds count everything that values reach.
type resolver struct {
	*report
	file      string
	globals   map[string]*value // broken: not known, which is reported
	params    map[string]*value
	defined   map[string]*yaml.Node
	resources map[string]bool

	open    map[string]bool     // definitions that are being resolved
	aliases map[*yaml.Node]bool // that are being followed

	values, text int  // made so far
	exhausted    bool // a bound was passed: said once
}

func newResolver(r *report, file string) *resolver {
	return &resolver{
		report: r, file: file, globals: map[string]*value{}, params: map[string]*value{}, defined: map[string]*yaml.Node{},
		resources: map[string]bool{}, open: map[string]bool{}, aliases: map[*yaml.Node]bool{},
	}
}

// declare takes down the names that !ref may find.
func (r *resolver) declare(definitions, resources *yaml.Node) {
	r.eachEntry(definitions, "definitions", func(key, val *yaml.Node) { r.defined[key.Value] = val })
	r.eachEntry(resources, "resources", func(key, _ *yaml.Node) {
		r.resources[key.Value] = true
		if r.defined[key.Value] != nil {
			r.warnf(r.at(key), "%s is a definition too, and !ref %s means that one: rename one of them", clip(key.Value), clip(key.Value))
		}
	})
}

// checkDefinitions finds what is wrong with those that nothing refers to.
func (r *resolver) checkDefinitions(definitions *yaml.Node) {
	r.eachEntry(definitions, "definitions", func(key, val *yaml.Node) { r.definition(key.Value, val, r.at(key), 0) })
}

func (r *resolver) at(n *yaml.Node) Position {
	return Position{File: r.file, Line: n.Line, Column: n.Column}
}

// spend counts what a file grows to, and says whether it may.
func (r *resolver) spend(values, text int, at Position) bool {
	r.values += values
	r.text += text
	if r.values <= maxValues && r.text <= maxText {
		return true
	}
	if !r.exhausted {
		r.exhausted = true
		r.errorf(at, "the file grows beyond %d values or %d MiB of text, with what it repeats by aliases, references and substitutions: split it", maxValues, maxText>>20)
	}
	return false
}

// resolve gives the value of a node. What is wrong is reported, and a broken value stands for it.
func (r *resolver) resolve(n *yaml.Node, depth int) *value {
	at := r.at(n)
	if !r.spend(1, 0, at) {
		return broken(at)
	}
	if depth > maxDepth {
		r.errorf(at, "nested deeper than %d levels, with the references that lead here", maxDepth)
		return broken(at)
	}
	switch {
	case n.Tag == "!ref":
		return r.ref(n, depth)
	case n.Tag == "!sub":
		return r.sub(n, depth)
	case n.Tag == "!merge":
		return r.merge(n, depth)
	case ownTag(n):
		r.unknown(at, "tag", n.Tag, tags)
		return broken(at)
	}
	switch n.Kind {
	case yaml.MappingNode:
		return r.mapOf(n, depth)
	case yaml.SequenceNode:
		return r.listOf(n, depth)
	case yaml.AliasNode:
		return r.alias(n, depth)
	}
	v, err := scalarValue(n, at)
	if err != nil {
		r.errorf(at, "%v", err)
		return broken(at)
	}
	return v
}

func (r *resolver) listOf(n *yaml.Node, depth int) *value {
	v := &value{kind: listKind, pos: r.at(n)}
	for _, item := range n.Content {
		v.items = append(v.items, r.resolve(item, depth+1))
	}
	return v
}

func (r *resolver) alias(n *yaml.Node, depth int) *value {
	if r.aliases[n.Alias] {
		r.errorf(r.at(n), "the alias *%s contains itself", clip(n.Value))
		return broken(r.at(n))
	}
	r.aliases[n.Alias] = true
	defer delete(r.aliases, n.Alias)
	return r.resolve(n.Alias, depth+1)
}

func (r *resolver) mapOf(n *yaml.Node, depth int) *value {
	v := &value{kind: mapKind, pos: r.at(n)}
	var base *yaml.Node
	r.eachEntry(n, "this map", func(key, val *yaml.Node) {
		if key.ShortTag() == "!!merge" {
			base = val
			return
		}
		v.entries = append(v.entries, entry{key.Value, r.at(key), r.resolve(val, depth+1)})
	})
	if base != nil {
		r.inherit(v, r.resolve(base, depth+1))
	}
	return v
}

// ref carries out !ref name.
func (r *resolver) ref(n *yaml.Node, depth int) *value {
	if n.Kind != yaml.ScalarNode {
		r.errorf(r.at(n), "!ref wants a name")
		return broken(r.at(n))
	}
	return r.named(n.Value, r.at(n), depth)
}

// named gives what a name stands for: a global, a parameter, a definition, or a resource, which
// gives its id.
func (r *resolver) named(name string, at Position, depth int) *value {
	if v, ok := r.globals[name]; ok {
		return r.moved(v, at)
	}
	if v, ok := r.params[name]; ok {
		return r.moved(v, at)
	}
	if def, ok := r.defined[name]; ok {
		return r.definition(name, def, at, depth)
	}
	if r.resources[name] {
		v := stringValue(name, at)
		v.resource = true
		return v
	}
	r.unknown(at, "reference", name, r.names())
	return broken(at)
}

// moved gives a value as if it stood where it is referred to.
func (r *resolver) moved(v *value, at Position) *value {
	if !r.spend(v.count(), 0, at) {
		return broken(at)
	}
	moved := *v
	moved.pos = at
	return &moved
}

func (r *resolver) definition(name string, def *yaml.Node, at Position, depth int) *value {
	if r.open[name] {
		r.errorf(at, "the definition %q refers to itself", clip(name))
		return broken(at)
	}
	r.open[name] = true
	defer delete(r.open, name)
	return r.resolve(def, depth+1)
}

func (r *resolver) names() []string {
	if r.full() || len(r.defined)+len(r.resources)+len(r.params) > maxKnown {
		return nil
	}
	names := slices.Collect(maps.Keys(r.globals))
	names = slices.AppendSeq(names, maps.Keys(r.params))
	names = slices.AppendSeq(names, maps.Keys(r.defined))
	names = slices.AppendSeq(names, maps.Keys(r.resources))
	slices.Sort(names)
	return names
}
