package requester

import (
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
)

// Node is a node that is asked.
type Node struct {
	Name string // of its resource
	Door string // [history.HTTP] or [history.OPCUA]
	// Place is the path of an HTTP route, or the browse name of an OPC UA node.
	Place string
	// Kind is how it is asked.
	Kind Kind
	// Share is how often it is asked, compared with the others.
	Share int

	Timeout, MaxExtend time.Duration
	Serial             bool
	FailFast           bool
	Window             time.Duration // of idempotency keys; 0: it has none
	Wait               bool          // requests wait for the broker
}

// Kind is how a node is asked.
type Kind uint8

// The kinds.
const (
	Post   Kind = iota + 1 // HTTP POST with a JSON object
	Get                    // HTTP GET with the marker in the path
	Method                 // OPC UA Call
	Write                  // OPC UA Write of a text
)

// Topic is the topic of the node, without treq and tres.
func (n *Node) Topic(service string) string { return "services/" + service + "/" + n.Name }

// Checked is the node as the checker of histories knows it.
func (n *Node) Checked(service string) history.Node {
	return history.Node{
		Name: n.Name, Topic: n.Topic(service), Timeout: n.Timeout, MaxExtend: n.MaxExtend,
		Serial: n.Serial, FailFast: n.FailFast, Window: n.Window,
	}
}

// Longest is how long the node may hold a request.
func (n *Node) Longest() time.Duration { return n.Timeout + n.MaxExtend }
