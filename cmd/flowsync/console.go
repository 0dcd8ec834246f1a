package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	nethttp "net/http"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/admin"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/logging"
	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// console is the operator's side of a gateway: the lines about transactions, the metrics and the
// admin server. It opens before the gateway, which reports to it, and closes after it.
type console struct {
	metrics  *admin.Metrics
	recent   *admin.Recent
	lines    *logging.Observer
	logger   *slog.Logger
	listener net.Listener
	guard    func(*nethttp.Request) error
	server   *admin.Server // nil until it serves
	failed   chan error    // why it ended by itself
	served   chan struct{} // closed when it has ended
}

// openConsole listens on the admin address. Nobody is served before serve.
func openConsole(s *settings, logger *slog.Logger) (*console, error) {
	listener, err := net.Listen("tcp", s.admin)
	if err != nil {
		return nil, fmt.Errorf("--admin: %w: choose another address", err)
	}
	guard, err := adminGuard(s.origins, listener.Addr())
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("--http-allow-origin: %w", err)
	}
	return &console{
		metrics:  admin.NewMetrics(version, commit()),
		recent:   new(admin.Recent),
		lines:    logging.NewObserver(logger, s.logTransactions),
		logger:   logger,
		listener: listener,
		guard:    guard,
		failed:   make(chan error, 1),
		served:   make(chan struct{}),
	}, nil
}

// adminGuard keeps other sites' pages out of the admin server, as out of the HTTP server.
func adminGuard(origins []string, addr net.Addr) (func(*nethttp.Request) error, error) {
	guard, err := http.NewGuard(origins)
	if err != nil {
		return nil, err
	}
	loopback := !beyondLoopback(addr.String())
	return func(r *nethttp.Request) error {
		return guard.Check(r.Host, r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site"), loopback)
	}, nil
}

// observer is what the engine reports to.
func (c *console) observer() core.Observer {
	return admin.Observers{c.metrics, c.recent, c.lines}
}

// serve shows a gateway. ready says why it cannot serve requests now.
func (c *console) serve(sources admin.Sources, ready func() []string) error {
	c.metrics.Watch(sources)
	server, err := admin.New(admin.Options{
		Engine: sources.Engine, Metrics: c.metrics, Recent: c.recent, Ready: ready, Guard: c.guard,
		Title: "flowsync " + version, Logger: c.logger,
	})
	if err != nil {
		return err
	}
	c.server = server
	go func() {
		defer close(c.served)
		if err := server.Serve(c.listener); err != nil {
			c.failed <- err
		}
	}()
	return nil
}

func (c *console) addr() string { return c.listener.Addr().String() }

// close stops serving, and writes the lines that are still queued.
func (c *console) close(ctx context.Context) error {
	var err error
	if c.server != nil {
		err = c.server.Shutdown(ctx)
	}
	if closing := c.listener.Close(); c.server == nil { // else the server has closed it
		err = closing
	} else {
		<-c.served
	}
	return errors.Join(err, c.lines.Close())
}
