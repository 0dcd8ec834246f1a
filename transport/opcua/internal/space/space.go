package space

import (
	"time"

	"github.com/gopcua/opcua/ua"
)

// Info is what the standard nodes tell about the server.
type Info struct {
	ApplicationURI string // also namespace 1
	ProductURI     string
	ProductName    string
	Manufacturer   string
	Version        string
	Started        time.Time
	// Capabilities, in their own units; 0: not stated.
	MaxSessions, MaxArrayLength, MaxStringLength, MaxByteStringLength uint32
	MaxBrowseContinuationPoints                                       uint16
	MaxNodesPerRead, MaxNodesPerWrite, MaxNodesPerMethodCall          uint32
	MaxNodesPerBrowse, MaxNodesPerTranslate, MaxMonitoredItemsPerCall uint32
	MinSupportedSampleRate                                            float64 // ms
	Policies                                                          []string
}

// Space is an address space.
type Space struct{}

// New makes a space with the standard nodes.
func New(info Info) *Space { panic("not written") }

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
	ArrayDimensions []uint32
	Writable        bool
	MinSampling     float64   // ms
	EURange         *ua.Range // of number Variables, for percent deadbands; nil: none

	// Of Methods: their arguments, which become properties (OPC 10000-3, 5.7).
	Inputs, Outputs []*ua.Argument

	// Data is for whoever made the node.
	Data any
}

// Add adds a node below a parent, with the hierarchical reference HasComponent (Organizes below
// the Objects folder) and its type definition (BaseDataVariableType, BaseObjectType). The id
// must be in namespace 1 and not yet used; a duplicate or an unknown parent is an error. A
// Variable holds BadWaitingForInitialData until Store is called.
func (s *Space) Add(parent *ua.NodeID, n *Node) error { panic("not written") }

// Find returns the node of an id; nil: there is none.
func (s *Space) Find(id *ua.NodeID) *Node { panic("not written") }

// Method finds what a Call means (OPC 10000-4, 5.12.2): the method, if the object has it as a
// component. Else BadNodeIdUnknown, BadMethodInvalid, ….
func (s *Space) Method(object, method *ua.NodeID) (*Node, ua.StatusCode) { panic("not written") }

// SetDraining makes ServerStatus say Shutdown instead of Running, and how long it takes.
func (s *Space) SetDraining(remaining time.Duration) { panic("not written") }

// Read answers one item of a Read: any attribute, with index range, data encoding and
// timestamps; never nil. It is also how monitored items sample.
func (s *Space) Read(item *ua.ReadValueID, timestamps ua.TimestampsToReturn) *ua.DataValue {
	panic("not written")
}

// Browse gives all references that a description asks for, in a stable order.
func (s *Space) Browse(d *ua.BrowseDescription) ([]*ua.ReferenceDescription, ua.StatusCode) {
	panic("not written")
}

// Translate follows a browse path.
func (s *Space) Translate(p *ua.BrowsePath) *ua.BrowsePathResult { panic("not written") }

// Load returns a Variable's value; of a live one that of now. Not to be changed.
func (n *Node) Load() *ua.DataValue { panic("not written") }

// Store replaces a Variable's value, which the node owns from now on, and tells the watchers.
// A missing source timestamp becomes now.
func (n *Node) Store(v *ua.DataValue) { panic("not written") }

// Live says that Load computes: there are no changes to hear of, it must be sampled.
func (n *Node) Live() bool { panic("not written") }

// Watcher hears of changes.
type Watcher interface {
	// Changed is called with the node's lock held, in order; it must not call the node.
	Changed(v *ua.DataValue)
}

// Watch makes w hear of changes from now on, and returns the value that holds now. w must be
// comparable; each is added once.
func (n *Node) Watch(w Watcher) *ua.DataValue { panic("not written") }

// Unwatch ends it. A Changed that is under way may still arrive.
func (n *Node) Unwatch(w Watcher) { panic("not written") }
