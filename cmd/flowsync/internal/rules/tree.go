package rules

import (
	"fmt"
	"reflect"
	"strings"

	jsonata "github.com/blues/jsonata-go"
	"github.com/blues/jsonata-go/jparse"
)

// The names of our own functions in rewritten trees. Expressions may not use the prefix.
const (
	reserved  = "_flowsync"
	fnStep    = reserved + "Step"    // (): spend one step
	fnRange   = reserved + "Range"   // (from, to): [from..to], spending a step an element
	fnPath    = reserved + "Path"    // (value, name…): value.name.…
	fnCharge  = reserved + "Charge"  // (value): value, spending a step for every 16 elements
	fnObject  = reserved + "Object"  // (name, value, …): {name: value, …}
	fnItem    = reserved + "Item"    // (value): the element of an array of one, or value
	fnEqual   = reserved + "Equal"   // (a, b): a = b
	fnUnequal = reserved + "Unequal" // (a, b): a != b
	fnIn      = reserved + "In"      // (a, b): a in b
	fnText    = reserved + "Text"    // (value): as $string, for the operator &
	fnPrivate = reserved + "Private" // (value): a deep copy
)

// tree gives the syntax tree that an Expr runs. The library has no access to it, and none of
// what it offers (parsing a second time, printing) leads to the tree that is run: this reads
// its one unexported field. The source must be in parentheses, so that the root is a block
// whose type we know. The version of the library is pinned, and a change of its layout is an
// error here, at start, and in every test.
func tree(e *jsonata.Expr) (*jparse.BlockNode, error) {
	field := reflect.ValueOf(e).Elem().FieldByName("node")
	if field.Kind() != reflect.Interface || field.IsNil() ||
		field.Elem().Type() != reflect.TypeFor[*jparse.BlockNode]() {
		return nil, fmt.Errorf("this build has a JSONata library whose expressions cannot be bounded; use github.com/blues/jsonata-go v1.5.4")
	}
	return (*jparse.BlockNode)(field.Elem().UnsafePointer()), nil
}

func invoke(name string, args ...jparse.Node) jparse.Node {
	return &jparse.FunctionCallNode{Func: &jparse.VariableNode{Name: name}, Args: args}
}

// counted spends a step before every evaluation of a node.
func counted(n jparse.Node) jparse.Node {
	return &jparse.BlockNode{Exprs: []jparse.Node{invoke(fnStep), n}}
}

// rewrite puts our functions where the library is wrong or without bounds. It returns the
// node to use instead of n, which is n itself for most.
//
//nolint:gocyclo // one case for each kind of node
func rewrite(n jparse.Node) jparse.Node {
	switch n := n.(type) {
	case *jparse.PathNode:
		return rewritePath(n)
	case *jparse.NameNode: // not in a path, but before a predicate in one
		return walkFrom(&jparse.VariableNode{}, nameRun([]jparse.Node{n}))
	case *jparse.NegationNode:
		n.RHS = rewrite(n.RHS)
	case *jparse.RangeNode:
		return invoke(fnRange, rewrite(n.LHS), rewrite(n.RHS))
	case *jparse.ArrayNode:
		rewriteItems(n)
	case *jparse.ObjectNode:
		return rewriteObject(n)
	case *jparse.BlockNode:
		rewriteAll(n.Exprs)
	case *jparse.ConditionalNode:
		n.If, n.Then = rewrite(n.If), rewrite(n.Then)
		if n.Else != nil {
			n.Else = rewrite(n.Else)
		}
	case *jparse.AssignmentNode:
		n.Value = rewrite(n.Value)
	case *jparse.GroupNode:
		n.Expr = rewrite(n.Expr)
		rewritePairs(n.ObjectNode)
	case *jparse.PredicateNode:
		n.Expr = rewrite(n.Expr)
		for i := range n.Filters {
			n.Filters[i] = counted(rewrite(n.Filters[i]))
		}
	case *jparse.SortNode:
		n.Expr = rewrite(n.Expr)
		for i := range n.Terms {
			n.Terms[i].Expr = rewrite(n.Terms[i].Expr)
		}
	case *jparse.NumericOperatorNode:
		n.LHS, n.RHS = rewrite(n.LHS), rewrite(n.RHS)
	case *jparse.ComparisonOperatorNode:
		n.LHS, n.RHS = rewrite(n.LHS), rewrite(n.RHS)
		if own, ok := comparisons[n.Type]; ok {
			return invoke(own, n.LHS, n.RHS)
		}
	case *jparse.BooleanOperatorNode:
		n.LHS, n.RHS = rewrite(n.LHS), rewrite(n.RHS)
	case *jparse.StringConcatenationNode:
		n.LHS, n.RHS = rewriteText(n.LHS), rewriteText(n.RHS)
	default:
		return rewriteFunction(n)
	}
	return n
}

