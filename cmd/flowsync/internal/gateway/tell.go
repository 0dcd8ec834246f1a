package gateway

import (
	"slices"
	"strings"
	"time"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/commission"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/journal"
	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/core/idempotency"
	"github.com/flowsync-go/flowsync/transport/mqtt"
	"github.com/flowsync-go/flowsync/transport/mqtt/embedded"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

// RouteInfo tells what is served on a path.
type RouteInfo struct {
	Method, Path string
	Operation    commission.Operation
	Topic        string
	Timeout      time.Duration // of a transaction
}

// OPCUAInfo tells what OPC UA clients can do.
type OPCUAInfo struct {
	Addr      string // host:port; empty: there is no OPC UA server
	Path      string // of the endpoint URL
	Security  []opcua.Security
	Anonymous bool
	Nodes     []OPCUANodeInfo // those with an operation
}

// OPCUANodeInfo tells what an OPC UA node does.
type OPCUANodeInfo struct {
	Class     opcua.Class // Variable or Method
	NodeID    string
	Operation commission.Operation
	Topic     string
	Timeout   time.Duration // of a transaction
	Reads     bool          // Reads of the Variable are transactions too
}

// HTTPAddr is where the HTTP server listens; empty: there is none.
func (g *Gateway) HTTPAddr() string {
	for _, d := range g.doors {
		if d.protocol == httpProtocol {
			return d.listener.Addr().String()
		}
	}
	return ""
}

// Routes are what the HTTP server serves, in the order of the files.
func (g *Gateway) Routes() []RouteInfo { return slices.Clone(g.routes) }

// OPCUA is what the OPC UA server serves; its nodes are in the order of the tree.
func (g *Gateway) OPCUA() OPCUAInfo {
	info := g.ua
	info.Nodes = slices.Clone(info.Nodes)
	return info
}

// TopicFilters show everything that goes through the broker for this gateway.
func (g *Gateway) TopicFilters() []string {
	var filters []string
	for _, topic := range g.topics {
		parts := strings.SplitN(topic, "/", 3)
		filter := strings.Join(parts[:min(2, len(parts))], "/") + "/#"
		if !slices.Contains(filters, filter) {
			filters = append(filters, filter)
		}
	}
	return filters
}

// ExternalStats are the counters of the connection to a broker outside; false: it is inside.
func (g *Gateway) ExternalStats() (mqtt.Stats, bool) {
	if g.external == nil {
		return mqtt.Stats{}, false
	}
	return g.external.Stats(), true
}

// Broker is what is known of a broker outside; zero if it is inside, or has not been reached yet.
func (g *Gateway) Broker() mqtt.BrokerInfo {
	if g.external == nil {
		return mqtt.BrokerInfo{}
	}
	return g.external.Broker()
}

// EmbeddedStats are the counters of the broker inside the process; zero if it is outside.
func (g *Gateway) EmbeddedStats() embedded.Stats {
	if g.internal == nil {
		return embedded.Stats{}
	}
	return g.internal.Stats()
}

// Keyed are the nodes with idempotency keys.
func (g *Gateway) Keyed() []*core.Node { return slices.Clone(g.keyed) }

// KeyStats are the counters of the keys of a node that is among [Gateway.Keyed].
func (g *Gateway) KeyStats(n *core.Node) idempotency.NodeStats { return g.table.Stats(n) }

// Journal is where keys are kept; nil: nowhere.
func (g *Gateway) Journal() *journal.Journal { return g.journal }

// LostEnds is how many ends of transactions could not be published for responders.
func (g *Gateway) LostEnds() uint64 {
	if g.ends == nil {
		return 0
	}
	return g.ends.lost.Load()
}

// EmbeddedAddr is where the broker inside the process listens; empty if it is outside.
func (g *Gateway) EmbeddedAddr() string {
	if g.internal == nil {
		return ""
	}
	return g.internal.Addr()
}
