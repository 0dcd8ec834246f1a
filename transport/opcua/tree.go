package opcua

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/service"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
)

// maxDepth bounds the depth of a tree.
const maxDepth = 64

// plant puts a tree into an address space, below the Objects folder.
func plant(s *space.Space, root *Node) (map[*Node]*service.Node, error) {
	planted := map[*Node]*service.Node{}
	var add func(parent *ua.NodeID, above string, n *Node) error
	add = func(parent *ua.NodeID, above string, n *Node) error {
		node, err := n.build(above)
		if err != nil {
			return err
		}
		if err := s.Add(parent, node.Space); err != nil {
			return fmt.Errorf("opcua: node %s: %w", n, err)
		}
		planted[n] = node
		if initial := n.initial(); initial != nil {
			node.Set(initial)
		}
		for _, child := range n.Children {
			if err := add(node.Space.ID, n.path(above), child); err != nil {
				return err
			}
		}
		return nil
	}
	return planted, add(ua.NewNumericNodeID(0, id.ObjectsFolder), "", root)
}

// String names the node in errors.
func (n *Node) String() string {
	if n.Where != "" {
		return fmt.Sprintf("%q (%s)", n.BrowseName, n.Where)
	}
	return fmt.Sprintf("%q", n.BrowseName)
}

// path is the names from the root down, joined with dots.
func (n *Node) path(above string) string {
	if above == "" {
		return n.BrowseName
	}
	return above + "." + n.BrowseName
}

// NodeID is the id of a node whose parent's path is above; see [Node.ID].
func (n *Node) nodeID(above string) (*ua.NodeID, error) {
	if n.ID == "" {
		return ua.NewStringNodeID(1, n.path(above)), nil
	}
	id, err := ua.ParseNodeID(n.ID)
	if err != nil || id.Namespace() != 1 || !strings.HasPrefix(n.ID, "ns=1;") {
		return nil, fmt.Errorf("opcua: node %s has the id %q, want ns=1;s=… or ns=1;i=…", n, n.ID)
	}
	return id, nil
}

// build makes what is behind a node.
func (n *Node) build(above string) (*service.Node, error) {
	id, err := n.nodeID(above)
	if err != nil {
		return nil, err
	}
	node := n.behind()
	node.Space.ID = id
	if t := n.Transaction; t != nil && t.Fallback != nil {
		if node.Fallback, err = node.ParseFallback(t.Fallback); err != nil {
			return nil, fmt.Errorf("opcua: node %s: its fallback does not fit: %w", n, err)
		}
	}
	return node, nil
}

// keyAt is the place of the input argument that is an idempotency key; -1: there is none.
func (n *Node) keyAt() int {
	return slices.IndexFunc(n.Inputs, func(a Argument) bool { return a.Name == service.KeyArgument && a.DataType == keyType })
}

var keyType = DataType{Builtin: ua.TypeIDString}

// behind is what is behind a node, without its id.
func (n *Node) behind() *service.Node {
	at := &space.Node{
		BrowseName: &ua.QualifiedName{NamespaceIndex: 1, Name: n.BrowseName}, DisplayName: n.DisplayName, Description: n.Description,
	}
	node := &service.Node{Space: at, Type: n.DataType, Receive: n.Receive}
	at.Data = node
	switch n.Class {
	case Object:
		at.Class = ua.NodeClassObject
	case Variable:
		at.Class = ua.NodeClassVariable
		at.DataType, at.ValueRank = n.DataType.NodeID(), n.DataType.ValueRank()
		at.Writable = n.Transaction != nil || n.Receive != nil
	case Method:
		at.Class = ua.NodeClassMethod
		node.Inputs, at.Inputs = arguments(n.Inputs)
		node.Outputs, at.Outputs = arguments(n.Outputs)
	}
	if t := n.Transaction; t != nil {
		node.Transaction, node.ReadHeld = t.Node, t.Read
		node.KeyAt = n.keyAt()
		node.Keyed = t.Keys && node.KeyAt >= 0
		node.TimeoutStatus, node.TimeoutMessage = ua.StatusCode(t.TimeoutStatus), t.TimeoutMessage
		if node.TimeoutStatus == 0 {
			node.TimeoutStatus = ua.StatusBadTimeout
		}
	}
	return node
}

func arguments(list []Argument) ([]service.Argument, []*ua.Argument) {
	own := make([]service.Argument, len(list))
	told := make([]*ua.Argument, len(list))
	for i, a := range list {
		key, _ := json.Marshal(a.Name) // a string always can be
		own[i] = service.Argument{Name: a.Name, Type: a.DataType, Key: string(key) + ":"}
		told[i] = &ua.Argument{
			Name: a.Name, DataType: a.DataType.NodeID(), ValueRank: a.DataType.ValueRank(),
			ArrayDimensions: []uint32{}, Description: ua.NewLocalizedText(a.Description),
		}
	}
	return own, told
}

// initial is the value that a Variable begins with; nil: it waits for one.
func (n *Node) initial() *ua.Variant {
	switch {
	case n.Class != Variable:
		return nil
	case n.Initial != nil:
		v, _ := n.DataType.Parse(n.Initial) // CheckTree has found it to fit
		return v
	case n.Transaction != nil || n.Receive != nil:
		return n.DataType.Zero()
	}
	return nil
}

// Inspect returns what must be the [core.NodeOptions.Inspect] of a node's transaction: it turns
// the answer's value into what the node's types ask for, and looks at its error code. What does
// not fit is an error that wraps [core.ErrBadResponse].
func Inspect(n *Node) func(*core.Reply) error {
	return n.behind().Inspect
}
