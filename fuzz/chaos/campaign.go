//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/requester"
	"github.com/flowsync-go/flowsync/fuzz/chaos/schedule"
)

// phase is a part of a campaign: one site, from its start to its end, and the check of its history.
type phase struct {
	site         siteOptions
	transactions uint64 // at least
	faults       int
	rate         float64
	connections  int // of HTTP
	sessions     int // of OPC UA
	quiet        time.Duration
	limit        time.Duration // it ends then, whatever was reached
	patience     time.Duration // of requesters, after a node's longest time
	mix          requester.Mix // requests that are out of the ordinary
	deaf         bool          // noise of the machine excuses nothing
	only         string        // faults whose names contain it; "": all
}

// verdict is what became of a phase.
type verdict struct {
	name       string
	hash       string // of the schedule
	asked      uint64
	took       time.Duration
	still      time.Duration // how long the machine stood still, which is no fault of ours
	ends       map[requester.End]uint64
	faults     map[string]int
	history    *history.History
	violations []history.Violation
	problems   []error // what went wrong besides
}

// underWay is how many requests a session has under way at most.
const underWay = 400

// run runs a phase to its end, or until ctx ends. The error says why there is no verdict.
func (p *phase) run(ctx context.Context) (v *verdict, err error) {
	s, err := openSite(ctx, p.site)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r := &running{phase: p, site: s, began: time.Now(), verdict: &verdict{name: p.site.Broker, history: s.history(), faults: make(map[string]int)}}
	s.o.Problem = r.problem
	plan, err := r.plan()
	if err != nil {
		return nil, err
	}
	r.verdict.hash = plan.Hash()
	p.site.Note("%s: %d faults of %d kinds within %v, schedule %s", p.site.Broker, len(plan.Steps), len(r.kinds), plan.Length().Round(time.Second), r.verdict.hash)
	err = r.load(ctx, plan)
	if err == nil {
		err = r.end(ctx)
	}
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("ended before its time: %w", ctx.Err())
	case err != nil:
		return nil, fmt.Errorf("%w\nthe end of the gateway's log:\n%s", err, s.excerpt())
	}
	r.verdict.violations = history.Check(s.history(), p.checkOptions())
	return r.verdict, nil
}

func (p *phase) checkOptions() history.Options {
	o := history.Options{Blind: p.site.Broker == embedded}
	for i := range nodes {
		o.Nodes = append(o.Nodes, nodes[i].Checked(service))
	}
	return o
}

// running is a phase that runs.
type running struct {
	*phase
	site    *site
	verdict *verdict
	kinds   map[string]fault
	tally   requester.Tally
	began   time.Time

	mu sync.Mutex // guards the verdict's faults and problems meanwhile
}

// plan makes the schedule of what can be done to this site.
func (r *running) plan() (*schedule.Schedule, error) {
	r.kinds = make(map[string]fault)
	o := schedule.Options{Faults: r.faults, Quiet: r.quiet, Overlaps: 25}
	for _, f := range chosen(faultsOf(r.site), r.only) {
		r.kinds[f.Name] = f
		o.Kinds = append(o.Kinds, f.Kind)
	}
	return schedule.New(r.phase.site.Seed, o)
}

// load lets the requesters ask until all faults were injected and enough was asked.
func (r *running) load(ctx context.Context, plan *schedule.Schedule) error {
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	o := r.requesters()
	line := requester.NewLine(&requester.Planner{Seed: r.phase.site.Seed, Nodes: nodes, Mix: r.mix}, r.rate, 0)
	var all sync.WaitGroup
	faults := make(chan error, 1)
	handing, stop := context.WithCancel(ctx)
	defer stop()
	all.Go(func() { faults <- r.inject(handing, plan) })
	all.Go(func() { requester.HTTP(ctx, o, line.HTTP, r.connections) })
	all.Go(func() { requester.OPCUA(ctx, o, line.OPCUA, r.sessions, underWay) })
	var err error
	after := recovery{tally: &r.tally}
	all.Go(func() {
		line.Run(handing, func() bool {
			select {
			case err = <-faults:
				after.begin()
			default:
			}
			return err != nil || after.over() && r.tally.Asked() >= r.transactions
		})
		stop()
	})
	deaf := r.hearing(context.WithoutCancel(ctx)) // also while the last get their replies
	r.watch(ctx, &all)
	deaf()
	r.verdict.asked, r.verdict.took, r.verdict.ends = r.tally.Asked(), time.Since(r.began), r.tally.Ends()
	if err == nil && after.failed {
		r.problem(fmt.Errorf("%v after the last fault fewer than half of the requests are answered", recoverWithin))
	}
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		r.problem(fmt.Errorf("stopped after %v: %d transactions and %d faults were asked for", r.limit, r.transactions, r.faults))
		return nil
	}
	return errors.Join(err, ctx.Err())
}

// requesters are the options of those who ask.
func (r *running) requesters() *requester.Options {
	return &requester.Options{
		History: r.site.history(), Life: r.site.life.Load, Tally: &r.tally, Patience: r.patience,
		Connect: func(ctx context.Context) (net.Conn, error) {
			return (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, "tcp", r.site.place.http)
		},
		Host:     r.site.place.http,
		Endpoint: "opc.tcp://" + r.site.place.opcua + "/UA/CybusOpcuaServer",
		Lost:     func(what string) { r.problem(errors.New(what)) },
	}
}

// problem keeps what went wrong; so many are enough.
func (r *running) problem(err error) {
	const most = 100
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.verdict.problems) < most {
		r.verdict.problems = append(r.verdict.problems, err)
	}
}

// injected is how many faults there were so far.
func (r *running) injected() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, count := range r.verdict.faults {
		n += count
	}
	return n
}

// end lets the gateway finish what it holds, reads its counters, and asks it to end.
func (r *running) end(ctx context.Context) error {
	if err := r.site.alive(); err != nil {
		return err
	}
	m, err := r.settled(ctx)
	if err != nil {
		return err
	}
	for _, c := range m.counters(r.site.life.Load()) {
		r.site.history().Counters(c)
	}
	if err := r.site.endGateway(); err != nil {
		r.problem(fmt.Errorf("asked to end, with nothing held: %w", err))
	}
	return nil
}

// settled returns the metrics when nothing is held any more, or when that takes too long.
func (r *running) settled(ctx context.Context) (metrics, error) {
	deadline := time.Now().Add(r.patience)
	for {
		m, err := r.site.metrics(ctx)
		if err != nil || m.sum(heldMetric) == 0 || time.Now().After(deadline) {
			return m, err
		}
		if !pause(ctx, 20*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
}

// pause waits; false: ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
