package commission

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/transport/opcua"
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
	OPCUAServer *OPCUAServer // nil: none
	Mappings    []*Mapping
}

// OPCUAServer is the one of all files, with the service that has it; nil: there is none.
func (m *Model) OPCUAServer() (*Service, *OPCUAServer) {
	for _, s := range m.Services {
		if s.OPCUAServer != nil {
			return s, s.OPCUAServer
		}
	}
	return nil, nil
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

// Node is what nodes of all protocols have.
type Node struct {
	ID          string // of the resource
	Operation   Operation
	Topic       string // the whole node topic; empty if the node has none
	QoS         byte
	Retain      bool
	Rules       []rules.Spec
	Transaction TransactionOptions // zero unless Operation is Transaction
	Pos         Position
}

// HTTPNode is a Cybus::Node::Http.
type HTTPNode struct {
	Node
	Method           string // GET, POST, PUT, PATCH, DELETE
	Route            string
	TimeoutErrorCode int // 400 to 599; 0 unless Operation is Transaction
}

// Methods are those that the node answers to.
func (n *HTTPNode) Methods() []string {
	if n.Operation == ServerProvidesAndReceives && n.Method != "GET" {
		return []string{"GET", n.Method}
	}
	return []string{n.Method}
}

// TransactionOptions are the properties below "transaction" that all protocols have.
type TransactionOptions struct {
	Timeout             time.Duration // 1 ms to 1 h
	TimeoutErrorMessage string
	MaxInFlight         int // 0: no limit
	ResponseRules       []rules.Spec
	Serial              bool
	Fallback            json.RawMessage // nil: none
	Idempotency         bool
	IdempotencyWindow   time.Duration // 0 unless Idempotency is set
	MaxExtend           time.Duration // 0: none
	Outcomes            bool          // ends are published on Topic/tend
	FailFast            bool
	Wait                bool // onDisconnect: wait
}

// OPCUAServer is the enabled Cybus::Server::Opcua, with the tree of its enabled nodes. There is
// one in a model, or none.
type OPCUAServer struct {
	ID             string
	Port           int
	ResourcePath   string // begins with a slash
	Hosts          []string
	ApplicationURI string // empty: not given
	Security       []opcua.Security
	Anonymous      bool
	Root           *OPCUANode
	Pos            Position
}

// OPCUANode is a Cybus::Node::Opcua. An Object has no operation, nor has a Variable that keeps
// its initial value for ever.
type OPCUANode struct {
	Node
	Class       opcua.Class
	NodeID      string // ns=1;…, given or made of the browse names
	BrowseName  string
	DisplayName string // empty: the browse name
	Description string
	Children    []*OPCUANode

	DataType        opcua.DataType  // of a Variable
	Initial         json.RawMessage // of a Variable; nil: none
	Inputs, Outputs []opcua.Argument

	TimeoutStatus   uint32 // a Bad status; 0 unless Operation is Transaction
	ReadTransaction bool   // Reads of a Variable are transactions too
}

// EachNode calls f with the nodes below and including n, parents first.
func (n *OPCUANode) EachNode(f func(*OPCUANode)) {
	f(n)
	for _, child := range n.Children {
		child.EachNode(f)
	}
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
