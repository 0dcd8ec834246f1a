package gateway

import (
	"slices"
	"strings"
	"time"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/commission"
	"github.com/flowsync-go/flowsync/transport/mqtt"
	"github.com/flowsync-go/flowsync/transport/mqtt/embedded"
)

// RouteInfo tells what is served on a path.
type RouteInfo struct {
	Method, Path string
	Operation    commission.Operation
	Topic        string
	Timeout      time.Duration // of a transaction
}

// HTTPAddr is where the HTTP server listens; empty: there is none.
func (g *Gateway) HTTPAddr() string {
	if g.listener == nil {
		return ""
	}
	return g.listener.Addr().String()
}

// Routes are what the HTTP server serves, in the order of the files.
func (g *Gateway) Routes() []RouteInfo { return slices.Clone(g.routes) }

// TopicFilters show everything that goes through the broker for this gateway.
func (g *Gateway) TopicFilters() []string {
	var filters []string
	for _, r := range g.routes {
		parts := strings.SplitN(r.Topic, "/", 3)
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

// EmbeddedStats are the counters of the broker inside the process; zero if it is outside.
func (g *Gateway) EmbeddedStats() embedded.Stats {
	if g.internal == nil {
		return embedded.Stats{}
	}
	return g.internal.Stats()
}

// EmbeddedAddr is where the broker inside the process listens; empty if it is outside.
func (g *Gateway) EmbeddedAddr() string {
	if g.internal == nil {
		return ""
	}
	return g.internal.Addr()
}
