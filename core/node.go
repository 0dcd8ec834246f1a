package core

import (
	"sync/atomic"
	"time"
)

// Node is one configured route or method. It is made by [Engine.AddNode] and immutable but for
// its count of held transactions.
type Node struct {
	options  NodeOptions
	index    int // place in the counters of each shard
	treq     string
	tres     string
	inFlight atomic.Int64 // used only when MaxInFlight is set
	gate     *gate        // nil unless it is serial
}

// Name labels the node in logs and metrics.
func (n *Node) Name() string { return n.options.Name }

// Topic is the node topic.
func (n *Node) Topic() string { return n.options.Topic }

// RequestTopic is where requests are published: Topic/treq.
func (n *Node) RequestTopic() string { return n.treq }

// AnswerTopic is where answers are read: Topic/tres.
func (n *Node) AnswerTopic() string { return n.tres }

// Timeout is how long a transaction of this node may be held.
func (n *Node) Timeout() time.Duration { return n.options.Timeout }

// QoS is the MQTT quality of service of requests.
func (n *Node) QoS() byte { return n.options.QoS }

// Retain says whether requests are published retained.
func (n *Node) Retain() bool { return n.options.Retain }

// Serial says whether its requests are published one at a time.
func (n *Node) Serial() bool { return n.options.Serial }

// MaxExtend is how much time responders may add to a transaction in all.
func (n *Node) MaxExtend() time.Duration { return n.options.MaxExtend }

// FailFast says whether requests end as no_subscriber when the bus hears that nobody listens.
func (n *Node) FailFast() bool { return n.options.FailFast }

// Wait says whether requests wait for a bus that has no connection.
func (n *Node) Wait() bool { return n.options.Wait }
