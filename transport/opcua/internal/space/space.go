package space

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// ownNamespace is the index of the namespace of all nodes that are not standard.
const ownNamespace = 1

// Space is an address space.
type Space struct {
	nodes map[key]*Node // read-only once the space is served

	info     Info
	build    *ua.BuildInfo
	closesAt atomic.Pointer[time.Time] // nil: running
}

// New makes a space with the standard nodes.
func New(info Info) *Space {
	if info.Started.IsZero() {
		info.Started = time.Now()
	}
	s := &Space{nodes: make(map[key]*Node), info: info, build: info.build()}
	s.addTypes()
	s.addObjects()
	return s
}

// Find returns the node of an id; nil: there is none.
func (s *Space) Find(id *ua.NodeID) *Node { return s.nodes[keyOf(id)] }

// Add adds a node below a parent, with a hierarchical reference and its type definition:
// BaseObjectType, BaseDataVariableType, or AnalogItemType for a Variable with an EURange. The
// reference is HasComponent; below a folder it is Organizes, except for Methods, which can only be
// called if they are components. The id must be in namespace 1 and not yet used; a duplicate, an
// unknown parent, or one that cannot have such a node, is an error. A Variable holds
// BadWaitingForInitialData until Store is called. Arguments and EURange become properties, with
// ids in namespace 1 that are derived from the node's.
func (s *Space) Add(parent *ua.NodeID, n *Node) error {
	p, err := s.check(parent, n)
	if err != nil {
		return err
	}
	reference := uint32(id.HasComponent)
	if n.Class != ua.NodeClassMethod && p.definition == s.standard(id.FolderType) {
		reference = id.Organizes
	}
	n.definition = s.definitionOf(n)
	if n.Class == ua.NodeClassVariable && n.value.Load() == nil {
		n.value.Store(&ua.DataValue{EncodingMask: ua.DataValueStatusCode, Status: ua.StatusBadWaitingForInitialData})
	}
	s.insert(p, reference, n)
	s.addArguments(n, "InputArguments", n.Inputs)
	s.addArguments(n, "OutputArguments", n.Outputs)
	if n.EURange != nil {
		s.addRange(n)
	}
	return nil
}

// definitionOf gives the type definition of a node; nil: it has none.
func (s *Space) definitionOf(n *Node) *Node {
	switch {
	case n.Class == ua.NodeClassObject:
		return s.standard(id.BaseObjectType)
	case n.Class == ua.NodeClassVariable && n.EURange != nil:
		return s.standard(id.AnalogItemType)
	case n.Class == ua.NodeClassVariable:
		return s.standard(id.BaseDataVariableType)
	default:
		return nil
	}
}

// check says what is wrong with a node, and finds its parent.
func (s *Space) check(parent *ua.NodeID, n *Node) (*Node, error) {
	if n.ID == nil || n.ID.Namespace() != ownNamespace {
		return nil, fmt.Errorf("node id %v: must be in namespace %d", n.ID, ownNamespace)
	}
	if n.BrowseName == nil || n.BrowseName.Name == "" {
		return nil, fmt.Errorf("node %v: has no browse name: give it one", n.ID)
	}
	if s.Find(n.ID) != nil {
		return nil, fmt.Errorf("node id %v: is used twice (or by the arguments of a method): choose another", n.ID)
	}
	p := s.Find(parent)
	if p == nil {
		return nil, fmt.Errorf("node %v: its parent %v does not exist: add that first", n.ID, parent)
	}
	if err := s.fits(p, n); err != nil {
		return nil, fmt.Errorf("node %v: %w", n.ID, err)
	}
	return p, nil
}

// fits says whether a node may be below a parent (OPC 10000-3, 7.7), and has what its class needs.
func (s *Space) fits(parent, n *Node) error {
	switch n.Class {
	case ua.NodeClassObject, ua.NodeClassMethod:
		if parent.Class != ua.NodeClassObject {
			return fmt.Errorf("a %s must be below an object, not below %v", n.Class, parent.ID)
		}
	case ua.NodeClassVariable:
		if parent.Class != ua.NodeClassObject && parent.Class != ua.NodeClassVariable {
			return fmt.Errorf("a variable must be below an object or a variable, not below %v", parent.ID)
		}
		if n.DataType == nil {
			return errors.New("a variable needs a data type")
		}
	default:
		return fmt.Errorf("class %v cannot be added: only objects, variables and methods", n.Class)
	}
	return s.owns(n)
}

// owns says whether what belongs to one class only is not given to another.
func (s *Space) owns(n *Node) error {
	if n.Class != ua.NodeClassMethod && len(n.Inputs)+len(n.Outputs) > 0 {
		return errors.New("only a method has arguments")
	}
	if n.EURange == nil {
		return nil
	}
	if n.Class != ua.NodeClassVariable || !s.Find(n.DataType).isA(s.standard(id.Number)) {
		return errors.New("only a variable whose data type is a number has an EURange")
	}
	return nil
}

// insert puts a node below its parent, if it has one.
func (s *Space) insert(parent *Node, reference uint32, n *Node) {
	n.prepare()
	s.nodes[keyOf(n.ID)] = n
	if parent != nil {
		link(parent, s.standard(reference), n)
	}
	if n.definition != nil {
		link(n, s.standard(id.HasTypeDefinition), n.definition)
	}
}

// standard returns a standard node; nil: it is not there.
func (s *Space) standard(number uint32) *Node {
	return s.nodes[key{kind: ua.NodeIDTypeNumeric, number: number}]
}

// standardID makes the node id of a standard node, in its shortest encoding.
func standardID(number uint32) *ua.NodeID {
	switch {
	case number <= 0xff:
		return ua.NewTwoByteNodeID(uint8(number))
	case number <= 0xffff:
		return ua.NewFourByteNodeID(0, uint16(number))
	default:
		return ua.NewNumericNodeID(0, number)
	}
}

// constant makes a value that holds since the server was started.
func (s *Space) constant(v any) *ua.DataValue {
	return &ua.DataValue{
		EncodingMask:    ua.DataValueValue | ua.DataValueSourceTimestamp,
		Value:           ua.MustVariant(v),
		SourceTimestamp: s.info.Started,
	}
}
