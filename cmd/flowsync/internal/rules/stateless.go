package rules

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/blues/jsonata-go/jlib"
)

func makeFilter(p *properties) rule {
	e := p.expression("the expression of filter", p.values["expression"])
	return rule{run: func(m *message, r *run) error {
		v, err := evaluate(e, m, r)
		if err != nil {
			return err
		}
		if v == nil || !jlib.Boolean(reflect.ValueOf(v)) {
			return ErrFiltered
		}
		return nil
	}}
}

func makeTransform(p *properties) rule {
	e := p.expression("the expression of transform", p.values["expression"])
	return rule{run: func(m *message, r *run) error {
		v, err := evaluate(e, m, r)
		if err != nil {
			return err
		}
		if v == nil {
			return ErrFiltered
		}
		m.store(v)
		return nil
	}}
}

// evaluate gives the result of an expression on a message, and nil (which is not null) if
// it has none.
func evaluate(e *expression, m *message, r *run) (any, error) {
	value, err := m.load()
	if err != nil {
		return nil, err
	}
	result, defined, err := e.evalLocked(value, m, r.recall)
	if err != nil || !defined {
		return nil, err
	}
	return result, nil
}

func makeSetContextVars(p *properties) rule {
	vars, ok := p.values["vars"].(map[string]any)
	if !ok || len(vars) == 0 {
		p.fail("write setContextVars: "+p.kind.example, "setContextVars needs vars, an object of names and expressions, not %s", describe(p.values["vars"]))
		return rule{}
	}
	names := slices.Sorted(maps.Keys(vars))
	expressions := make([]*expression, len(names))
	for i, name := range names {
		if !isName(name) {
			p.fail("use letters, digits, _ and -", "%q cannot be the name of a variable", clip(name))
		}
		expressions[i] = p.expression(fmt.Sprintf("the variable %s of setContextVars", clip(name)), vars[name])
	}
	return rule{run: func(m *message, r *run) error {
		set := make(map[string]any, len(names))
		for i, e := range expressions {
			v, err := evaluate(e, m, r)
			if err != nil {
				return fmt.Errorf("variable %s: %w", names[i], err)
			}
			if v != nil {
				set[names[i]] = v
			}
		}
		m.setVars(set)
		return nil
	}}
}

// isName says whether {name} can be written in a topic.
func isName(s string) bool {
	for _, c := range s {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return s != "" && len(s) <= 128
}

func makeStash(p *properties) rule {
	label := p.text("label")
	return rule{run: func(m *message, r *run) error {
		v, err := m.load()
		if err != nil {
			return err
		}
		r.keep(label, v)
		return nil
	}}
}
