package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/puzpuzpuz/xsync/v3"

	"github.com/flowsync-go/flowsync/core"
)

const (
	listenerID = "tcp"
	clientID   = "flowsync-embedded"
	// sessionExpiry is how long the session of a client that is away is kept at most, in seconds.
	sessionExpiry = 3600
	// sysInterval is how often $SYS topics are published, in seconds. It stops the world each time.
	sysInterval = 60
)

// Broker is an MQTT broker and the gateway's bus on it. All methods may be called from many
// goroutines at once.
type Broker struct {
	options  Options
	log      *slog.Logger
	server   *broker.Server
	self     *broker.Client // who publishes what we publish
	listener net.Listener
	sink     core.Sink
	answers  *xsync.MapOf[string, *answerTopic] // by topic
	lanes    *xsync.MapOf[*core.Node, *lane]
	handlers *dispatcher
	retained retained
	counters counters

	generations generations
	settle      time.Duration // settleTime, but in tests

	budget    budget
	relieving sync.Mutex // one at a time; taken before mu and those of conns

	dropped, handlersLost, notRetained, slow, mute, crowded, oversized, refused, parentLost losses

	closed  atomic.Bool
	stop    chan struct{}  // closed by Close
	running sync.WaitGroup // all goroutines of ours
	mu      sync.Mutex     // guards conns, and closed against new ones
	conns   map[*conn]struct{}
}

// Start opens the port and returns when clients can connect. The error lists everything that is
// wrong with the options, or says what is wrong with the port and what to do.
func Start(options Options) (*Broker, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	listener, err := listen(options.Addr, options.AnyPort)
	if err != nil {
		return nil, err
	}
	b := &Broker{
		options:  options,
		log:      options.Logger,
		listener: listener,
		answers:  xsync.NewMapOf[string, *answerTopic](),
		lanes:    xsync.NewMapOf[*core.Node, *lane](),
		settle:   settleTime,
		handlers: newDispatcher(&options),
		retained: retained{limit: options.MaxRetained, sizes: map[string]int{}},
		stop:     make(chan struct{}),
		conns:    map[*conn]struct{}{},
	}
	b.budget.limit, b.budget.relieve = int64(options.MaxBacklogTotal), b.relieve
	b.nameLosses()
	if err := b.serve(); err != nil {
		_ = listener.Close()
		return nil, err
	}
	b.running.Go(b.handlers.run)
	b.running.Go(b.accept)
	return b, nil
}

func (b *Broker) nameLosses() {
	for l, text := range map[*losses]string{
		&b.dropped:      "embedded broker dropped messages for a client: it reads too slowly",
		&b.handlersLost: "embedded broker dropped messages for mappings: they are too slow, or feed themselves",
		&b.notRetained:  "embedded broker did not retain messages: too much is retained",
		&b.slow:         "embedded broker disconnected a client that does not read",
		&b.mute:         "embedded broker gave up a client that does not read, or does not acknowledge: what it was given is dropped",
		&b.crowded:      "embedded broker disconnected the client for whom most waits: too much waits for all together",
		&b.oversized:    "embedded broker disconnected a client that sent too large a packet",
		&b.refused:      "embedded broker refused a client: there are too many",
		&b.parentLost:   "embedded broker does not give a client what is published on the level above the last of his filter",
	} {
		l.log, l.text = b.log, text
	}
}

// serve sets the broker up, without a listener of its own.
func (b *Broker) serve() error {
	capabilities := broker.NewDefaultServerCapabilities()
	capabilities.MaximumClients = int64(b.options.MaxClients)
	capabilities.MaximumClientWritesPending = int32(b.options.MaxInFlight)
	capabilities.MaximumInflight = math.MaxUint16 // there are no more packet ids
	capabilities.ReceiveMaximum = receiveMaximum
	capabilities.MaximumPacketSize = uint32(b.options.MaxPacket)
	capabilities.MaximumSessionExpiryInterval = sessionExpiry
	capabilities.Compatibilities.NoInheritedPropertiesOnAck = true // PUBACK has no Response Topic (MQTT 5 §3.4.2.2)
	b.server = broker.New(&broker.Options{
		Capabilities:             capabilities,
		ClientNetWriteBufferSize: 1, // conn gathers
		Logger:                   slog.New(quietened{b.log.Handler()}),
		SysTopicResendInterval:   sysInterval,
	})
	b.self = b.server.NewClient(nil, broker.LocalListener, clientID, true)
	b.self.Properties.ProtocolVersion = 5 // otherwise what we retain never expires
	if err := b.server.AddHook(&hook{b: b}, nil); err != nil {
		return fmt.Errorf("embedded: %w", err)
	}
	if err := b.server.Serve(); err != nil {
		return fmt.Errorf("embedded: %w", err)
	}
	return nil
}

// Addr is where the broker listens, host:port.
func (b *Broker) Addr() string { return b.listener.Addr().String() }

// Ready says whether requests can be published: from Start to Close.
func (b *Broker) Ready() bool { return !b.closed.Load() }

// Close disconnects all clients, once what waits for them is written or a second has passed, and
// returns when no goroutine of the broker is left. Drain the engine first: an answer that arrives
// later finds nobody. If ctx ends before, connections are cut and the error is that of ctx.
// Messages that wait for handlers are dropped; the handler that runs is waited for, so Close must
// not be called from one. Further calls do nothing.
func (b *Broker) Close(ctx context.Context) error {
	b.mu.Lock()
	if b.closed.Swap(true) {
		b.mu.Unlock()
		return nil
	}
	conns := make([]*conn, 0, len(b.conns))
	for c := range b.conns {
		conns = append(conns, c)
	}
	b.mu.Unlock()
	close(b.stop)
	_ = b.listener.Close() // only because it is closed already
	b.sayGoodbye()
	for _, c := range conns {
		_ = c.Close()
	}
	b.handlers.close()
	err := b.wait(ctx, conns)
	_ = b.server.Close() // never fails
	for _, l := range []*losses{&b.dropped, &b.handlersLost, &b.notRetained, &b.slow, &b.mute, &b.crowded, &b.oversized, &b.refused, &b.parentLost} {
		l.flush()
	}
	return err
}

func (b *Broker) sayGoodbye() {
	for _, cl := range b.server.Clients.GetAll() {
		b.dismiss(cl, packets.ErrServerShuttingDown)
	}
}

// dismiss tells a client why he is disconnected. MQTT 3.1.1 has no such packet.
func (b *Broker) dismiss(cl *broker.Client, why packets.Code) {
	if cl.Properties.ProtocolVersion == 5 {
		_ = b.server.DisconnectClient(cl, why) // returns its reason
	} else {
		cl.Stop(why)
	}
}

func (b *Broker) wait(ctx context.Context, conns []*conn) error {
	gone := make(chan struct{})
	go func() {
		b.running.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
	}
	for _, c := range conns {
		_ = c.Conn.Close()
	}
	<-gone
	return fmt.Errorf("embedded: closed before everything was written: %w", ctx.Err())
}
