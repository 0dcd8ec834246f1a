package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/flowsync-go/flowsync/bench/load"
)

// HTTP is what is asked of a path: so many connections, each of which asks again once it is answered.
type HTTP struct {
	Name        string // in tables
	Path        *Path
	Connections int
	Payload     int           // bytes of the JSON that is asked with
	WarmUp      time.Duration // before the window
	Window      time.Duration
}

// StandardHTTP is a workload as flags have it, with 200 bytes of JSON.
func StandardHTTP(p *Path, connections int) HTTP {
	return HTTP{
		Name: fmt.Sprintf("%s/conns=%d", p.Name, connections), Path: p,
		Connections: connections, Payload: standardPayload, WarmUp: *window / 4, Window: *window,
	}
}

const standardPayload = 200

// Title implements [Workload].
func (w HTTP) Title() string { return w.Name }

// open starts the path, if no other workload of the campaign has.
func (w HTTP) open(c *Campaign) (subject, error) {
	site, err := c.site(w.Path)
	return &httpSubject{w, site}, err
}

// site is that of a path, which is started if it does not run.
func (c *Campaign) site(p *Path) (*Site, error) {
	site := c.sites[p]
	if site == nil {
		var err error
		if site, err = openSite(p, c.folder); err != nil {
			return nil, err
		}
		c.sites[p] = site
	}
	return site, nil
}

// httpSubject is a site and what is asked of it. The campaign closes the site.
type httpSubject struct {
	workload HTTP
	site     *Site
}

// Close implements subject.
func (s *httpSubject) Close() error { return nil }

func (s *httpSubject) profile(file string) (end func() error, err error) {
	if p, ok := s.site.part(Gateway).(*Process); ok {
		return p.profile(file)
	}
	return func() error { return nil }, nil // a program cannot be told to
}

// run asks the gateway for a window.
func (s *httpSubject) run(ctx context.Context) (Figures, error) {
	w := s.workload
	f, report, err := s.site.ask(ctx, Echo, load.Workload{Lanes: w.Connections, WarmUp: w.WarmUp, Duration: w.Window}, w.Payload)
	f.Faults = strict(&report)
	return f, errors.Join(err, s.site.alive())
}

// strict is what must not be where every request can be answered.
func strict(r *load.Report) Faults {
	f := Faults{Lost: int(r.Lost), Wrong: int(r.Wrong), Duplicate: int(r.Duplicate)}
	for _, t := range r.Outcomes {
		if t.Outcome != load.Answered && t.Outcome != load.Lost && t.Outcome != load.Wrong {
			f.Lost += int(t.Count)
		}
	}
	return f
}

// ask has a load offered on a route of the site, and says what it cost while it was counted. Faults
// are left to the caller.
func (s *Site) ask(ctx context.Context, route string, w load.Workload, payload int) (f Figures, report load.Report, err error) {
	target, err := load.NewHTTP(load.HTTPOptions{URL: "http://" + s.address + route, Payload: payload})
	if err != nil {
		return f, report, err
	}
	opened := &watched{HTTP: target, opened: make(chan struct{})}
	w.Target = opened
	ended := make(chan struct{})
	counted := make(chan error, 1)
	go func() {
		select {
		case <-opened.opened:
			counted <- s.count(ctx, &w, &f)
		case <-ended:
			counted <- nil // the load's own error says more
		}
	}()
	report, err = load.Run(ctx, w)
	close(ended)
	if err = errors.Join(err, <-counted); err != nil {
		return f, report, err
	}
	f.Answers = int(math.Round(report.GoodputPerSecond * report.DurationSeconds))
	f.Window = time.Duration(report.DurationSeconds * float64(time.Second))
	f.Times = timesIn(report.Latency)
	return f, report, nil
}

// count takes the cost of what is done while a load is counted.
func (s *Site) count(ctx context.Context, w *load.Workload, f *Figures) error {
	if err := wait(ctx, load.Lead+w.Ramp+w.WarmUp, nil); err != nil {
		return err
	}
	before, err := s.cpu()
	if err != nil {
		return err
	}
	if err := wait(ctx, w.Duration, nil); err != nil {
		return err
	}
	after, err := s.cpu()
	if err != nil {
		return err
	}
	f.CPU, f.Others = spent(before, after)
	return nil
}

// watched is a target that tells when its lanes are open, which is when a load begins.
type watched struct {
	*load.HTTP
	opened chan struct{}
}

// Open implements [load.Target].
func (t *watched) Open(ctx context.Context, lanes int) ([]load.Lane, error) {
	defer close(t.opened)
	return t.HTTP.Open(ctx, lanes)
}

func timesIn(l load.Latency) Times {
	ms := func(f float64) time.Duration { return time.Duration(f * float64(time.Millisecond)) }
	return Times{P50: ms(l.P50), P90: ms(l.P90), P99: ms(l.P99), P999: ms(l.P999), Max: ms(l.Max)}
}
