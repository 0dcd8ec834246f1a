package opcua

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds a browse name or the name of an argument, in bytes.
const maxName = 512

// CheckTree reports everything that is wrong with a tree, each with the node's Where. [New]
// calls it.
func CheckTree(root *Node) []error {
	c := checker{ids: map[string]*Node{}}
	c.node(root, "", 1)
	return c.errs
}

type checker struct {
	errs []error
	ids  map[string]*Node
}

func (c *checker) fault(n *Node, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("opcua: node %s: "+format, append([]any{n}, args...)...))
}

func (c *checker) node(n *Node, above string, depth int) {
	if depth > maxDepth {
		c.fault(n, "nested deeper than %d", maxDepth)
		return
	}
	if err := checkName(n.BrowseName); err != nil {
		c.fault(n, "its browse name %w", err)
	}
	c.id(n, above)
	switch n.Class {
	case Object:
		c.object(n, above, depth)
	case Variable:
		c.variable(n)
	case Method:
		c.method(n)
	default:
		c.fault(n, "it is neither Object, Variable nor Method")
	}
	if n.Class != Object && len(n.Children) > 0 {
		c.fault(n, "only Objects have children")
	}
	c.transaction(n)
	if t := n.Transaction; t != nil && (t.Node == nil || t.TimeoutStatus != 0 && !isBad(t.TimeoutStatus)) {
		c.fault(n, "its transaction has no node, or ends in a timeout status that is not Bad")
	}
}

// transaction looks at what else a transaction asks for.
func (c *checker) transaction(n *Node) {
	t := n.Transaction
	if t == nil {
		return
	}
	if t.Fallback != nil && n.typed() {
		if err := CheckFallback(n, t.Fallback); err != nil {
			c.fault(n, "its fallback does not fit: %w", err)
		}
	}
	if t.Keys {
		if err := CheckKeys(n); err != nil {
			c.fault(n, "idempotency: %w", err)
		}
	}
}

// typed says whether the node has all the data types that it needs.
func (n *Node) typed() bool {
	untyped := func(a Argument) bool { return a.DataType == DataType{} }
	return n.Class == Method && !slices.ContainsFunc(n.Outputs, untyped) || n.Class == Variable && n.DataType != DataType{}
}

// CheckFallback says why a JSON text cannot be the fallback of a node that has its class and its data
// types, and Transaction.Read if it has that. [New] calls it.
func CheckFallback(n *Node, text []byte) error {
	_, err := n.behind().ParseFallback(text)
	return err
}

// CheckKeys says why the operations of a node cannot have idempotency keys. [New] calls it.
func CheckKeys(n *Node) error {
	switch {
	case n.Class != Method:
		return errors.New("only the Calls of a Method can have keys")
	case n.keyAt() < 0:
		return errors.New("it needs an input argument idempotencyKey, a String: that is where the key is")
	}
	return nil
}

func isBad(status uint32) bool {
	_, ok := ParseStatus(int64(status), "")
	return ok
}

func (c *checker) id(n *Node, above string) {
	id, err := n.nodeID(above)
	if err != nil {
		c.errs = append(c.errs, err)
		return
	}
	if other := c.ids[id.String()]; other != nil {
		c.fault(n, "its id %s is that of %s", id, other)
	}
	c.ids[id.String()] = n
}

func (c *checker) object(n *Node, above string, depth int) {
	if n.Transaction != nil || n.Receive != nil {
		c.fault(n, "an Object has no operation")
	}
	names := map[string]bool{}
	for _, child := range n.Children {
		if names[child.BrowseName] {
			c.fault(child, "another node below the same parent has its browse name")
		}
		names[child.BrowseName] = true
		c.node(child, n.path(above), depth+1)
	}
}

func (c *checker) variable(n *Node) {
	if n.Transaction != nil && n.Receive != nil {
		c.fault(n, "set Transaction or Receive, not both")
	}
	if n.DataType == (DataType{}) {
		c.fault(n, "a Variable needs a data type")
		return
	}
	if n.Initial != nil {
		if _, err := n.DataType.Parse(n.Initial); err != nil {
			c.fault(n, "its initial value does not fit: %w", err)
		}
	}
}

func (c *checker) method(n *Node) {
	if (n.Transaction != nil) == (n.Receive != nil) {
		c.fault(n, "a Method needs either Transaction or Receive")
	}
	if n.Transaction != nil && n.Transaction.Read {
		c.fault(n, "a Method is not read")
	}
	c.arguments(n, "input", n.Inputs)
	c.arguments(n, "output", n.Outputs)
}

func (c *checker) arguments(n *Node, kind string, list []Argument) {
	names := map[string]bool{}
	for _, a := range list {
		if err := checkName(a.Name); err != nil {
			c.fault(n, "the name of an %s argument %w", kind, err)
		}
		if names[a.Name] {
			c.fault(n, "two %s arguments are called %q", kind, a.Name)
		}
		names[a.Name] = true
		if a.DataType == (DataType{}) {
			c.fault(n, "the %s argument %q needs a data type", kind, a.Name)
		}
	}
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("is missing")
	case len(name) > maxName:
		return fmt.Errorf("is longer than %d bytes", maxName)
	case !utf8.ValidString(name):
		return errors.New("is not valid UTF-8")
	case strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("has control characters")
	}
	return nil
}
