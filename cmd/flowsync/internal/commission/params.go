package commission

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// paramTypes are those of JSON Schema. An array or object has a default only: an option is text.
var paramTypes = []string{"string", "integer", "number", "boolean", "array", "object"}

// parameters gives each declared parameter its value: that of the options, or its default.
func (l *loader) parameters(n *yaml.Node, res *resolver) {
	res.eachEntry(n, "parameters", func(key, val *yaml.Node) {
		l.params = append(l.params, key.Value)
		v := l.parameter(key.Value, res.at(key), res.resolve(val, 1))
		if v == nil {
			v = broken(res.at(key))
		}
		res.params[key.Value] = v
		if name := clip(key.Value); res.defined[key.Value] != nil || res.resources[key.Value] {
			l.warnf(res.at(key), "something else in this file is called %s too, and !ref %s means the parameter: rename one of them", name, name)
		}
	})
}

// parameter gives the value of one parameter; nil, and a problem, if it has none that is right.
func (l *loader) parameter(id string, at Position, declared *value) *value {
	name := clip(id)
	p := param{loader: l, what: "the default of parameter " + name}
	o := l.object(declared, "parameter "+name)
	o.ignore("title", "description")
	p.wanted = o.oneOf("type", paramTypes...)
	v := o.field("default")
	p.allow(o)
	p.limits = l.limitsOf(o)
	o.done()
	if text, given := l.options.Params[id]; given {
		l.usedParams[id] = true
		p.what, p.secret = "--param "+name, true
		v = p.given(text, at)
	} else if v == nil && !o.broken && !o.has("default") {
		l.errorf(at, "the parameter %s has no default: give it a value with --param %s=…", name, name)
	}
	if v == nil || o.has("type") && p.wanted == "" || !p.judge(v) {
		return nil
	}
	return v
}

// param is a parameter while its value is found.
type param struct {
	*loader
	what    string // how a problem calls the value
	secret  bool   // the value may be one, and is not to be shown
	wanted  string // the type; empty: any
	limits  limits
	allowed []*value // nil: any
}

// allow reads the values that the parameter may have.
func (p *param) allow(o *object) {
	for _, name := range []string{"enum", "allowedValues"} {
		v := o.field(name)
		if v == nil {
			continue
		}
		if v.kind != listKind || len(v.items) == 0 {
			o.wrong(v, name, "a list of values")
			continue
		}
		p.allowed = append(p.allowed, v.items...)
	}
}

// given reads the text of an option as the type that the parameter has; without a type it is
// what it would be in the file. Text that is not of the type stays text, which does not fit. nil: it
// is a number that cannot be had, and that is reported.
func (p *param) given(text string, at Position) *value {
	if p.wanted == "string" {
		return stringValue(text, at)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err == nil && len(doc.Content) == 1 {
		v, err := scalarValue(doc.Content[0], at)
		switch number := v.kind == intKind || v.kind == floatKind; {
		case v.text != text || v.kind == nullKind: // a part of the text was a comment, quotes, a tag
		case err == nil:
			return v
		case number && p.wanted == "":
			p.errorf(at, "%s: its value is a number that JSON does not know, or that does not fit into 64 bits: declare the parameter with type: string if it is a text", p.what)
			return nil
		}
	}
	return stringValue(text, at)
}

// shown is what a problem says of a value. That of an option may be a password.
func (p *param) shown(v *value) string {
	if p.secret {
		return ": its value does not fit"
	}
	return " is " + v.shown()
}

// judge reports a value that is not of the parameter's type, or not among what is allowed.
func (p *param) judge(v *value) bool {
	fits := map[string]bool{
		"":        true,
		"string":  v.kind == stringKind,
		"integer": v.kind == intKind,
		"number":  v.kind == intKind || v.kind == floatKind,
		"boolean": v.kind == boolKind,
		"array":   v.kind == listKind,
		"object":  v.kind == mapKind,
	}[p.wanted]
	if !fits {
		p.errorf(v.pos, "%s%s, want type %s", p.what, p.shown(v), p.wanted)
		return false
	}
	if fault := p.limits.judge(v); fault != "" {
		p.errorf(v.pos, "%s%s, want %s", p.what, p.shown(v), fault)
		return false
	}
	if p.allowed == nil {
		return true
	}
	var words []string
	for _, item := range p.allowed {
		if item.same(v) {
			return true
		}
		if len(words) <= maxKnown {
			words = append(words, item.text)
		}
	}
	hint := "want one of " + strings.Join(words, ", ")
	if !p.secret {
		hint = didYouMean(v.text, words)
	}
	p.add(Problem{Pos: v.pos, Text: p.what + p.shown(v) + ", which is not one of its allowed values", Hint: hint})
	return false
}
