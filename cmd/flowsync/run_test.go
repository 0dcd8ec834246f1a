package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/gateway"
)

// played is a gateway whose end is scripted.
type played struct {
	failed   chan error
	shutdown func(context.Context) error
}

func (s *played) Overview() overview { return overview{http: "127.0.0.1:1", admin: "127.0.0.1:2"} }

func (s *played) Failed() <-chan error { return s.failed }

func (s *played) Shutdown(ctx context.Context) error { return s.shutdown(ctx) }

func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return gateway.ErrStillHeld
}

// tooSlow is a gateway without held requests, of which a part does not close in its time.
func tooSlow(context.Context) error {
	return fmt.Errorf("closing the broker: %w", context.DeadlineExceeded)
}

// untilDoneAndTooSlow is as its console returns it: joined, and joined again.
func untilDoneAndTooSlow(ctx context.Context) error {
	return errors.Join(errors.Join(untilDone(ctx), tooSlow(ctx)), nil)
}

func atOnceDone(context.Context) error { return nil }

func TestEndOfRun(t *testing.T) {
	for _, c := range []struct {
		name     string
		shutdown func(context.Context) error
		signals  []os.Signal // one a second
		failure  error
		code     int
		after    time.Duration
		log      string
	}{
		{"drained", atOnceDone, []os.Signal{syscall.SIGTERM}, nil, 0, time.Second, `"shutting down: new requests are refused`},
		{"drain time over", untilDone, []os.Signal{os.Interrupt}, nil, 0, 11 * time.Second, "the drain time is over"},
		{"drain time over and closing fails", untilDoneAndTooSlow, []os.Signal{os.Interrupt}, nil, 1, 11 * time.Second, "the drain time is over"},
		{"closing takes too long", tooSlow, []os.Signal{os.Interrupt}, nil, 1, time.Second, "flowsync: closing the broker: context deadline exceeded"},
		{"second SIGTERM", untilDone, []os.Signal{os.Interrupt, syscall.SIGTERM}, nil, 143, 2 * time.Second, "a second signal"},
		{"second SIGINT", untilDone, []os.Signal{syscall.SIGTERM, os.Interrupt}, nil, 130, 2 * time.Second, "a second signal"},
		{"closing fails", func(context.Context) error { return errors.New("disk full") }, []os.Signal{os.Interrupt}, nil, 1, time.Second, "flowsync: disk full"},
		{"closing hangs", func(context.Context) error { time.Sleep(time.Hour); return nil }, []os.Signal{os.Interrupt}, nil, 1, 21 * time.Second, "given up"},
		{"a part fails", atOnceDone, nil, errors.New("listener broke"), 1, 0, "listener broke"},
		{"a part fails and closing too", func(context.Context) error { return errors.New("disk full") }, nil, errors.New("listener broke"), 1, 0, "flowsync: disk full"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.caught = make(chan os.Signal, 4)
				s := &played{failed: make(chan error, 1), shutdown: c.shutdown}
				w.service = s
				if c.failure != nil {
					s.failed <- c.failure
				}
				go func() {
					for _, signal := range c.signals {
						time.Sleep(time.Second) // invented time
						w.caught <- signal
					}
				}()
				start := time.Now()
				assert.Equal(t, c.code, w.run("run", "file", "--log-format=json"), w.stderr.String())
				assert.Equal(t, c.after, time.Since(start))
				assert.Contains(t, w.stderr.String(), c.log)
				assert.Contains(t, w.stdout.String(), "http://127.0.0.1:1")
				time.Sleep(2 * time.Hour) // until whatever hangs is over
			})
		})
	}
}

func TestSignalWhileStarting(t *testing.T) {
	opening := func(w *world, open func(context.Context) (service, error)) {
		w.open = func(ctx context.Context, _ *process, _ []string, _ *settings, _ *slog.Logger) (service, error) {
			w.caught <- os.Interrupt
			return open(ctx)
		}
	}
	t.Run("gives up", func(t *testing.T) {
		w := newWorld()
		opening(w, func(ctx context.Context) (service, error) { return nil, untilDone(ctx) })
		assert.Equal(t, exitDone, w.run("run", "file"))
		assert.Empty(t, w.stdout.String())
	})
	t.Run("starts nevertheless", func(t *testing.T) {
		w := newWorld()
		ended := false
		opening(w, func(ctx context.Context) (service, error) {
			<-ctx.Done()
			return &played{shutdown: func(context.Context) error { ended = true; return nil }}, nil
		})
		assert.Equal(t, exitDone, w.run("run", "file"))
		assert.True(t, ended)
	})
	t.Run("hangs", func(t *testing.T) {
		w := newWorld()
		release := make(chan struct{})
		opening(w, func(ctx context.Context) (service, error) {
			<-ctx.Done()
			w.caught <- syscall.SIGTERM
			<-release
			return nil, ctx.Err()
		})
		assert.Equal(t, 143, w.run("run", "file"))
		close(release)
	})
}

func TestGatewayThatDoesNotOpen(t *testing.T) {
	w := newWorld()
	w.openErr = errors.New("--http: 127.0.0.1:8080 is in use")
	assert.Equal(t, exitFailed, w.run("run", "file"))
	assert.Equal(t, "flowsync: --http: 127.0.0.1:8080 is in use\n", w.stderr.String())

	w = newWorld()
	w.openErr = exitCode(exitFailed) // it has said why
	assert.Equal(t, exitFailed, w.run("run", "file"))
	assert.Empty(t, w.stderr.String())
}

func TestSignalsThatHaveNoNumber(t *testing.T) {
	assert.Equal(t, exitCode(exitFailed), atOnce(strangeSignal{}))
}

type strangeSignal struct{}

func (strangeSignal) Signal()        {}
func (strangeSignal) String() string { return "strange" }

// The process really catches signals once it was asked to.
func TestNotify(t *testing.T) {
	caught := notify()
	self, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	require.NoError(t, self.Signal(syscall.SIGTERM))
	assert.Equal(t, syscall.SIGTERM, <-caught)

	ctx, err := untilSignal()
	require.NoError(t, err)
	require.NoError(t, self.Signal(os.Interrupt))
	<-ctx.Done()
	assert.Equal(t, os.Interrupt, <-caught)
}
