package commission

import "go.yaml.in/yaml/v4"

var paramTypes = []string{"string", "integer", "number", "boolean"}

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
	o.done()
	if text, given := l.options.Params[id]; given {
		l.usedParams[id] = true
		v = p.given(text, at)
		p.what = "--param " + name
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
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err == nil && len(doc.Content) == 1 {
		n := doc.Content[0]
		if v, err := scalarValue(n, at); err == nil && v.text == text && v.kind != nullKind {
			return v
		}
	}
	return stringValue(text, at)
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
