package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Workload is what is asked of a server, and how.
type Workload interface {
	// Title is its name in tables.
	Title() string
	open(*Campaign) (subject, error)
}

// subject is what a workload is asked of, which runs.
type subject interface {
	// run asks for a window.
	run(context.Context) (Figures, error)
	// profile begins to profile the server into files whose names begin so, and returns what ends it.
	profile(file string) (end func() error, err error)
	Close() error
}

// Campaign is the servers of several workloads, side by side, of which only one is asked at a time.
type Campaign struct {
	folder    string          // of what servers need
	keys      *Keys           // nil: no workload is secured
	sites     map[*Path]*Site // which workloads share
	workloads []Workload
	subjects  []subject
}

// NewCampaign starts what the workloads need.
func NewCampaign(workloads ...Workload) (_ *Campaign, err error) {
	c := &Campaign{sites: map[*Path]*Site{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if c.folder, err = os.MkdirTemp("", "flowsync-bench-"); err != nil {
		return nil, err
	}
	for _, w := range workloads {
		s, err := w.open(c)
		if err != nil {
			return nil, fmt.Errorf("bench: %s: %w", w.Title(), err)
		}
		c.workloads, c.subjects = append(c.workloads, w), append(c.subjects, s)
	}
	return c, nil
}

// Close ends what runs.
func (c *Campaign) Close() error {
	var errs []error
	for _, s := range c.subjects {
		errs = append(errs, s.Close())
	}
	for _, s := range c.sites {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(c.folder))...)
}

// Run does rounds of all workloads. What it returns is by workload, then by round.
func (c *Campaign) Run(ctx context.Context, rounds int) ([][]Figures, error) {
	figures := make([][]Figures, len(c.workloads))
	for range rounds {
		for i, s := range c.subjects {
			f, err := s.run(ctx)
			if err != nil {
				return nil, fmt.Errorf("bench: %s: %w", c.workloads[i].Title(), err)
			}
			figures[i] = append(figures[i], f)
		}
	}
	return figures, nil
}

// Profile runs each workload once more, and leaves profiles of its server in a folder.
func (c *Campaign) Profile(ctx context.Context, folder string) error {
	for i, s := range c.subjects {
		file, err := filepath.Abs(filepath.Join(folder, fileName(c.workloads[i].Title())))
		if err != nil {
			return err
		}
		end, err := s.profile(file)
		if err != nil {
			return err
		}
		_, err = s.run(ctx)
		if err := errors.Join(err, end()); err != nil {
			return err
		}
	}
	return nil
}

// wait lets what runs run for a while, or until it has ended.
func wait(ctx context.Context, d time.Duration, ended <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ended:
		return errors.New("bench: it has ended by itself")
	case <-ctx.Done():
		return ctx.Err()
	}
}
