package accept_test

import (
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/internal/accept"
)

// listener plays a list of accepts, one after the other, and blocks then until it is closed.
type listener struct {
	play   []error // nil: a connection
	closed chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	if len(l.play) == 0 {
		<-l.closed
		return nil, net.ErrClosed
	}
	err := l.play[0]
	l.play = l.play[1:]
	if err != nil {
		return nil, err
	}
	conn, far := net.Pipe()
	_ = far.Close()
	return conn, nil
}

func (l *listener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

func TestFailedAcceptsAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &listener{play: []error{nil, syscall.EMFILE, syscall.EMFILE, syscall.EMFILE, nil}, closed: make(chan struct{})}
		var log strings.Builder
		stop := make(chan struct{})
		var at []time.Duration
		start := time.Now()
		loop := accept.Loop{
			Stop: stop, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Start: func(conn net.Conn) { at = append(at, time.Since(start)); _ = conn.Close() },
		}
		ended := make(chan error)
		go func() { ended <- loop.Run(ln) }()
		time.Sleep(time.Second) // invented time
		close(stop)
		_ = ln.Close()
		require.NoError(t, <-ended)
		require.Equal(t, []time.Duration{0, 35 * time.Millisecond}, at)
		require.Equal(t, 3, strings.Count(log.String(), "cannot accept a connection"))
	})
}

func TestNoMoreThanPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &listener{play: []error{nil, nil, nil}, closed: make(chan struct{})}
		stop, places, started := make(chan struct{}), make(chan struct{}, 2), 0
		loop := accept.Loop{
			Places: places, Stop: stop, Logger: slog.New(slog.DiscardHandler),
			Start: func(conn net.Conn) { started++; _ = conn.Close() },
		}
		ended := make(chan error)
		go func() { ended <- loop.Run(ln) }()
		synctest.Wait()
		require.Equal(t, 2, started)
		<-places
		synctest.Wait()
		require.Equal(t, 3, started)
		close(stop)
		require.NoError(t, <-ended)
	})
}

func TestStopWhileItPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &listener{play: []error{syscall.EMFILE}, closed: make(chan struct{})}
		stop := make(chan struct{})
		loop := accept.Loop{Stop: stop, Logger: slog.New(slog.DiscardHandler)}
		ended := make(chan error)
		go func() { ended <- loop.Run(ln) }()
		synctest.Wait()
		close(stop)
		require.NoError(t, <-ended)
	})
}

func TestListenerClosedByOthers(t *testing.T) {
	ln := &listener{play: []error{net.ErrClosed}, closed: make(chan struct{})}
	loop := accept.Loop{Stop: make(chan struct{}), Logger: slog.New(slog.DiscardHandler)}
	require.True(t, errors.Is(loop.Run(ln), net.ErrClosed))
}
