package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/gateway"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/logging"
)

// runCommand is "flowsync run".
type runCommand struct {
	runFlags
	Files []string `arg:"" name:"file" help:"Commissioning files (YAML)."`
}

// Help is what is said below the one line.
func (*runCommand) Help() string {
	return "Opens a listener only if a file has a server of its protocol. Everything listens on this machine only, unless told otherwise. There is no reload: stop it, which answers what is held first, and start it anew. Each flag --some-name may also be given as FLOWSYNC_SOME_NAME."
}

// service is a running gateway.
type service interface {
	// Overview says what is served where.
	Overview() overview
	// Failed delivers the error of a part that ended by itself, which nothing can go on without.
	Failed() <-chan error
	// Shutdown refuses what is new, waits for what is held until ctx ends, ends what is still
	// held then, and closes everything. The error is gateway.ErrStillHeld if something was left,
	// joined with whatever could not be closed.
	Shutdown(ctx context.Context) error
}

// opener reads the files and starts serving them. It reports what is wrong with the files by
// itself, and returns exitFailed then. A ctx that ends makes it give up.
type opener func(ctx context.Context, p *process, files []string, s *settings, logger *slog.Logger) (service, error)

// closeGrace is how long closing may take after the drain time, before run gives up. It is more
// than the parts of the gateway and the console allow themselves in all.
const closeGrace = 10 * time.Second

// Run serves until a signal.
func (c *runCommand) Run(p *process) error {
	s, err := c.settings(len(c.Files))
	if err != nil {
		return err
	}
	logger, err := logging.New(p.stderr, s.logFormat, s.logLevel)
	if err != nil {
		return err
	}
	r := &run{process: p, settings: s, logger: logger, signals: p.signals()}
	return r.serve(c.Files)
}

// run is one life of the gateway.
type run struct {
	*process
	settings *settings
	logger   *slog.Logger
	signals  <-chan os.Signal
}

func (r *run) serve(files []string) error {
	running, err := r.start(files)
	if err != nil || running == nil {
		return err
	}
	overview := running.Overview()
	if err := overview.print(r.stdout, r.settings.drain); err != nil {
		r.logger.Warn("the overview could not be printed", "error", err)
	}
	select {
	case err := <-running.Failed():
		r.logger.Error("a part of the gateway failed: shutting down", "error", err)
		if err := r.end(running); err != nil {
			return err
		}
		return exitCode(exitFailed)
	case caught := <-r.signals:
		r.logger.Info("shutting down: new requests are refused, held ones may still be answered; a second signal ends at once",
			"signal", caught.String(), "drain", r.settings.drain.String())
		return r.end(running)
	}
}

// start opens the gateway. A signal meanwhile ends it: then it returns neither service nor error.
func (r *run) start(files []string) (service, error) {
	type opened struct {
		service service
		err     error
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan opened, 1)
	go func() {
		running, err := r.open(ctx, r.process, files, r.settings, r.logger)
		done <- opened{running, err}
	}()
	select {
	case result := <-done:
		return result.service, result.err
	case caught := <-r.signals:
		r.logger.Info("shutting down while starting", "signal", caught.String())
	}
	cancel()
	select {
	case result := <-done:
		if result.err != nil {
			return nil, nil // most likely because of cancel; there is nothing to close
		}
		return nil, r.end(result.service)
	case caught := <-r.signals:
		return nil, atOnce(caught)
	}
}

// end shuts down within the drain time, or at once at a signal.
func (r *run) end(running service) error {
	ctx, cancel := context.WithTimeout(context.Background(), r.settings.drain)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- running.Shutdown(ctx) }()
	late := time.NewTimer(r.settings.drain + closeGrace)
	defer late.Stop()
	select {
	case err := <-done:
		if errors.Is(err, gateway.ErrStillHeld) {
			r.logger.Warn("the drain time is over: what was still held was ended", "drain", r.settings.drain.String())
		}
		return without(err, gateway.ErrStillHeld)
	case caught := <-r.signals:
		r.logger.Warn("a second signal: ended at once", "signal", caught.String())
		return atOnce(caught)
	case <-late.C:
		return fmt.Errorf("closing took longer than %v after the drain time: given up", closeGrace)
	}
}

// without returns what else is joined with an error; nil if there is nothing else.
func without(err, known error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if errors.Is(err, known) {
			return nil
		}
		return err
	}
	var rest []error
	for _, one := range joined.Unwrap() {
		rest = append(rest, without(one, known))
	}
	return errors.Join(rest...)
}

// atOnce is the exit code of a process that a signal ended.
func atOnce(caught os.Signal) error {
	if number, ok := caught.(syscall.Signal); ok {
		return exitCode(128 + int(number))
	}
	return exitCode(exitFailed)
}
