package commission

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// sub carries out !sub 'text with ${name}', or !sub [text, {name: value}] with names of its own.
func (r *resolver) sub(n *yaml.Node, depth int) *value {
	at := r.at(n)
	text, own := n.Value, &value{kind: mapKind}
	if n.Kind == yaml.SequenceNode && len(n.Content) == 2 && n.Content[0].Kind == yaml.ScalarNode && !ownTag(n.Content[0]) {
		text, own = n.Content[0].Value, r.resolve(n.Content[1], depth+1)
	} else if n.Kind != yaml.ScalarNode {
		own = broken(at)
	}
	if own.kind != mapKind {
		r.errorf(at, "!sub wants a text, or a list of a text and a map of variables")
		return broken(at)
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
			return broken(at)
		}
		piece, ok := r.substitute(strings.TrimSpace(name), own, at, depth)
		if !ok || !r.spend(0, len(piece), at) {
			return broken(at)
		}
		b.WriteString(piece)
		text = after
	}
	return stringValue(b.String(), at)
}

func (r *resolver) substitute(name string, own *value, at Position, depth int) (string, bool) {
	v := own.get(name)
	if v == nil {
		v = r.named(name, at, depth+1)
	}
	text, ok := v.inText()
	if !ok && !v.holdsBroken() {
		r.errorf(at, "${%s} is %v, and only a single value can be put into a text", clip(name), v.kind)
	}
	return text, ok
}

// merge carries out !merge [a, b, …]: of maps, in depth, and of two other values for the same key
// the later one stays; or of lists, one after the other.
func (r *resolver) merge(n *yaml.Node, depth int) *value {
	at := r.at(n)
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.errorf(at, "!merge wants a list of maps, or a list of lists")
		return broken(at)
	}
	merged := broken(at)
	for _, c := range n.Content {
		next := r.resolve(c, depth+1)
		switch {
		case next.kind == brokenKind: // reported
		case next.kind != mapKind && next.kind != listKind:
			r.errorf(r.at(c), "!merge wants maps or lists, not %v", next.kind)
		case merged.kind == brokenKind:
			merged = next
		case merged.kind != next.kind:
			r.errorf(r.at(c), "!merge cannot merge %v with %v", merged.kind, next.kind)
		case next.kind == listKind:
			merged = &value{kind: listKind, pos: merged.pos, items: slices.Concat(merged.items, next.items)}
		default:
			merged = mergeMaps(merged, next)
		}
		if !r.spend(len(merged.items)+len(merged.entries), 0, at) {
			return broken(at)
		}
	}
	return merged
}

// mergeMaps makes a map of two. It recurses no deeper than they are, and takes values that
// resolve has counted.
func mergeMaps(a, b *value) *value {
	out := &value{kind: mapKind, pos: a.pos, entries: slices.Clone(a.entries)}
	place := make(map[string]int, len(a.entries))
	for i, e := range a.entries {
		place[e.key] = i
	}
	for _, e := range b.entries {
		i, ok := place[e.key]
		if !ok {
			out.entries = append(out.entries, e)
			continue
		}
		if before := out.entries[i].val; before.kind == mapKind && e.val.kind == mapKind {
			e.val = mergeMaps(before, e.val)
		}
		out.entries[i] = e
	}
	return out
}

// inherit carries out YAML's <<: base or <<: [base, …]: keys that a map does not have itself are
// those of the first base that has them.
func (r *resolver) inherit(v, base *value) {
	bases := []*value{base}
	if base.kind == listKind {
		bases = base.items
	}
	have := make(map[string]bool, len(v.entries))
	for _, e := range v.entries {
		have[e.key] = true
	}
	for _, b := range bases {
		if b.kind != mapKind && b.kind != brokenKind {
			r.errorf(b.pos, "<< wants a map, or a list of maps, not %v", b.kind)
		}
		for _, e := range b.entries {
			if !have[e.key] {
				have[e.key] = true
				v.entries = append(v.entries, e)
			}
		}
	}
}
