package commission

import (
	"fmt"
	"time"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
)

// Model is what all files together say. It is only made of files without errors.
type Model struct {
	Services []*Service
}

// Service is one file.
type Service struct {
	ID          string // [a-z0-9_-], unique in the model
	File        string
	Pos         Position // of what the id is made of
	HTTPServers []*HTTPServer
	Mappings    []*Mapping
}

// HTTPServer is an enabled Cybus::Server::Http, with its enabled nodes.
type HTTPServer struct {
	ID       string
	BasePath string
	MaxBody  int // bytes
	Nodes    []*HTTPNode
	Pos      Position
}

// Operation is what happens to a request at a node.
type Operation string

// The operations.
const (
	Transaction               Operation = "transaction"
	ServerReceives            Operation = "serverReceives"
	ServerProvides            Operation = "serverProvides"
	ServerProvidesAndReceives Operation = "serverProvidesAndReceives"
)

// HTTPNode is a Cybus::Node::Http.
type HTTPNode struct {
	ID          string // of the resource
	Method      string // GET, POST, PUT, PATCH, DELETE
	Route       string
	Operation   Operation
	Topic       string // the whole node topic
	QoS         byte
	Retain      bool
	Rules       []rules.Spec
	Transaction TransactionOptions // zero unless Operation is Transaction
	Pos         Position
}

// Methods are those that the node answers to.
func (n *HTTPNode) Methods() []string {
	if n.Operation == ServerProvidesAndReceives && n.Method != "GET" {
		return []string{"GET", n.Method}
	}
	return []string{n.Method}
}

// TransactionOptions are the properties below "transaction".
type TransactionOptions struct {
	Timeout             time.Duration // 1 ms to 1 h
	TimeoutErrorCode    int           // 400 to 599
	TimeoutErrorMessage string
	MaxInFlight         int // 0: no limit
	ResponseRules       []rules.Spec
}

// Mapping is a Cybus::Mapping entry.
type Mapping struct {
	ID      string // of the resource, with a number if it has several mappings
	Inputs  []Input
	Publish Publish
	Rules   []rules.Spec
	Pos     Position
}

// Input is one subscription of a mapping.
type Input struct {
	Filter string   // an MQTT topic filter, without the names of its wildcards
	Names  []string // a name for each wildcard, empty for those without
	Label  string
	QoS    byte
}

// Publish is where a mapping sends its messages. {name} in Topic stands for a variable.
type Publish struct {
	Topic  string
	QoS    byte
	Retain bool
}

// Position is a place in a file. Line and Column begin at 1; 0: the file as a whole.
type Position struct {
	File         string
	Line, Column int
}

func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is something that is wrong with a file, or doubtful.
type Problem struct {
	Pos     Position
	Text    string
	Hint    string // what to do; may be empty
	Warning bool   // it can be served nevertheless
}

func (p Problem) String() string {
	s := p.Pos.String() + ": " + p.Text
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}
