package http

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"

	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"
)

// ErrClosed is returned by Serve and Add after Shutdown or Close.
var ErrClosed = errors.New("http: server is closed")

// Server serves routes to HTTP requesters. Add its routes, then Serve listeners.
type Server struct {
	options  Options
	tls      *tls.Config // nil: none
	guard    *Guard
	token    token
	router   router
	maxBody  int // the largest of all routes: what is read before a route's own limit is looked at
	fast     *fasthttp.Server
	exchange sync.Pool     // *exchange
	sheds    *rate.Limiter // allows those that are followed by no rest

	places   chan struct{} // one for each connection
	draining chan struct{} // closed: accept nothing more, say Connection: close
	stopped  chan struct{} // closed: cancel what is held
	stopOnce sync.Once
	running  sync.WaitGroup // the connections' goroutines; Add only under mu and before closing

	mu        sync.Mutex // guards all below; leaf: aborting a connection does not block
	closing   bool
	serving   bool
	listeners []net.Listener
	conns     map[*conn]struct{}
}

// New returns a server without routes. The error lists everything that is wrong with the
// options.
func New(options Options) (*Server, error) {
	err := options.complete()
	guard, guardErr := NewGuard(options.AllowOrigins)
	if err := errors.Join(err, guardErr); err != nil {
		return nil, err
	}
	s := &Server{
		options:  options,
		tls:      serverTLS(options.TLS),
		guard:    guard,
		token:    newToken(options.Token),
		maxBody:  1,
		sheds:    options.freeSheds(),
		places:   make(chan struct{}, options.MaxConnections),
		draining: make(chan struct{}),
		stopped:  make(chan struct{}),
		conns:    make(map[*conn]struct{}),
	}
	s.exchange.New = func() any { return newExchange(s) }
	s.fast = &fasthttp.Server{
		Handler:                      s.handle,
		ErrorHandler:                 s.handleError,
		ExpectHandler:                s.handleExpect,
		ConnState:                    s.connState,
		Concurrency:                  options.MaxConnections,
		ReadBufferSize:               maxHeader,
		ReadTimeout:                  options.ReadTimeout,
		WriteTimeout:                 options.WriteTimeout,
		IdleTimeout:                  options.IdleTimeout,
		ReduceMemoryUsage:            true,
		LazyRequestTime:              true,
		DisablePreParseMultipartForm: true,
		SecureErrorLogMessage:        true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		Logger:                       silent{},
	}
	return s, nil
}

// silent is fasthttp's logger: what it would say of a connection may quote a header with
// credentials in it.
type silent struct{}

func (silent) Printf(string, ...any) {}

// Add adds a route. All routes are added before the first Serve. The error lists everything
// that is wrong with the route; the same method and path twice names both.
func (s *Server) Add(r Route) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ErrClosed
	}
	if s.serving {
		return errors.New("http: a route was added while serving: add all routes before Serve")
	}
	if err := r.complete(s.options.Engine != nil); err != nil {
		return err
	}
	if err := s.router.add(r); err != nil {
		return err
	}
	s.maxBody = max(s.maxBody, r.MaxBody)
	s.fast.MaxRequestBodySize = s.maxBody
	return nil
}

// connState follows a connection, so that a drain can tell which are idle.
//
//  1. a connection goes idle; 2. the drain begins and looks at all connections: it takes this
//     one. Or 1. the drain looks, the connection is still active; 2. it goes idle, looks at
//     the drain itself, and closes itself. Or 1. a request arrives at an idle connection;
//  2. the drain takes it first: the request is not answered, and was not begun.
func (s *Server) connState(nc net.Conn, state fasthttp.ConnState) {
	c := nc.(based).base()
	switch state {
	case fasthttp.StateActive:
		c.state.CompareAndSwap(connIdle, connActive)
	case fasthttp.StateIdle:
		c.state.CompareAndSwap(connActive, connIdle)
		if s.isDraining() && c.state.CompareAndSwap(connIdle, connTaken) {
			c.abort()
		}
	}
}
