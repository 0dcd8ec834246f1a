// Package accept is the accept loop that servers share: one that comes back by itself when the
// process was out of file descriptors.
package accept

import (
	"errors"
	"log/slog"
	"net"
	"time"
)

// The pauses after accepts that failed.
const (
	firstPause = 5 * time.Millisecond
	maxPause   = time.Second
)

// Loop accepts connections until it is told to stop.
type Loop struct {
	// Places bounds the connections that are open at a time: a token is put in before each
	// accept, for Start to take out again when its connection is closed. nil: there is no bound.
	Places chan struct{}
	// Stop ends the loop. The listener has to be closed as well.
	Stop <-chan struct{}
	// Start takes a connection. It must not block.
	Start  func(net.Conn)
	Logger *slog.Logger
}

// Run accepts connections from ln, which it closes in the end. It returns nil once it was
// stopped; an accept that fails otherwise is tried again, later and later up to a second, unless
// somebody else has closed the listener.
func (l *Loop) Run(ln net.Listener) error {
	defer ln.Close()
	pause := firstPause
	for l.take() {
		conn, err := ln.Accept()
		if err == nil {
			pause = firstPause
			l.Start(conn)
			continue
		}
		l.give()
		if l.stopped() {
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		l.Logger.Warn("cannot accept a connection, will try again", "address", ln.Addr().String(), "error", err, "in", pause.String())
		if !l.sleep(pause) {
			return nil
		}
		pause = min(2*pause, maxPause)
	}
	return nil
}

// take waits for a place; false: the loop was stopped.
func (l *Loop) take() bool {
	if l.Places == nil {
		return !l.stopped()
	}
	select {
	case l.Places <- struct{}{}:
		return true
	case <-l.Stop:
		return false
	}
}

func (l *Loop) give() {
	if l.Places != nil {
		<-l.Places
	}
}

func (l *Loop) stopped() bool {
	select {
	case <-l.Stop:
		return true
	default:
		return false
	}
}

// sleep waits; false if the loop was stopped meanwhile.
func (l *Loop) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.Stop:
		return false
	}
}
