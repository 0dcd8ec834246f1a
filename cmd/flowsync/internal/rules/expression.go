package rules

import (
	"errors"
	"fmt"
	"sync"

	jsonata "github.com/blues/jsonata-go"
	"github.com/blues/jsonata-go/jparse"
)

// evaluating is held for every compilation and evaluation of any expression in the process:
// see the package documentation. It also guards the fields of expression and what pipelines
// stash. Leaf: nothing blocks under it.
var evaluating sync.Mutex

// expression is one compiled JSONata expression.
type expression struct {
	program *jsonata.Expr
	context bool // it mentions $context

	// For the evaluation that is running; guarded by evaluating.
	steps      int // still to spend
	unmeasured int // spent since the stack was measured
	recall     func(label string) any
}

// compile reports everything wrong with an expression, or returns it ready to run.
func compile(source string) (*expression, []fault) {
	if len(source) > MaxExpression {
		return nil, []fault{{0, fmt.Sprintf("the expression is longer than %d bytes", MaxExpression), ""}}
	}
	blanked, faults := scan(source)
	if len(faults) == 0 {
		faults = signatures(blanked)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	evaluating.Lock()
	defer evaluating.Unlock()
	e, err := build(blanked)
	if err == nil {
		e.context = mentionsContext(blanked)
		return e, nil
	}
	var syntax *jparse.Error
	if errors.As(err, &syntax) {
		return nil, []fault{{min(syntax.Position, len(source)), syntax.Error(), "see docs.jsonata.org for the syntax"}}
	}
	return nil, []fault{{0, err.Error(), ""}}
}

// build parses twice: first as written, for faults at their place, then in parentheses, for
// tree.
func build(source string) (e *expression, err error) {
	defer recoverInto(&err)
	if _, err := jparse.Parse(source); err != nil {
		return nil, err
	}
	program, err := jsonata.Compile("(" + source + "\n)")
	if err != nil {
		return nil, err
	}
	root, err := tree(program)
	if err != nil {
		return nil, err
	}
	rewrite(root)
	e = &expression{program: program}
	return e, program.RegisterExts(e.extensions())
}

// evalLocked runs the expression on a value. defined is false if it has no result.
// The value and what context holds are not changed; the result shares nothing with them.
func (e *expression) evalLocked(value any, m *message, recall func(string) any) (result any, defined bool, err error) {
	defer recoverInto(&err)
	e.steps, e.unmeasured, e.recall = MaxSteps, 0, recall
	if e.context {
		if err := e.program.RegisterVars(map[string]any{"context": m.context()}); err != nil {
			return nil, false, err
		}
	}
	raw, err := e.program.Eval(value)
	switch {
	case errors.Is(err, jsonata.ErrUndefined):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	}
	result, err = normalise(raw)
	return result, err == nil, err
}

// recoverInto makes an error of a panic in the library.
func recoverInto(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the JSONata library failed: %s", clip(fmt.Sprint(r)))
	}
}
