package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The bounds of the server.
const (
	maxConnections = 256
	maxHeader      = 16 << 10
	maxScrapes     = 4

	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 10 * time.Second
	idleTimeout   = 15 * time.Second // short: an idle connection takes one of few places
)

// Options of a server. Engine and Metrics are required.
type Options struct {
	Engine  Engine
	Metrics *Metrics
	// Recent, if set, is shown on the page and in /api/late.
	Recent *Recent
	// Ready returns why requests cannot be served now; nothing if they can. It must not block.
	// nil: always ready.
	Ready func() []string
	// Guard, if set, returns why a request is refused, as status 403.
	Guard func(*http.Request) error
	// Title stands on the page. Empty: flowsync.
	Title string
	// Logger hears of failing connections and scrapes. nil: slog.Default().
	Logger *slog.Logger
}

// Server is the admin server.
type Server struct {
	options Options
	http    *http.Server
}

// New returns a server that is not yet serving.
func New(options Options) (*Server, error) {
	if options.Engine == nil || options.Metrics == nil {
		return nil, errors.New("admin: Engine and Metrics are required")
	}
	if options.Ready == nil {
		options.Ready = func() []string { return nil }
	}
	if options.Guard == nil {
		options.Guard = func(*http.Request) error { return nil }
	}
	if options.Title == "" {
		options.Title = "flowsync"
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	s := &Server{options: options}
	s.http = &http.Server{
		Handler:           s.guarded(s.routes()),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(options.Logger.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// Serve answers on a listener until Shutdown; then it returns nil. It takes the listener over.
func (s *Server) Serve(listener net.Listener) error {
	err := s.http.Serve(limit(listener, maxConnections))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("admin: %s: %w", listener.Addr(), err)
}

// Shutdown stops listening, waits for requests under way until ctx ends, and closes what is
// left.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(err, s.http.Close())
	}
	return nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.options.Metrics.registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(s.options.Logger.Handler(), slog.LevelWarn),
		Registry:            s.options.Metrics.registry,
		MaxRequestsInFlight: maxScrapes,
		Timeout:             writeTimeout - time.Second,
		EnableOpenMetrics:   true,
	}))
	mux.HandleFunc("GET /api/late", s.late)
	mux.HandleFunc("GET /{$}", s.page)
	return mux
}

// guarded keeps out what the guard refuses, and makes every reply one that a browser neither
// keeps nor guesses about.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		if err := s.options.Guard(r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
