package commission

import "go.yaml.in/yaml/v4"

var paramTypes = []string{"string", "integer", "number", "boolean"}

// parameters gives each declared parameter its value: that of the options, or its default.
func (l *loader) parameters(n *yaml.Node, res *resolver) {
	res.eachEntry(n, "parameters", func(key, val *yaml.Node) {
		l.params = append(l.params, key.Value)
		name := clip(key.Value)
		p := param{loader: l, what: "the default of parameter " + name}
		o := l.object(res.resolve(val, 1), "parameter "+name)
		o.ignore("title", "description")
		p.wanted = o.oneOf("type", paramTypes...)
		v := o.field("default")
		p.allow(o)
		o.done()
		text, given := l.options.Params[key.Value]
		switch {
		case given:
			l.usedParams[key.Value] = true
			v = p.given(text, res.at(key))
			p.what = "--param " + name
		case v == nil && !o.broken && !o.has("default"):
			l.errorf(res.at(key), "the parameter %s has no default: give it a value with --param %s=…", name, name)
		}
		if v == nil || o.has("type") && p.wanted == "" || !p.judge(v) {
			v = broken(res.at(key))
		}
		res.params[key.Value] = v
		if res.defined[key.Value] != nil || res.resources[key.Value] {
			l.warnf(res.at(key), "something else in this file is called %s too, and !ref %s means the parameter: rename one of them", name, name)
		}
	})
}

// param is a parameter while its value is found.
type param struct {
	*loader
	what    string   // how a problem calls the value
	wanted  string   // the type; empty: any
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
// what it would be in the file. Text that is not of the type stays text, which does not fit.
func (p *param) given(text string, at Position) *value {
	if p.wanted == "string" {
		return stringValue(text, at)
	}
	v, err := scalarValue(&yaml.Node{Kind: yaml.ScalarNode, Value: text}, at)
	if err != nil || v.kind == nullKind {
		return stringValue(text, at)
	}
	return v
}

// judge reports a value that is not of the parameter's type, or not among what is allowed.
func (p *param) judge(v *value) bool {
	fits := map[string]bool{
		"":        true,
		"string":  v.kind == stringKind,
		"integer": v.kind == intKind,
		"number":  v.kind == intKind || v.kind == floatKind,
		"boolean": v.kind == boolKind,
	}[p.wanted]
	if !fits {
		p.errorf(v.pos, "%s is %s, want type %s", p.what, v.shown(), p.wanted)
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
	hint := didYouMean(v.text, words)
	p.add(Problem{Pos: v.pos, Text: p.what + " is " + v.shown() + ", which is not one of its allowed values", Hint: hint})
	return false
}
