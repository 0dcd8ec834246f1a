package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// opcuaGroup is what one Open has opened: sessions, each with a keeper, and lanes on them. The last
// lane that is closed ends it.
type opcuaGroup struct {
	end     context.CancelFunc // of the keepers
	keepers sync.WaitGroup
	open    atomic.Int64 // lanes
}

// opcuaSession is a session that is made anew when it is lost.
type opcuaSession struct {
	target     *OPCUA
	plan       *opcuaPlan
	duplicates atomic.Int64 // answers that nobody has told of yet
	reconnects atomic.Int64

	mu    sync.Mutex    // guards all below; leaf
	conn  *opcuaConn    // nil: none at the moment
	err   error         // why there is none
	ready chan struct{} // closed when there is one again
}

// loginsAtOnce is how many sessions are being made at a time.
const loginsAtOnce = 16

// openOPCUA makes the sessions, and lanes over them in turn.
func openOPCUA(ctx context.Context, t *OPCUA, p *opcuaPlan, lanes int) ([]Lane, error) {
	living, end := context.WithCancel(context.Background())
	g := &opcuaGroup{end: end}
	g.open.Store(int64(lanes))
	sessions := make([]*opcuaSession, min(lanes, t.o.Sessions))
	errs := make([]error, len(sessions))
	places := make(chan struct{}, loginsAtOnce)
	var failed atomic.Bool
	var opening sync.WaitGroup
	for i := range sessions {
		sessions[i] = &opcuaSession{target: t, plan: p, ready: make(chan struct{})}
		opening.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			if failed.Load() {
				return // one is enough to give up
			}
			if err := sessions[i].connect(ctx); err != nil {
				failed.Store(true)
				errs[i] = fmt.Errorf("%s: session %d of %d: %w", t, i+1, len(sessions), err)
				return
			}
			g.keepers.Go(func() { sessions[i].keep(living) })
		})
	}
	opening.Wait()
	for _, err := range errs {
		if err != nil { // what the others say is the same, as a rule
			end()
			g.keepers.Wait()
			return nil, err
		}
	}
	opened := make([]Lane, lanes)
	for i := range opened {
		opened[i] = newOPCUALane(g, sessions[i%len(sessions)], i < len(sessions))
	}
	return opened, nil
}

// connect makes a connection with a session, and lets the lanes have it.
func (s *opcuaSession) connect(ctx context.Context) error {
	c := newOPCUAConn(s)
	client, err := s.target.login(ctx, c.deliver)
	if err != nil {
		return err
	}
	c.client = client
	if c.template, c.inputs, err = s.plan.template(client); err != nil {
		leave(client)
		return err
	}
	s.mu.Lock()
	s.conn, s.err = c, nil
	close(s.ready)
	s.mu.Unlock()
	return nil
}

// current is the connection there is, or, if there is none, why, and a channel that is closed when
// there is one again.
func (s *opcuaSession) current() (c *opcuaConn, ready <-chan struct{}, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn, s.ready, s.err
}

// keep looks after the session until ctx ends.
func (s *opcuaSession) keep(ctx context.Context) {
	for {
		started := time.Now()
		if !s.watch(ctx) {
			return
		}
		for again := false; !again; {
			select {
			case <-ctx.Done():
				return
			case <-time.After(s.target.spacing - time.Since(started)):
			}
			started = time.Now()
			again = s.reconnect(ctx)
		}
	}
}

// watch returns when the connection is lost, or, with false, when ctx has ended. Then it is closed.
func (s *opcuaSession) watch(ctx context.Context) bool {
	c, _, _ := s.current()
	renewal := time.NewTimer(s.renewAfter(c))
	defer renewal.Stop()
	for {
		select {
		case <-ctx.Done():
			s.lose(errOPCUAClosed)
			leave(c.client)
			c.lose(errOPCUAClosed)
			return false
		case <-renewal.C:
			renewing, cancel := context.WithTimeout(ctx, opcuaTime)
			if err := c.client.Renew(renewing); err != nil {
				c.broken(err)
			}
			cancel()
			renewal.Reset(s.renewAfter(c))
			continue
		case <-c.unusable:
			c.client.Abort()
		case <-c.client.Done():
		}
		err := opcuaError{fmt.Errorf("the session was lost: %w", c.why())}
		s.lose(err)
		c.lose(err)
		return true
	}
}

// leastRenewal is how often a token is renewed at most, whatever lifetime the server gives it.
const leastRenewal = 10 * time.Millisecond

func (s *opcuaSession) renewAfter(c *opcuaConn) time.Duration {
	return max(leastRenewal, time.Duration(float64(c.client.Lifetime())*s.target.renewal))
}

var errOPCUAClosed = errors.New("the lane was closed")

// lose takes the connection from the lanes.
func (s *opcuaSession) lose(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.err, s.ready = nil, err, make(chan struct{})
}

func (s *opcuaSession) reconnect(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, opcuaTime)
	defer cancel()
	err := s.connect(ctx)
	if err != nil {
		s.mu.Lock()
		s.err = fmt.Errorf("connecting again: %w", err)
		s.mu.Unlock()
		return false
	}
	s.reconnects.Add(1)
	return true
}
