package service

import (
	"sync"
	"sync/atomic"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// Node is what a Variable or Method of ours does; it is the Data of its [space.Node].
type Node struct {
	Space *space.Node
	// Type is a Variable's.
	Type value.Type
	// Inputs and Outputs are a Method's.
	Inputs, Outputs []Argument

	// Transaction starts transactions; nil: the node has none. ReadHeld says that Reads do, too.
	Transaction *core.Node
	ReadHeld    bool
	// TimeoutStatus and TimeoutMessage are what a timeout ends with.
	TimeoutStatus  ua.StatusCode
	TimeoutMessage string
	// Fallback takes the place of an answer that did not come; nil: there is none.
	Fallback *Fallback
	// Keyed says that input KeyAt of a Method, a String, is an idempotency key.
	Keyed bool
	KeyAt int
	// Receive takes JSON text and publishes it; nil: the node does not receive.
	Receive func(value []byte) error

	begun   atomic.Uint64 // numbers the operations that may give the Variable a new value
	mu      sync.Mutex    // guards applied, and that values are stored in order; a node's lock is below it
	applied uint64
}

// Argument is an argument of a Method.
type Argument struct {
	Name string
	Type value.Type
	// Key is the name as the key of a JSON object, with its colon.
	Key string
}

// nodeOf is the Node of ours behind a node of the address space; nil: it has none.
func nodeOf(n *space.Node) *Node {
	node, _ := n.Data.(*Node)
	return node
}

// apply gives the Variable the value of an operation that was answered, unless one that began
// later was answered before.
func (n *Node) apply(number uint64, v *ua.Variant) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if number > n.applied {
		n.applied = number
		n.Space.Store(&ua.DataValue{Value: v})
	}
}

// Set gives the Variable a value that came otherwise.
func (n *Node) Set(v *ua.Variant) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.Space.Store(&ua.DataValue{Value: v})
}
