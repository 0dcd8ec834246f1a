package load

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// opcuaLane is a place in flight on a session.
type opcuaLane struct {
	group   *opcuaGroup
	session *opcuaSession
	reports bool         // it tells of the session's reconnects
	answer  chan Verdict // of the one request that is in flight; room for one
	timer   *time.Timer  // the deadline; runs during Ask only

	closing sync.Once
	closed  chan struct{}
}

func newOPCUALane(g *opcuaGroup, s *opcuaSession, reports bool) *opcuaLane {
	l := &opcuaLane{
		group: g, session: s, reports: reports,
		answer: make(chan Verdict, 1), timer: time.NewTimer(time.Hour), closed: make(chan struct{}),
	}
	l.timer.Stop()
	return l
}

// Ask implements [Lane].
func (l *opcuaLane) Ask(seq uint64, deadline time.Time) Verdict {
	l.timer.Reset(time.Until(deadline))
	v := l.ask(seq)
	l.timer.Stop()
	if l.session.duplicates.Load() > 0 {
		v.Duplicates = int(l.session.duplicates.Swap(0))
	}
	return v
}

// fullPause is how long a lane waits while the server does not read what others have sent.
const fullPause = 5 * time.Millisecond

func (l *opcuaLane) ask(seq uint64) Verdict {
	for {
		conn, ready, why := l.session.current()
		if conn == nil {
			if err := l.wait(ready, why); err != nil {
				return Verdict{Outcome: Lost, Err: err}
			}
			continue
		}
		id, err := conn.ask(l, seq)
		switch {
		case err == nil:
			return l.await(conn, id)
		case errors.Is(err, rawclient.ErrFull):
			pause := make(chan struct{})
			time.AfterFunc(fullPause, func() { close(pause) })
			err = l.wait(pause, err)
		default: // the connection has ended, before anything was sent
			err = l.wait(conn.gone, err)
		}
		if err != nil {
			return Verdict{Outcome: Lost, Err: err}
		}
	}
}

// wait returns nil when there is a reason to try again.
func (l *opcuaLane) wait(again <-chan struct{}, why error) error {
	select {
	case <-again:
		return nil
	case <-l.timer.C:
		return fmt.Errorf("it could not be sent in time: %w", why)
	case <-l.closed:
		return errOPCUAClosed
	}
}

// await waits for the verdict.
func (l *opcuaLane) await(c *opcuaConn, id uint32) Verdict {
	lost := Verdict{Outcome: Lost}
	select {
	case v := <-l.answer:
		return v
	case <-l.timer.C:
		lost.Err = errors.New("no answer in time")
	case <-l.closed:
		lost.Err = errOPCUAClosed
	}
	if c.giveUp(id) {
		return lost
	}
	return <-l.answer
}

// Stragglers implements [Listener]. The first lane on a session listens for all.
func (l *opcuaLane) Stragglers(deadline time.Time) int {
	if !l.reports {
		return 0
	}
	l.timer.Reset(time.Until(deadline))
	defer l.timer.Stop()
	select {
	case <-l.timer.C:
	case <-l.closed:
	}
	return int(l.session.duplicates.Swap(0))
}

// Close implements [Lane]. The last lane's waits for a moment, until the sessions are closed.
func (l *opcuaLane) Close() error {
	l.closing.Do(func() {
		close(l.closed)
		if l.group.open.Add(-1) == 0 {
			l.group.end()
			l.group.keepers.Wait()
		}
	})
	return nil
}

// Reconnects implements [Reconnecter]. The first lane on a session tells of all its reconnects.
func (l *opcuaLane) Reconnects() int {
	if !l.reports {
		return 0
	}
	return int(l.session.reconnects.Load())
}
