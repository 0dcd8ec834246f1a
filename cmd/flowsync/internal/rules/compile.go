package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// kind is what a rule of one name may have, and how it is made.
type kind struct {
	properties map[string]bool
	example    string // how it is written, for hints
	held       bool   // may hold or multiply messages: not for transactions
	make       func(*properties) rule
}

// kinds are all rules there are.
var kinds = map[string]kind{
	"parse":          {set("format"), "{format: utf8}", false, makeParse},
	"filter":         {set("expression"), "{expression: temperature > 85}", false, makeFilter},
	"transform":      {set("expression"), "{expression: '{\"value\": $.value}'}", false, makeTransform},
	"setContextVars": {set("vars"), "{vars: {line: $.line}}", false, makeSetContextVars},
	"stash":          {set("label"), "{label: previous}", false, makeStash},
	"cov":            {set("key deadband deadbandMode"), "{key: temperature, deadband: 0.5}", true, makeCov},
	"burst":          {set("interval maxSize"), "{interval: 2000, maxSize: 10}", true, makeBurst},
	"collect":        {set(""), "{}", true, makeCollect},
}

// Compile checks and prepares a list of rules. It returns either a pipeline or everything
// that is wrong.
func Compile(specs []Spec, opts CompileOptions) (*Pipeline, []Problem) {
	if len(specs) > MaxRules {
		return nil, []Problem{{specs[MaxRules].At, fmt.Sprintf("there are %d rules; at most %d", len(specs), MaxRules), "join transforms that follow each other"}}
	}
	p := &Pipeline{}
	var problems []Problem
	for _, spec := range specs {
		props := &properties{spec: spec}
		if rule, ok := props.rule(opts); ok {
			p.rules = append(p.rules, rule)
		}
		problems = append(problems, props.problems...)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return p, nil
}

// properties reads the properties of one rule and gathers what is wrong with them.
type properties struct {
	spec     Spec
	kind     kind
	values   map[string]any
	problems []Problem
}

func (p *properties) fail(hint, format string, args ...any) {
	p.problems = append(p.problems, Problem{p.spec.At, fmt.Sprintf(format, args...), hint})
}

func (p *properties) rule(opts CompileOptions) (rule, bool) {
	k, ok := kinds[p.spec.Kind]
	if !ok {
		names := make(map[string]bool, len(kinds))
		for name := range kinds {
			names[name] = true
		}
		p.fail(suggest(p.spec.Kind, names), "there is no rule %q", clip(p.spec.Kind))
		return rule{}, false
	}
	p.kind = k
	if opts.Transaction && k.held {
		p.fail("use it in a mapping", "%s cannot be used on a transaction: the request must become one message at once", p.spec.Kind)
		return rule{}, false
	}
	if p.spec.Args == nil {
		p.values = map[string]any{}
	} else if p.values, ok = p.spec.Args.(map[string]any); !ok {
		p.fail("write "+p.spec.Kind+": "+k.example, "%s takes properties, not %s", p.spec.Kind, describe(p.spec.Args))
		return rule{}, false
	}
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		if !k.properties[name] {
			p.fail(suggest(name, k.properties), "%s has no property %q", p.spec.Kind, clip(name))
		}
	}
	r := k.make(p)
	r.Spec = p.spec
	return r, len(p.problems) == 0
}

// suggest names the nearest of several names, or all.
func suggest(name string, names map[string]bool) string {
	if other := nearest(name, names); other != "" {
		return fmt.Sprintf("did you mean %q?", other)
	}
	if len(names) == 0 {
		return "it has none"
	}
	return "there are " + strings.Join(slices.Sorted(maps.Keys(names)), ", ")
}

func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return fmt.Sprintf("%q", clip(v))
	default:
		return clip(fmt.Sprint(v))
	}
}

// text reads a property that must be there and be a string.
func (p *properties) text(name string) string {
	v, ok := p.values[name]
	s, isText := v.(string)
	switch {
	case !ok:
		p.fail("write "+p.spec.Kind+": "+p.kind.example, "%s needs %q", p.spec.Kind, name)
	case !isText:
		p.fail("put it in quotes", "%s of %s must be a string, not %s", name, p.spec.Kind, describe(v))
	case s == "":
		p.fail("", "%s of %s is empty", name, p.spec.Kind)
	}
	return s
}

// expression compiles the expression that a property must be. YAML reads some expressions,
// such as true or 5, as values of their own: these are taken as what they are.
func (p *properties) expression(what string, v any) *expression {
	switch v.(type) {
	case string:
	case bool, int, int64, uint64, float64, json.Number:
		v = fmt.Sprint(v)
	default:
		p.fail("put the JSONata expression in quotes or after |", "%s must be an expression, not %s", what, describe(v))
		return nil
	}
	source := v.(string)
	if strings.TrimSpace(source) == "" {
		p.fail("$ stands for the whole message", "%s is empty", what)
		return nil
	}
	e, faults := compile(source)
	for _, f := range faults {
		line, column := position(source, f.offset)
		p.fail(f.hint, "%s, line %d column %d: %s", what, line, column, f.text)
	}
	return e
}

// position counts lines and columns (in characters) from 1.
func position(source string, offset int) (line, column int) {
	before := source[:min(offset, len(source))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, len([]rune(before[start:])) + 1
}

// amount reads a number; absent gives 0.
func (p *properties) amount(name string, most float64, whole bool) float64 {
	v, ok := p.values[name]
	if !ok {
		return 0
	}
	f, isNumber := toFloat(v)
	switch {
	case !isNumber:
		p.fail("write it without quotes", "%s of %s must be a number, not %s", name, p.spec.Kind, describe(v))
	case whole && (f != math.Trunc(f) || f < 1 || f > most):
		p.fail("leave it out for none", "%s of %s must be an integer from 1 to %.0f, not %s", name, p.spec.Kind, most, describe(v))
	case !(f >= 0 && f <= most):
		p.fail("", "%s of %s must be a number that is not negative, not %s", name, p.spec.Kind, describe(v))
	}
	return f
}

func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}
