package commission

import (
	"math"
	"strconv"

	"go.yaml.in/yaml/v4"
)

var paramTypes = []string{"string", "integer", "number", "boolean"}

// parameters gives each declared parameter its value: that of the options, or its default.
func (l *loader) parameters(n *yaml.Node, res *resolver) {
	eachEntry(res, n, "parameters", func(key, val *yaml.Node) {
		name := key.Value
		l.params = append(l.params, name)
		o := l.object(res.resolve(val, 1), "parameter "+name)
		o.ignore("title", "description")
		wanted := o.oneOf("type", "", paramTypes...)
		v := o.field("default")
		allowed := o.field("enum")
		if also := o.field("allowedValues"); allowed == nil {
			allowed = also
		}
		o.done()
		if text, given := l.options.Params[name]; given {
			l.usedParams[name] = true
			v = l.given(name, text, wanted, res.at(key))
		}
		if v == nil {
			l.errorf(res.at(key), "the parameter %s has no default: give it a value with --param %s=…", name, name)
			v = &value{pos: res.at(key)}
		}
		l.judge(name, v, wanted, allowed)
		res.params[name] = v
	})
}

// given reads the text of an option as the type that the parameter has; without a type it is
// what it would be in the file.
func (l *loader) given(name, text, wanted string, at Position) *value {
	v := stringValue(text, at)
	switch wanted {
	case "integer":
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			v.kind, v.integer = intKind, i
		}
	case "number":
		if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			v.kind, v.float = floatKind, f
		}
	case "boolean":
		if text == "true" || text == "false" {
			v.kind, v.boolean = boolKind, text == "true"
		}
	case "":
		scalar := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
		if read, err := scalarValue(scalar, at); err == nil && read.kind != nullKind {
			return read
		}
	}
	return v
}

// judge reports a value that is not of the parameter's type, or not among what is allowed.
func (l *loader) judge(name string, v *value, wanted string, allowed *value) {
	fits := map[string]bool{
		"":        true,
		"string":  v.kind == stringKind,
		"integer": v.kind == intKind,
		"number":  v.kind == intKind || v.kind == floatKind,
		"boolean": v.kind == boolKind,
	}[wanted]
	if !fits && v.kind != nullKind {
		l.errorf(v.pos, "the parameter %s is %s, want type %s", name, v.shown(), wanted)
	}
	if allowed == nil || v.kind == nullKind {
		return
	}
	if allowed.kind != listKind {
		l.errorf(allowed.pos, "the allowed values of parameter %s must be a list", name)
		return
	}
	text, _ := v.textOf()
	var words []string
	for _, item := range allowed.items {
		word, _ := item.textOf()
		if word == text {
			return
		}
		words = append(words, word)
	}
	l.unknown(v.pos, "value of parameter "+name+":", text, words)
}
