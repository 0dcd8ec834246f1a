package gateway

import (
	"context"
	"crypto/tls"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/commission"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/journal"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/core/idempotency"
	"github.com/flowsync-go/flowsync/transport/http"
	"github.com/flowsync-go/flowsync/transport/mqtt"
	"github.com/flowsync-go/flowsync/transport/mqtt/embedded"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

// Settings of a gateway, judged by the command line.
type Settings struct {
	// HTTP is where to listen, host:port; used only if the model has an HTTP server.
	HTTP string
	// HTTPPrefix stands before the base path of every HTTP server.
	HTTPPrefix string
	// TLS, AllowOrigins and Token are those of [http.Options].
	TLS          *tls.Config
	AllowOrigins []string
	Token        string
	// OPCUA is where to listen for OPC UA clients, host:port; used only if the model has an OPC UA
	// server. Empty: 127.0.0.1 and the port that the model gives.
	OPCUA string
	// Login judges user names and passwords of OPC UA clients, as in [opcua.Options]. nil: there
	// are no users.
	Login func(user, password string) bool
	// State is the folder of certificates, and Version is told to clients, as in [opcua.Options].
	State, Version string
	// Broker is the broker to connect to. nil: the one inside the process, Embedded.
	Broker   *mqtt.Options
	Embedded embedded.Options
	// NoShare makes mappings subscribe plainly, not through a shared subscription.
	NoShare bool
	// MaxInFlight and MaxHeldBytes are those of [core.Options].
	MaxInFlight  int
	MaxHeldBytes int64
	// Observer hears of every end and every stray answer. May be nil.
	Observer core.Observer
	// Logger is required.
	Logger *slog.Logger
}

// connectWait is how long Open waits for the broker. It goes on connecting after that.
const connectWait = 3 * time.Second

// Gateway is a running service.
type Gateway struct {
	settings Settings
	link     link
	external *mqtt.Bus        // the link, if it is one of these; else nil
	internal *embedded.Broker // the link, if it is one of these; else nil
	bus      *ruleBus
	engine   *core.Engine
	table    *idempotency.Table // of keys; nil: no node has any
	keyed    []*core.Node       // nodes with keys
	journal  *journal.Journal   // of the table; nil: there is no --state
	ends     *endsPublisher     // nil: no node has outcomes
	http     *http.Server       // nil: the model has no HTTP server
	opcua    *opcua.Server      // nil: the model has no OPC UA server
	doors    []*door            // both, as far as there are
	relays   []*relay
	runs     []*rules.Run // of nodes that receive and provide
	routes   []RouteInfo
	ua       OPCUAInfo
	topics   []string // of all nodes

	failed   chan error // why a server ended by itself
	serving  sync.WaitGroup
	draining atomic.Bool
}

// Open makes a service of the model and starts it. It returns when everything listens and, if
// the broker can be reached in time, is connected: a broker that is away is logged, and does
// not keep the gateway from starting. On error nothing is left running.
func Open(ctx context.Context, model *commission.Model, settings Settings) (*Gateway, error) {
	g := &Gateway{settings: settings, failed: make(chan error, 1)}
	if err := g.open(ctx, model); err != nil {
		_ = g.closeAll() // the first error is the one to tell
		return nil, err
	}
	return g, nil
}

func (g *Gateway) open(ctx context.Context, model *commission.Model) error {
	if err := g.openLink(); err != nil {
		return err
	}
	if err := g.openEngine(model); err != nil {
		return err
	}
	if err := g.addHTTP(model); err != nil {
		return err
	}
	if err := g.addOPCUA(model); err != nil {
		return err
	}
	if err := g.addMappings(model); err != nil {
		return err
	}
	if err := g.connect(ctx); err != nil {
		return err
	}
	for _, d := range g.doors {
		g.serving.Go(func() { g.serve(d) })
	}
	return nil
}

// openEngine makes the engine and what stands between it and the link.
func (g *Gateway) openEngine(model *commission.Model) error {
	if err := g.openTable(model); err != nil {
		return err
	}
	g.bus = newRuleBus(g.tableBus())
	engine, err := core.New(g.bus, core.Options{
		MaxInFlight: g.settings.MaxInFlight, MaxHeldBytes: g.settings.MaxHeldBytes, Observer: g.observers(model),
	})
	if err != nil {
		return err
	}
	g.engine = engine
	if g.table != nil {
		g.table.Use(engine)
	}
	return nil
}

// observers are all who hear of ends and stray answers.
func (g *Gateway) observers(model *commission.Model) core.Observer {
	var all observers
	if g.settings.Observer != nil {
		all = append(all, g.settings.Observer)
	}
	if g.table != nil {
		all = append(all, g.table)
	}
	if some(model, func(t *commission.TransactionOptions) bool { return t.Outcomes }) {
		g.ends = startEndsPublisher(g.link, g.settings.Logger)
		all = append(all, g.ends)
	}
	return all
}

func (g *Gateway) openLink() error {
	if g.settings.Broker != nil {
		bus, err := mqtt.Dial(*g.settings.Broker)
		if err != nil {
			return err
		}
		g.link, g.external = bus, bus
		return nil
	}
	broker, err := embedded.Start(g.settings.Embedded)
	if err != nil {
		return err
	}
	g.link, g.internal = broker, broker
	return nil
}

// connect waits a little for an external broker. A broker that cannot be reached is no reason
// not to start: machines get an answer that says so, and the connection is made when it can be.
func (g *Gateway) connect(ctx context.Context) error {
	if g.external == nil {
		return nil
	}
	wait, cancel := context.WithTimeout(ctx, connectWait)
	defer cancel()
	err := g.external.Start(wait)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	g.settings.Logger.Warn("the broker is not there yet, requests end as not_published until it is", "error", err)
	return nil
}

// Failed delivers the error of a part that ended by itself, without which there is no going on.
func (g *Gateway) Failed() <-chan error { return g.failed }

// Engine is the gateway's engine, for whoever reads its counters.
func (g *Gateway) Engine() *core.Engine { return g.engine }

// Ready says why requests cannot be served now; empty: they can.
func (g *Gateway) Ready() []string {
	var reasons []string
	if g.draining.Load() {
		reasons = append(reasons, "shutting down")
	}
	if !g.link.Ready() {
		reasons = append(reasons, "not connected to the broker")
	}
	return reasons
}
