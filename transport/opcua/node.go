package opcua

import (
	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// Class is what a node is.
type Class int

// The classes.
const (
	Object Class = iota + 1
	Variable
	Method
)

// DataType is the type of a variable or argument: a built-in type, scalar or an array of one
// dimension. The zero value is none.
type DataType = value.Type

// ParseDataType reads a data type as files name it, "Boolean", "Int32", "i=6", without regard to
// case; valueRank is -1 (scalar) or 1 (array).
func ParseDataType(name string, valueRank int) (DataType, error) {
	return value.ParseType(name, valueRank)
}

// ParseStatus reads a Bad status code, as a number (also in its negative 32-bit form) or, if
// name is not empty, as a name such as BadTimeout.
func ParseStatus(code int64, name string) (status uint32, ok bool) {
	s, ok := value.BadStatus(code, name)
	return uint32(s), ok
}

// Node describes a node of the tree. Nodes are given to [New] and not changed after that.
type Node struct {
	Class Class
	// ID is the node id, "ns=1;s=…", in namespace 1. Empty: the browse names from the root down,
	// joined with dots, as a string id.
	ID          string
	BrowseName  string // required
	DisplayName string // empty: the browse name
	Description string
	Children    []*Node
	// Where names the place in the file that the node comes from; errors quote it.
	Where string

	// DataType and Initial are a Variable's. Initial is JSON text; nil: BadWaitingForInitialData
	// until a value comes, unless Receive or Transaction is set: then the type's zero value.
	DataType DataType
	Initial  []byte
	// Inputs and Outputs are a Method's.
	Inputs, Outputs []Argument

	// Transaction makes Calls of a Method and Writes of a Variable transactions.
	Transaction *Transaction
	// Receive takes what is written to a Variable, or the arguments that a Method is called with
	// (JSON text, valid during the call). Errors are those of transport/http's Route.Receive.
	// A Variable with neither Transaction nor Receive is read-only. A Method has one of them.
	Receive func(value []byte) error
}

// Argument is an input or output argument of a Method.
type Argument struct {
	Name        string
	Description string
	DataType    DataType
}

// Transaction is how a node starts transactions.
type Transaction struct {
	Node *core.Node
	// TimeoutStatus is what a timeout ends with, a Bad status. 0: BadTimeout.
	TimeoutStatus uint32
	// TimeoutMessage is its text in the diagnostic information. Empty: a text of ours.
	TimeoutMessage string
	// Read makes Reads of a Variable's value transactions too.
	Read bool
	// Fallback is JSON text that is given as the answer, with the status UncertainSubstituteValue,
	// when the outcome is timeout, shed or not_published. It must fit as an answer must; a Variable
	// keeps its value, and may have null unless Read is set. nil: none.
	Fallback []byte
	// Keys says that a Method's input argument idempotencyKey, a String, becomes [core.Call.Key]; if
	// it is null or empty there is none. The user is that of the session.
	Keys bool
}
