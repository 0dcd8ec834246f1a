package mqtt

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/flowsync-go/flowsync/core"
)

var (
	_ core.Bus      = (*Bus)(nil)
	_ core.Binder   = (*Bus)(nil)
	_ core.Attacher = (*Bus)(nil)
)

var (
	errClosed     = errors.New("the bus is closed")
	errNotStarted = errors.New("the bus is not started")
	errLost       = errors.New("the connection was lost")

	errNotSubscribed = errors.New("not yet subscribed")
)

// What becomes of a request is told to its requester. Where the broker is and why it cannot be
// reached is for the operator: the log and Start say it.
var (
	errAway  = fmt.Errorf("%w: not connected to the broker", core.ErrNotSent)
	errEnded = fmt.Errorf("%w: the connection to the broker has ended", core.ErrNotSent)
)

// Bus carries requests, answers and other messages over an MQTT 5 broker. All methods may be
// called from many goroutines at once.
type Bus struct {
	broker     broker
	counters   counters
	sink       core.Sink
	seed       maphash.Seed
	routes     *xsync.MapOf[*core.Node, *route]
	publishers []*publisher
	answers    *subscriber // of all answer topics
	listener   *subscriber // of everything else; it connects with the first Subscribe
	knowledge  knowledge   // of the broker
	news       signal      // something about Ready may have changed

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	links  sync.WaitGroup

	mu      sync.Mutex // guards all below
	started bool
	listens bool // there was a Subscribe
	closed  bool
}

// Dial returns a bus for the broker that options name. It does not connect: see [Bus.Start].
// The error lists everything that is wrong with the options.
func Dial(options Options) (*Bus, error) {
	checked, err := options.complete()
	if err != nil {
		return nil, err
	}
	b := &Bus{
		broker: checked,
		seed:   maphash.MakeSeed(),
		routes: xsync.NewMapOf[*core.Node, *route](),
	}
	b.news.init()
	b.knowledge.init(b)
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.answers = newSubscriber(b, checked.ClientID)
	b.listener = newSubscriber(b, checked.ClientID+"-sub")
	for i := range checked.Connections {
		b.publishers = append(b.publishers, newPublisher(b, fmt.Sprintf("%s-p%d", checked.ClientID, i)))
	}
	return b, nil
}

// Bind implements [core.Binder].
func (b *Bus) Bind(sink core.Sink) { b.sink = sink }

// Publish implements [core.Bus]. It copies the request into a buffer and does not wait.
func (b *Bus) Publish(r *core.Request) error {
	rt, ok := b.routes.Load(r.Node)
	if !ok {
		return fmt.Errorf("%w: node %q is not attached to this bus", core.ErrNotSent, r.Node.Name())
	}
	if rt.waits {
		return rt.publisher.room.publish(rt, r)
	}
	c, err := b.way(rt)
	if err != nil {
		return err
	}
	return c.request(rt, r)
}

// changed is called when a connection has come or gone, or a subscription was made or refused.
func (b *Bus) changed() {
	for _, p := range b.publishers {
		p.room.release()
	}
	b.news.raise()
}

// PublishMessage publishes a message that is no request. It copies it into a buffer and does
// not wait; nil means accepted. What waits when the connection is lost is dropped and counted.
// The error wraps [core.ErrNotSent] when there is no connection or the broker does not take
// such a message, [core.ErrShed] when too much waits. Messages on one topic stay in order, those
// of QoS 0 among themselves and the others among themselves.
func (b *Bus) PublishMessage(m Message) error {
	if err := ValidateTopic(m.Topic); err != nil {
		return fmt.Errorf("%w: %w", core.ErrNotSent, err)
	}
	if m.QoS > 2 {
		return fmt.Errorf("%w: QoS %d, want 0, 1 or 2", core.ErrNotSent, m.QoS)
	}
	if m.ContentType != "" {
		if err := validateString(m.ContentType); err != nil {
			return fmt.Errorf("%w: content type %w", core.ErrNotSent, err)
		}
	}
	c, err := b.pick(m.Topic).connection()
	if err != nil {
		return err
	}
	return c.message(&m)
}

