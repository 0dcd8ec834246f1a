package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Campaign is the servers of several workloads, side by side, of which only one is asked at a time.
type Campaign struct {
	keys      *Keys  // nil: no workload is secured
	folder    string // of the servers' certificates
	workloads []Workload
	processes []*Process
}

// NewCampaign starts a process for each workload.
func NewCampaign(workloads ...Workload) (_ *Campaign, err error) {
	c := &Campaign{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if c.folder, err = os.MkdirTemp("", "flowsync-bench-"); err != nil {
		return nil, err
	}
	for i, w := range workloads {
		state := filepath.Join(c.folder, fmt.Sprint(i))
		if err := c.trust(w, state); err != nil {
			return nil, err
		}
		p, err := StartProcess(Config{Server: w.Server, Security: w.Security, State: state})
		if err != nil {
			return nil, err
		}
		c.workloads, c.processes = append(c.workloads, w), append(c.processes, p)
	}
	return c, nil
}

// trust makes the server of a workload trust the client, if the workload needs that.
func (c *Campaign) trust(w Workload, state string) (err error) {
	if w.Security == "None" {
		return nil
	}
	if c.keys == nil {
		if c.keys, err = NewKeys(); err != nil {
			return err
		}
	}
	return c.keys.Trust(state)
}

// Close ends the processes.
func (c *Campaign) Close() error {
	var errs []error
	for _, p := range c.processes {
		errs = append(errs, p.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(c.folder))...)
}

// Run does rounds of all workloads. What it returns is by workload, then by round.
func (c *Campaign) Run(ctx context.Context, rounds int) ([][]Figures, error) {
	figures := make([][]Figures, len(c.workloads))
	for range rounds {
		for i, w := range c.workloads {
			f, err := w.run(ctx, c.processes[i], c.keys)
			if err != nil {
				return nil, fmt.Errorf("bench: %s: %w", w.Name, err)
			}
			figures[i] = append(figures[i], f)
		}
	}
	return figures, nil
}

// Profile runs each workload once more, and leaves profiles of its server in a folder.
func (c *Campaign) Profile(ctx context.Context, folder string) error {
	for i, w := range c.workloads {
		file, err := filepath.Abs(filepath.Join(folder, w.Name))
		if err != nil {
			return err
		}
		if _, err := c.processes[i].tell(command{Do: "profile", File: file}); err != nil {
			return err
		}
		_, err = w.run(ctx, c.processes[i], c.keys)
		_, profiled := c.processes[i].tell(command{Do: "profiled", File: file})
		if err := errors.Join(err, profiled); err != nil {
			return err
		}
	}
	return nil
}

// run asks a server for a window.
func (w Workload) run(ctx context.Context, p *Process, k *Keys) (f Figures, err error) {
	l, err := newLoop(ctx, p.Address, w, k)
	if err != nil {
		return f, err
	}
	defer l.client.Close()
	if err := l.start(w.InFlight, true); err != nil {
		return f, err
	}
	if err := pause(ctx, l, w.WarmUp); err != nil {
		return f, err
	}
	before, err := p.tell(command{Do: "cpu"})
	if err != nil {
		return f, err
	}
	start := time.Now()
	first, err := l.count(true)
	if err != nil {
		return f, err
	}
	if err := pause(ctx, l, w.Window); err != nil {
		return f, err
	}
	after, err := p.tell(command{Do: "cpu"})
	if err != nil {
		return f, err
	}
	last, err := l.count(false)
	if err != nil {
		return f, err
	}
	f = Figures{Answers: last - first, Window: time.Since(start), CPU: after.CPU - before.CPU}
	f.Faults, err = l.drain()
	f.P50, f.P99, f.Max = percentiles(l.times)
	return f, err
}

// pause lets a loop run for a while.
func pause(ctx context.Context, l *loop, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-l.client.Done():
		return fmt.Errorf("bench: the connection has ended: %w", l.client.Err())
	case <-ctx.Done():
		return ctx.Err()
	}
}
