package space

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Node is a node. What is exported is not changed once it was added.
type Node struct {
	ID          *ua.NodeID
	Class       ua.NodeClass
	BrowseName  *ua.QualifiedName
	DisplayName string // empty: the browse name
	Description string

	// Of Variables.
	DataType        *ua.NodeID
	ValueRank       int32
	ArrayDimensions []uint32 // nil: of any length
	Writable        bool
	MinSampling     float64   // ms
	EURange         *ua.Range // of number Variables, for percent deadbands; nil: none

	// Of Methods: their arguments, which become properties (OPC 10000-3, 5.7).
	Inputs, Outputs []*ua.Argument

	// Data is for whoever made the node.
	Data any

	// Set when it was added; read-only from then on.
	displayName *ua.LocalizedText
	description *ua.LocalizedText
	expandedID  *ua.ExpandedNodeID
	definition  *Node       // the target of HasTypeDefinition, of Objects and Variables
	references  []reference // in the order of adding
	traits      *traits     // of type nodes
	live        func(now time.Time) *ua.DataValue

	value    atomic.Pointer[ua.DataValue] // replaced under mu, read without
	mu       sync.Mutex                   // guards watchers and the order of changes; only a watcher's own lock is taken under it
	watchers watchers
}

// reference is one end of a reference.
type reference struct {
	kind    *Node // a reference type
	target  *Node
	forward bool
}

// traits are what only type nodes have.
type traits struct {
	super     *Node // nil: the root of a hierarchy
	abstract  bool
	symmetric bool
	inverse   string
	self      uint64 // of reference types: its own bit,
	family    uint64 // and those of itself and its subtypes
}

// prepare computes what is told about the node again and again.
func (n *Node) prepare() {
	name := n.DisplayName
	if name == "" {
		name = n.BrowseName.Name
	}
	n.displayName = ua.NewLocalizedText(name)
	n.description = ua.NewLocalizedText(n.Description)
	n.expandedID = &ua.ExpandedNodeID{NodeID: n.ID}
}

// link stores a reference at both ends.
func link(source, kind, target *Node) {
	source.references = append(source.references, reference{kind: kind, target: target, forward: true})
	target.references = append(target.references, reference{kind: kind, target: source})
}

// isA says whether a type node is another one or one of its subtypes.
func (n *Node) isA(other *Node) bool {
	for n != nil && n.traits != nil {
		if n == other {
			return true
		}
		n = n.traits.super
	}
	return false
}
