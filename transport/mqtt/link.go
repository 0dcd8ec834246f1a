package mqtt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"github.com/flowsync-go/flowsync/core"
)

const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 2 * time.Second
	// stable is how long a connection must have lasted for the next attempt to come at once.
	stable = 5 * time.Second
	// subackTimeout is how long the broker may take to acknowledge a SUBSCRIBE.
	subackTimeout = 10 * time.Second
)

// role is what a connection is for.
type role interface {
	// prepare completes the CONNECT; again is false for the first connection.
	prepare(cp *paho.Connect, again bool)
	// fresh is called when the broker has accepted a connection and has no session of ours, on
	// the reading goroutine, before incoming.
	fresh()
	// incoming takes a PUBLISH or an acknowledgement, on the reading goroutine. body is valid
	// during the call only. An error ends the connection.
	incoming(c *conn, first byte, body []byte) error
	// serve uses the connection and returns when it is lost, when ctx ends, or with an error
	// that ends it.
	serve(ctx context.Context, on *session) error
	// farewell is the DISCONNECT that ends it when the bus is closed.
	farewell() *paho.Disconnect
}

// session is one connection that the broker has accepted.
type session struct {
	client  *paho.Client
	conn    *conn
	connack *paho.Connack
	again   bool // it is not the first one of its link
}

func (s *session) lost() <-chan struct{} { return s.client.Done() }

// link keeps a connection to the broker: it makes it again whenever it is lost.
type link struct {
	bus      *Bus
	role     role
	clientID string
	log      *slog.Logger
	launched bool // guarded by Bus.mu
	again    bool // there was a connection; used by run only
	trouble  atomic.Pointer[error]

	losses   complaint
	requests complaint // that the broker refused
	messages complaint // likewise
}

func newLink(b *Bus, clientID string, r role) *link {
	l := &link{bus: b, role: r, clientID: clientID}
	l.log = b.broker.Logger.With("broker", b.broker.name, "client", clientID)
	l.trouble.Store(&errNotStarted)
	l.losses.log, l.requests.log, l.messages.log = l.log, l.log, l.log
	l.requests.spacing, l.messages.spacing = time.Second, time.Second // there may be one for each
	return l
}

// absence says why there is no connection, to the operator.
func (l *link) absence() error { return fmt.Errorf("not connected: %w", *l.trouble.Load()) }

// away says to a requester that there is none.
func (l *link) away() error {
	if why := *l.trouble.Load(); errors.Is(why, errClosed) || errors.Is(why, errNotStarted) {
		return fmt.Errorf("%w: %w", core.ErrNotSent, why)
	}
	return errAway
}

