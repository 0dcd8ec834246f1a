package opcua

import (
	"context"
	"net"

	"github.com/flowsync-go/flowsync/core"
)

// Server is an OPC UA server.
type Server struct{}

// New makes a server. The error lists everything that is wrong with options and tree.
func New(o Options) (*Server, error) { panic("not written") }

// Serve accepts connections from ln until Shutdown or Close, and returns nil then. It closes ln.
func (s *Server) Serve(ln net.Listener) error { panic("not written") }

// Provide gives a Variable of the tree a new value, JSON text: how values that come over MQTT get
// in. The error says why the text does not fit the data type; the variable keeps its value.
func (s *Server) Provide(n *Node, text []byte) error { panic("not written") }

// Shutdown stops accepting, tells clients that the server shuts down, and waits until held
// requests have got their responses; then it closes. If ctx ends first its error is
// returned, and Close ends what is left. It ends no held operation: the engine does.
func (s *Server) Shutdown(ctx context.Context) error { panic("not written") }

// Close closes all connections, so that what they hold is cancelled, and returns when their
// goroutines have ended. It may be called more than once.
func (s *Server) Close() error { panic("not written") }

// Inspect returns what must be the [core.NodeOptions.Inspect] of a node's transaction: it turns
// the answer's value into what the node's types ask for, and its error code into a status. What
// does not fit is an error that wraps [core.ErrBadResponse].
func Inspect(n *Node) func(*core.Reply) error { panic("not written") }

// CheckTree reports everything that is wrong with a tree, each with its Where: duplicate
// ids, missing names, arguments that have one name, initial values that do not fit. New calls it.
func CheckTree(root *Node) []error { panic("not written") }
