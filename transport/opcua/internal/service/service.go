package service

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/gopcua/opcua/ua"
	"golang.org/x/time/rate"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/channel"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/guard"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/session"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/subscription"
)

// The limits of what one request may ask for; the address space tells clients of them.
const (
	MaxRead          = 10_000
	MaxWrite         = 1_000
	MaxCall          = 1_000
	MaxBrowse        = 1_000
	MaxTranslate     = 1_000
	MaxRegister      = 10_000
	MaxReferences    = 10_000 // in one response, and one more for each node
	MaxContinuations = 10     // of a session
	// MaxResponse bounds a response to a Call, Write or Read, in bytes: the same long value may be
	// asked for thousands of times in one request. The queue of a channel holds more.
	MaxResponse = 8 << 20
)

// Engine is what is needed of [core.Engine].
type Engine interface {
	Begin(*core.Call, core.Completer) core.ID
	Cancel(core.ID) bool
}

// Options of the services.
type Options struct {
	Engine        Engine
	Space         *space.Space
	Subscriptions *subscription.Manager
	Guard         *guard.Guard
	// Sessions are the options of the table of sessions; Data, Busy and Ended are set here.
	Sessions session.Options
	// Discovery is what endpoints say.
	Discovery Discovery
	Logger    *slog.Logger
}

// Service carries out requests. It is a [channel.Handler].
type Service struct {
	options  Options
	table    map[uint16]entry
	sessions *session.Table
	log      rate.Sometimes

	held    atomic.Int64  // requests
	waiting atomic.Bool   // somebody waits until none is held
	idle    chan struct{} // one token: none was held
}

// New returns the services.
func New(o Options) *Service {
	s := &Service{options: o, idle: make(chan struct{}, 1), log: rate.Sometimes{Interval: time.Second}}
	o.Sessions.Data = func(own *session.Session) any { return newClient(s, own) }
	o.Sessions.Busy = func(own *session.Session) bool { return clientOf(own).isBusy() }
	o.Sessions.Ended = func(own *session.Session, why ua.StatusCode, deleteSubscriptions bool) {
		clientOf(own).end(why, deleteSubscriptions)
	}
	s.sessions = session.NewTable(o.Sessions)
	s.table = s.entries()
	return s
}

// Handle carries out one request. The error, if there is one, ends the connection.
func (s *Service) Handle(c *channel.Channel, id uint32, body []byte) error {
	if err := s.options.Guard.Request(body); err != nil {
		return s.refuse(c, id, err)
	}
	h, structure, rest := parseHeader(body)
	e, ok := s.table[h.service]
	r := &request{service: s, channel: c, id: id, header: h, body: structure, rest: rest, entry: e}
	if !ok {
		r.fault(ua.StatusBadServiceUnsupported)
		return nil
	}
	if e.session {
		own, status := s.sessions.Find(c, h.token)
		if status != ua.StatusOK {
			r.fault(status)
			return nil
		}
		r.client = clientOf(own)
	}
	e.run(r)
	return nil
}

// refuse answers what is not even decoded.
func (s *Service) refuse(c *channel.Channel, id uint32, err error) error {
	var refusal *guard.Refusal
	if !errors.As(err, &refusal) {
		return ua.StatusBadDecodingError
	}
	s.log.Do(func() {
		s.options.Logger.Warn("OPC UA request refused", "client", c.RemoteAddr().String(), "error", refusal.Error())
	})
	c.Send(id, appendHeader(nil, serviceFault, refusal.Handle, refusal.Status))
	return nil
}

// Closed ends what was asked over a channel that is gone: nobody is there to hear the answer. Of
// subscriptions nothing is lost: what they have to tell waits for the next channel.
func (s *Service) Closed(c *channel.Channel) {
	s.sessions.Lost(c)
	for _, own := range s.sessions.All() {
		client := clientOf(own)
		if owner := client.subscriptions(); owner != nil && own.Channel() == session.Channel(c) {
			owner.EndPublish(ua.StatusBadConnectionClosed)
		}
		client.cancel(ua.StatusBadConnectionClosed, func(h *held) bool { return h.channel == c })
	}
}

// Clients gives the addresses of clients that have an activated session.
func (s *Service) Clients() map[string]bool {
	clients := map[string]bool{}
	for _, own := range s.sessions.All() {
		if own.Activated() {
			clients[own.Channel().(*channel.Channel).RemoteAddr().String()] = true
		}
	}
	return clients
}

// Leave closes the channels of all sessions as the server shuts down, behind what waits to be
// written.
func (s *Service) Leave() {
	for _, own := range s.sessions.All() {
		own.Channel().(*channel.Channel).Close(ua.StatusBadShutdown, true)
	}
}

// panicked reports a fault of ours that was caught.
func (s *Service) panicked(fault any) {
	s.log.Do(func() {
		s.options.Logger.Error("OPC UA: a fault while an operation ended", "fault", fault, "stack", string(debug.Stack()))
	})
}

// WaitIdle returns when no request is held, or with the error of ctx. One goroutine at a time
// may wait; what comes meanwhile is waited for, too.
func (s *Service) WaitIdle(ctx context.Context) error {
	s.waiting.Store(true)
	defer s.waiting.Store(false)
	for s.held.Load() > 0 {
		select {
		case <-s.idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// release counts a held request out.
func (s *Service) release() {
	if s.held.Add(-1) == 0 && s.waiting.Load() {
		select {
		case s.idle <- struct{}{}:
		default:
		}
	}
}

// Close ends all sessions.
func (s *Service) Close() { s.sessions.Close() }