// Subscribe calls handle for each message that matches filter, from now on or, before Start,
// from the first connection on. Retained messages come once, with Retain set. Subscriptions
// have a connection of their own, on whose reading goroutine all handlers run, one after the
// other: a slow one holds up the others, but never an answer.
//
// It does not wait for the broker: a refusal is logged, counted and makes Ready false. Several
// handlers may have the same filter; the highest QoS counts.
func (b *Bus) Subscribe(filter string, qos byte, handle Handler) error {
	if err := ValidateFilter(filter); err != nil {
		return fmt.Errorf("mqtt: %w", err)
	}
	if qos > 2 {
		return fmt.Errorf("mqtt: subscription to %q: QoS %d, want 0, 1 or 2", filter, qos)
	}
	b.listener.add(filter, qos, nil, handle)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listens = true
	b.launch()
	return nil
}

// Start connects, and returns when everything is connected and subscribed. If ctx ends before,
// the error says what is missing; the bus goes on trying until Close.
func (b *Bus) Start(ctx context.Context) error {
	b.mu.Lock()
	b.started = true
	b.launch()
	b.mu.Unlock()
	for {
		changed := b.news.wait()
		err := b.why()
		if err == nil {
			return nil
		}
		select {
		case <-changed:
		case <-b.ctx.Done():
			return fmt.Errorf("mqtt: %w", errClosed)
		case <-ctx.Done():
			if err := b.why(); err != nil {
				return fmt.Errorf("mqtt: broker %s: %w (%w)", b.broker.name, err, ctx.Err())
			}
			return nil
		}
	}
}

// launch starts the connections that are wanted and not yet running; b.mu is held.
func (b *Bus) launch() {
	if !b.started || b.closed {
		return
	}
	wanted := []*link{b.answers.link}
	for _, p := range b.publishers {
		wanted = append(wanted, p.link)
	}
	if b.listens {
		wanted = append(wanted, b.listener.link)
	}
	for _, l := range wanted {
		if !l.launched {
			l.launched = true
			b.links.Go(func() { l.run(b.ctx) })
		}
	}
}

// Ready says whether every connection is up and every subscription made.
func (b *Bus) Ready() bool { return b.why() == nil }

// why says why the bus is not ready, nil if it is.
func (b *Bus) why() error {
	if err := b.answers.missing(); err != nil {
		return err
	}
	for _, p := range b.publishers {
		if p.conn.Load() == nil {
			return p.link.absence()
		}
	}
	b.mu.Lock()
	listens := b.listens
	b.mu.Unlock()
	if listens {
		return b.listener.missing()
	}
	return nil
}

// Close writes what waits, until ctx ends, and closes the connections; the sessions end on the
// broker too. It returns when no goroutine of the bus is left, at most about a second after ctx.
// Requests that could not be written, or wait for a connection, end as not published. The error
// says that something was not written that somebody still waited for, because ctx ended or a
// connection did; what was written and not acknowledged is no error. Drain the engine first: an
// answer that arrives later finds nobody. Further calls close at once.
func (b *Bus) Close(ctx context.Context) error {
	b.mu.Lock()
	closed := b.closed
	b.closed = true
	b.mu.Unlock()
	for _, p := range b.publishers {
		p.room.close()
	}
	var conns []*conn
	for _, p := range b.publishers {
		if c, _ := p.connection(); c != nil && !closed {
			_ = c.drain(ctx) // what it leaves may be of nobody any more: that shows below
			conns = append(conns, c)
		}
	}
	b.cancel()
	b.links.Wait()
	for _, c := range conns {
		if err := c.remainder(); err != nil {
			return err
		}
	}
	return nil
}
