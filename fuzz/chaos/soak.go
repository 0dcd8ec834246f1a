//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/requester"
)

// soaking is one soak: mixed load over both doors for hours, without faults. What is recorded is
// checked a window at a time and forgotten, so that it takes no more memory than one window does.
type soaking struct {
	phase
	hours  time.Duration
	window time.Duration
	every  time.Duration // between samples

	samples []measure
	number  uint64                      // of the last request
	before  map[string]history.Counters // at the end of the last window, by node
}

// soak is the command.
func soak(ctx context.Context, args []string) (err error) {
	f := flag.NewFlagSet("chaos soak HOURS", flag.ContinueOnError)
	gateway := f.String("gateway", "", "`program` to test, instead of the flowsync that is built from the source")
	broker := f.String("broker", mosquitto, "mosquitto, own or embedded")
	rate := f.Float64("rate", 500, "requests a second")
	seed := f.Uint64("seed", 0, "what requests are made of; 0: one that is drawn")
	window := f.Duration("window", 5*time.Minute, "how long is recorded before it is checked and forgotten")
	if len(args) == 0 {
		return errors.New("soak: for how many hours? 0.5 is half an hour")
	}
	hours, err := strconv.ParseFloat(args[0], 64)
	if err != nil || hours <= 0 || hours > 1000 {
		return fmt.Errorf("soak: %q is no number of hours up to 1000", args[0])
	}
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "flowsync-soak-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	s := settings{gateway: *gateway, seed: *seed, folder: folder}
	if err := s.prepareGateway(); err != nil {
		return err
	}
	if s.seed == 0 {
		s.seed = 1 + rand.Uint64N(1_000_000_000)
	}
	k := &soaking{
		phase: phase{
			site: siteOptions{Gateway: s.gateway, Broker: *broker, Seed: s.seed, Folder: filepath.Join(folder, "site"), Note: note},
			rate: *rate, connections: 60, sessions: 4, patience: patience, mix: requester.Mix{Odd: 9, Failing: 3, Leaving: 2},
		},
		hours: time.Duration(hours * float64(time.Hour)), window: *window, before: make(map[string]history.Counters),
	}
	k.every = min(10*time.Second, k.hours/40)
	note("soak for %v, seed %d, %.0f requests a second", k.hours, s.seed, *rate)
	return k.run(ctx)
}

// run soaks and judges.
func (k *soaking) run(ctx context.Context) (err error) {
	s, err := openSite(ctx, k.site)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r := &running{phase: &k.phase, site: s, began: time.Now(), verdict: &verdict{name: k.site.Broker, faults: make(map[string]int)}}
	s.o.Problem = r.problem
	end := time.Now().Add(k.hours)
	for first := true; time.Now().Before(end) && ctx.Err() == nil; first = false {
		if !first {
			s.record()
		}
		if err := k.oneWindow(ctx, r, min(k.window, time.Until(end))); err != nil {
			return fmt.Errorf("%w\nthe end of the gateway's log:\n%s", err, s.excerpt())
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := s.endGateway(); err != nil {
		r.problem(err)
	}
	return k.judge(r)
}

// oneWindow loads for a while, waits until all have their replies, and checks.
func (k *soaking) oneWindow(ctx context.Context, r *running, lasts time.Duration) error {
	loading, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	line := requester.NewLine(&requester.Planner{Seed: k.site.Seed, Nodes: nodes, Mix: k.mix}, k.rate, k.number)
	o := r.requesters()
	var all sync.WaitGroup
	all.Go(func() { line.Run(loading, func() bool { return false }) })
	all.Go(func() { requester.HTTP(ctx, o, line.HTTP, k.connections) })
	all.Go(func() { requester.OPCUA(ctx, o, line.OPCUA, k.sessions, underWay) })
	deaf := r.hearing(context.WithoutCancel(ctx)) // also while the last get their replies
	err := k.sample(loading, r)
	cancel()
	all.Wait()
	deaf()
	k.number = line.Number()
	if err = errors.Join(err, r.site.alive(), ctx.Err()); err != nil {
		return err
	}
	if err := k.counted(ctx, r); err != nil {
		return err
	}
	r.verdict.history = r.site.history()
	r.verdict.violations = append(r.verdict.violations, history.Check(r.verdict.history, k.checkOptions())...)
	if len(r.verdict.violations) > 0 {
		return fmt.Errorf("%w: %v", errFound, r.verdict.violations[0])
	}
	return nil
}

// counted records what the gateway has counted in this window.
func (k *soaking) counted(ctx context.Context, r *running) error {
	m, err := r.hushed(ctx)
	if err != nil {
		return err
	}
	for _, c := range m.counters(r.site.life.Load()) {
		r.site.history().Counters(less(c, k.before[c.Node]))
		k.before[c.Node] = c
	}
	return nil
}

// quietFor is how long no answer must have come before a window ends. It is longer than any script
// of the responder is late: an answer that was forwarded in one window and counted in the next would
// look like one that nobody has sent.
const quietFor = 3 * time.Second

// hushed waits until nothing is held and no late answer comes any more.
func (r *running) hushed(ctx context.Context) (metrics, error) {
	m, err := r.settled(ctx)
	for deadline := time.Now().Add(r.patience); err == nil && time.Now().Before(deadline); {
		if !pause(ctx, quietFor) {
			return nil, ctx.Err()
		}
		before := m.sum(answersMetric)
		if m, err = r.site.metrics(ctx); err != nil || m.sum(answersMetric) == before {
			return m, err
		}
	}
	return m, err
}

// less is what was counted since.
func less(now, before history.Counters) history.Counters {
	now.Begun -= before.Begun
	now.Outcomes = lessEach(now.Outcomes, before.Outcomes)
	now.Answers = lessEach(now.Answers, before.Answers)
	now.Repeats = lessEach(now.Repeats, before.Repeats)
	return now
}

func lessEach(now, before map[string]uint64) map[string]uint64 {
	if now == nil {
		return nil
	}
	since := make(map[string]uint64, len(now))
	for name, n := range now {
		since[name] = n - before[name]
	}
	return since
}