// comparisons are those that the library gets wrong for null.
var comparisons = map[jparse.ComparisonOperator]string{
	jparse.ComparisonEqual:    fnEqual,
	jparse.ComparisonNotEqual: fnUnequal,
	jparse.ComparisonIn:       fnIn,
}

func rewriteAll(nodes []jparse.Node) {
	for i := range nodes {
		nodes[i] = rewrite(nodes[i])
	}
}

// rewriteItems leaves nested literal arrays as they are: the library looks for them.
func rewriteItems(n *jparse.ArrayNode) {
	for i, item := range n.Items {
		switch item.(type) {
		case *jparse.ArrayNode, *jparse.ObjectNode, *jparse.StringNode, *jparse.NumberNode:
			n.Items[i] = rewrite(item)
		default:
			n.Items[i] = invoke(fnCharge, rewrite(item))
		}
	}
}

// rewritePairs leaves literal names as they are: the library treats them differently.
func rewritePairs(n *jparse.ObjectNode) {
	for i := range n.Pairs {
		n.Pairs[i][0], n.Pairs[i][1] = rewrite(n.Pairs[i][0]), rewrite(n.Pairs[i][1])
	}
}

// rewriteObject replaces objects whose names are literal. Computed names may group the
// elements of an array, which is left to the library.
func rewriteObject(n *jparse.ObjectNode) jparse.Node {
	rewritePairs(n)
	args, literal := make([]jparse.Node, 0, 2*len(n.Pairs)), true
	for i, pair := range n.Pairs {
		if _, ok := pair[0].(*jparse.StringNode); !ok {
			literal = false
		}
		if v, ok := pair[1].(*jparse.VariableNode); ok && v.Name == "" {
			n.Pairs[i][1] = invoke(fnItem, v)
		}
		args = append(args, pair[0], pair[1])
	}
	if !literal {
		return n
	}
	return invoke(fnObject, args...)
}

// chargeArgs spends what arrays in variables cost that are handed to a function.
func chargeArgs(args []jparse.Node) {
	for i, arg := range args {
		if _, ok := arg.(*jparse.VariableNode); ok {
			args[i] = invoke(fnCharge, arg)
		}
	}
}

func rewriteText(n jparse.Node) jparse.Node {
	if _, literal := n.(*jparse.StringNode); literal {
		return n
	}
	return invoke(fnText, rewrite(n))
}

// rewriteFunction is rewrite for what makes, binds or calls functions. Whatever runs at a later
// call is counted: the body of a function, the arguments bound in a partial application, and
// the clauses of a transformation are the ways in which an expression can recur.
func rewriteFunction(n jparse.Node) jparse.Node {
	switch n := n.(type) {
	case *jparse.LambdaNode:
		n.Body = counted(rewrite(n.Body))
	case *jparse.TypedLambdaNode:
		n.Body = counted(rewrite(n.Body))
	case *jparse.PartialNode:
		n.Func = rewrite(n.Func)
		for i, arg := range n.Args {
			if _, open := arg.(*jparse.PlaceholderNode); !open {
				n.Args[i] = counted(rewrite(arg))
			}
		}
	case *jparse.ObjectTransformationNode:
		n.Pattern = counted(rewrite(n.Pattern))
		// An update that contains the object it is for would make the object contain itself.
		n.Updates = invoke(fnPrivate, counted(rewrite(n.Updates)))
		if n.Deletes != nil {
			n.Deletes = rewrite(n.Deletes)
		}
	case *jparse.FunctionCallNode:
		return rewriteCall(n)
	case *jparse.FunctionApplicationNode:
		n.LHS, n.RHS = rewrite(n.LHS), rewrite(n.RHS)
		// The library inserts LHS into the call anew at every evaluation.
		if f, ok := n.RHS.(*jparse.FunctionCallNode); ok {
			return &jparse.FunctionCallNode{Func: f.Func, Args: append([]jparse.Node{n.LHS}, f.Args...)}
		}
	}
	return n
}

// rewriteCall rewrites a call. The library keeps the context of a call in the function and then
// evaluates the arguments; if these call the same function, it has the wrong context after
// that. Such a call becomes (function($a){$f($a)})(argument).
func rewriteCall(n *jparse.FunctionCallNode) jparse.Node {
	f, named := n.Func.(*jparse.VariableNode)
	nested := false
	for _, arg := range n.Args {
		nested = nested || named && strings.Contains(arg.String(), "$"+f.Name+"(")
	}
	n.Func = rewrite(n.Func)
	rewriteAll(n.Args)
	chargeArgs(n.Args)
	if !nested {
		return n
	}
	inner := &jparse.FunctionCallNode{Func: n.Func}
	shell := &jparse.LambdaNode{Body: inner}
	for i := range n.Args {
		name := fmt.Sprint(reserved, i)
		shell.ParamNames = append(shell.ParamNames, name)
		inner.Args = append(inner.Args, &jparse.VariableNode{Name: name})
	}
	return &jparse.FunctionCallNode{Func: shell, Args: n.Args}
}
