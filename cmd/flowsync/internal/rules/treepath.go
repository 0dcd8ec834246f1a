package rules

import "github.com/blues/jsonata-go/jparse"

// rewritePath counts the computed steps of a path, and lets us walk its member names: the
// library takes an empty array at the end of a path for undefined, and confuses itself where
// arrays contain arrays.
func rewritePath(n *jparse.PathNode) jparse.Node {
	var steps []jparse.Node
	for i := 0; i < len(n.Steps); i++ {
		names := nameRun(n.Steps[i:])
		if len(names) == 0 {
			steps = append(steps, rewriteStep(n.Steps[i], i > 0))
			continue
		}
		if i += len(names) - 1; i == len(n.Steps)-1 && !n.KeepArrays {
			return walkFrom(pathStart(steps), names)
		}
		steps = append(steps, walkFrom(&jparse.VariableNode{}, names))
	}
	n.Steps = fromContext(steps)
	return n
}

// nameRun gives the member names that a path begins with, as literals.
func nameRun(steps []jparse.Node) (names []jparse.Node) {
	for _, step := range steps {
		name, ok := step.(*jparse.NameNode)
		if !ok {
			break
		}
		names = append(names, &jparse.StringNode{Value: name.Value})
	}
	return names
}

func walkFrom(start jparse.Node, names []jparse.Node) jparse.Node {
	return invoke(fnPath, append([]jparse.Node{start}, names...)...)
}

func rewriteStep(step jparse.Node, repeats bool) jparse.Node {
	switch s := step.(type) {
	case *jparse.VariableNode:
		return s
	case *jparse.ArrayNode: // must stay one: the library looks
		rewriteItems(s)
		if repeats { // an element that is undefined does not appear
			s.Items = append(s.Items, invoke(fnStep))
		}
		return s
	}
	step = rewrite(step)
	if repeats {
		step = counted(step)
	}
	return step
}

// pathStart is what the last names of a path are members of.
func pathStart(steps []jparse.Node) jparse.Node {
	switch len(steps) {
	case 0:
		return &jparse.VariableNode{} // the context
	case 1:
		if v, ok := steps[0].(*jparse.VariableNode); ok {
			return v
		}
	}
	return &jparse.PathNode{Steps: fromContext(steps)}
}

// fromContext lets a path begin with $, which means the same and spares the library a panic
// when the context is an array in an array.
func fromContext(steps []jparse.Node) []jparse.Node {
	switch step := steps[0].(type) {
	case *jparse.VariableNode, *jparse.ArrayNode:
		return steps
	case *jparse.PredicateNode:
		if _, ok := step.Expr.(*jparse.VariableNode); ok {
			return steps
		}
	}
	return append([]jparse.Node{&jparse.VariableNode{}}, steps...)
}
