package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Title implements [Workload].
func (w OPCUA) Title() string { return w.Name }

// opcuaSubject is a server of OPC UA and what is asked of it.
type opcuaSubject struct {
	workload OPCUA
	process  *Process
	keys     *Keys // nil if nothing is secured
}

// open starts a process for the server, which trusts the client if it has to.
func (w OPCUA) open(c *Campaign) (subject, error) {
	state := filepath.Join(c.folder, fmt.Sprint(len(c.subjects)))
	if w.Security != "None" {
		if c.keys == nil {
			var err error
			if c.keys, err = NewKeys(); err != nil {
				return nil, err
			}
		}
		if err := c.keys.Trust(state); err != nil {
			return nil, err
		}
	}
	p, err := StartProcess(Config{Server: w.Server, Security: w.Security, State: state})
	return &opcuaSubject{w, p, c.keys}, err
}

// Close ends the process.
func (s *opcuaSubject) Close() error { return s.process.Close() }

func (s *opcuaSubject) profile(file string) (end func() error, err error) {
	return s.process.profile(file)
}

// run asks the server for a window, over one session.
func (s *opcuaSubject) run(ctx context.Context) (f Figures, err error) {
	l, err := newLoop(ctx, s.process.Address, s.workload, s.keys)
	if err != nil {
		return f, err
	}
	defer l.client.Close()
	if err := l.start(s.workload.InFlight, true); err != nil {
		return f, err
	}
	if err := l.wait(ctx, s.workload.WarmUp); err != nil {
		return f, err
	}
	before, err := s.process.tell(command{Do: "cpu"})
	if err != nil {
		return f, err
	}
	start := time.Now()
	first, err := l.count(true)
	if err != nil {
		return f, err
	}
	if err := l.wait(ctx, s.workload.Window); err != nil {
		return f, err
	}
	after, err := s.process.tell(command{Do: "cpu"})
	if err != nil {
		return f, err
	}
	last, err := l.count(false)
	if err != nil {
		return f, err
	}
	f = Figures{Answers: last - first, Window: time.Since(start), CPU: after.CPU - before.CPU}
	f.Faults, err = l.drain()
	f.Times = timesOf(l.times)
	return f, err
}

// wait lets the loop run for a while.
func (l *loop) wait(ctx context.Context, d time.Duration) error {
	err := wait(ctx, d, l.client.Done())
	if err != nil && l.client.Err() != nil {
		return errors.Join(err, l.client.Err())
	}
	return err
}