// run connects again and again until ctx ends.
func (l *link) run(ctx context.Context) {
	defer l.trouble.Store(&errClosed)
	for attempt := 0; ; attempt++ {
		began := time.Now()
		err := l.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		l.trouble.Store(&err)
		l.bus.news.raise()
		if time.Since(began) > stable {
			attempt = 0
			l.losses.settle()
		}
		wait := backoff(attempt)
		if d := new(disconnected); errors.As(err, &d) {
			l.bus.counters.disconnects.Add(1)
			if d.reason == reasonSessionTakenOver {
				// Two that share a client id would throw each other out as fast as they can.
				l.bus.counters.takeovers.Add(1)
				wait = maxBackoff
			}
		}
		l.losses.complain("no connection to the broker", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// backoff is random, so that not all gateways of a plant come back in the same instant.
func backoff(attempt int) time.Duration {
	d := min(minBackoff<<min(attempt, 10), maxBackoff/2)
	return d + rand.N(d)
}

// connect is one connection from its beginning to its end. The error says why it ended.
func (l *link) connect(ctx context.Context) error {
	raw, err := l.bus.broker.dial(ctx)
	if err != nil {
		l.bus.counters.connectFailures.Add(1)
		return err
	}
	c := newConn(raw, &l.bus.broker, l.bus.sink, &l.bus.counters)
	c.start(l.role.fresh, func(first byte, body []byte) error { return l.role.incoming(c, first, body) })
	ended := make(chan error, 2) // who reads and who pings may both have something to say
	report := func(err error) {
		select {
		case ended <- err:
		default:
		}
	}
	client := paho.NewClient(paho.ClientConfig{
		ClientID:           l.clientID,
		Conn:               c,
		PacketTimeout:      subackTimeout,
		OnClientError:      report,
		OnServerDisconnect: func(d *paho.Disconnect) { report(newDisconnected(d)) },
		OnPublishReceived:  []func(paho.PublishReceived) (bool, error){}, // it sees none
	})
	connack, err := l.introduce(ctx, client)
	if err != nil {
		l.bus.counters.connectFailures.Add(1)
		_ = c.Close() // why it failed is told below
		if seen := c.cause(); !errors.Is(seen, errConnClosed) {
			err = seen
		}
		return l.bus.broker.refusal(connack, err)
	}
	c.setLimits(limitsOf(infoOf(connack.Properties)))
	l.trouble.Store(&errLost) // until it is known how
	l.greet(connack)
	err = l.role.serve(ctx, &session{client: client, conn: c, connack: connack, again: l.again})
	if err != nil && ctx.Err() == nil {
		err = explain(err, c, ended)
	}
	l.again = true
	_ = client.Disconnect(l.role.farewell()) // returns when nothing of the client runs any more
	if err != nil || ctx.Err() != nil {
		return err
	}
	return verdict(better(<-ended, ended), c.cause())
}

// better waits a little for a reason if the one that was told is none: paho closes the connection
// when it has one, and whoever reads it at that moment may be heard first.
func better(told error, ended <-chan error) error {
	if !errors.Is(told, net.ErrClosed) {
		return told
	}
	select {
	case other := <-ended:
		return other
	case <-time.After(lastWords):
		return told
	}
}

// explain says why a role came to its end with err. If the connection was lost under it, that
// is the better reason; paho tells it on a goroutine of its own, so a little later.
func explain(err error, c *conn, ended <-chan error) error {
	if c.cause() == nil && !errors.Is(err, paho.ErrConnectionLost) {
		return err
	}
	select {
	case told := <-ended:
		return verdict(better(told, ended), c.cause())
	case <-time.After(lastWords):
		return err
	}
}

// introduce sends the CONNECT and waits for the CONNACK.
func (l *link) introduce(ctx context.Context, client *paho.Client) (*paho.Connack, error) {
	b := &l.bus.broker
	receive, largest := uint16(receiveMaximum), uint32(b.MaxPacket)
	cp := &paho.Connect{
		ClientID:     l.clientID,
		KeepAlive:    uint16(b.KeepAlive / time.Second),
		Username:     b.Username,
		UsernameFlag: b.Username != "",
		Password:     []byte(b.Password),
		PasswordFlag: b.Password != "",
		Properties: &paho.ConnectProperties{
			ReceiveMaximum:     &receive,
			MaximumPacketSize:  &largest,
			RequestProblemInfo: true,
		},
	}
	l.role.prepare(cp, l.again)
	ctx, cancel := context.WithTimeout(ctx, b.DialTimeout)
	defer cancel()
	return client.Connect(ctx, cp)
}

func (l *link) greet(connack *paho.Connack) {
	if l.again {
		l.bus.counters.reconnects.Add(1)
	}
	l.log.Info("connected to the broker", "again", l.again, "session", connack.SessionPresent)
}

// limitsOf is what the broker allows to send.
func limitsOf(info BrokerInfo) limits {
	l := limits{packet: maxMaxPacket, qos: info.MaxQoS, retain: info.Retain, receiveMaximum: info.ReceiveMaximum}
	if info.MaxPacket > 0 {
		l.packet = min(l.packet, info.MaxPacket)
	}
	return l
}
