package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/flowsync-go/flowsync/bench/load"
)

// HeldConnections is what it takes to hold requests over HTTP, each on a connection of its own.
type HeldConnections struct {
	N          int
	Idle       int64   // the gateway's resident memory before, in bytes
	Bytes      float64 // of the gateway's resident memory by request that is held
	Goroutines float64 // in the gateway by request that is held
	// Others' requests at a constant rate: without the held ones, and beside them.
	Alone, Beside Times
	Faults
}

// othersRate is how many requests a second others send, and othersLanes over how many connections.
const (
	othersRate  = 1000
	othersLanes = 64
)

// hold has a site hold n requests, while others ask for a window.
func (s *Site) hold(ctx context.Context, n int, window time.Duration) (h HeldConnections, err error) {
	h.N = n
	if h.Alone, err = s.others(ctx, window, &h.Faults); err != nil {
		return h, err
	}
	before, err := s.standing(ctx)
	if err != nil {
		return h, err
	}
	release, err := s.holdMany(ctx, n)
	if err != nil {
		return h, err
	}
	after, err := s.standing(ctx)
	h.Idle = before.rss
	h.Bytes = float64(after.rss-before.rss) / float64(n)
	h.Goroutines = (after.goroutines - before.goroutines) / float64(n)
	if err == nil {
		h.Beside, err = s.others(ctx, window, &h.Faults)
	}
	answered := release()
	h.Wrong += answered // nobody answers them
	none := func(held int) bool { return held == 0 }
	return h, errors.Join(err, s.awaitHeld(ctx, none))
}

// standing is what a gateway takes.
type standing struct {
	rss        int64
	goroutines float64
	metrics    metrics
}

func (s *Site) standing(ctx context.Context) (st standing, err error) {
	if st.metrics, err = s.metrics(ctx); err != nil {
		return st, err
	}
	st.goroutines = st.metrics.sum("go_goroutines", "")
	st.rss, err = s.rss()
	return st, err
}

// others ask for a window, and are answered.
func (s *Site) others(ctx context.Context, window time.Duration, faults *Faults) (Times, error) {
	w := load.Workload{Rate: othersRate, Lanes: othersLanes, WarmUp: window / 8, Duration: window}
	f, report, err := s.ask(ctx, Echo, w, standardPayload)
	faults.add(strict(&report))
	return f.Times, err
}

// holdMany asks n requests that nobody answers, and returns once they are held. release gives them
// up, and says how many were answered all the same.
func (s *Site) holdMany(ctx context.Context, n int) (release func() (answered int), err error) {
	target, err := load.NewHTTP(load.HTTPOptions{URL: "http://" + s.address + Hold, Payload: standardPayload})
	if err != nil {
		return nil, err
	}
	lanes, err := target.Open(ctx, n)
	if err != nil {
		return nil, err
	}
	var asking sync.WaitGroup
	var mu sync.Mutex
	answered := 0
	for i, l := range lanes {
		asking.Go(func() {
			v := l.Ask(uint64(i+1), time.Now().Add(4*Patience))
			mu.Lock()
			defer mu.Unlock()
			if v.Outcome != load.Lost {
				answered++
			}
		})
	}
	release = func() int {
		for _, l := range lanes {
			_ = l.Close() // what is asked over it is lost, as it is to be
		}
		asking.Wait()
		return answered
	}
	all := func(held int) bool { return held >= n }
	if err := s.awaitHeld(ctx, all); err != nil {
		return nil, errors.Join(err, fmt.Errorf("bench: %d were answered", release()))
	}
	return release, nil
}

// ReportHeldConnections has a path hold n requests and reports what that takes: the memory of the
// first round, as it is not given back to the system between rounds, and what others waited by the
// medians of all rounds.
func ReportHeldConnections(b *testing.B, p *Path, n int) {
	b.Helper()
	var all []HeldConnections
	err := onSite(p, func(s *Site) error {
		for range *rounds {
			h, err := s.hold(b.Context(), n, *window)
			if err != nil {
				return err
			}
			b.Logf("%d held: %.0f B each; others %v; without %v", n, h.Bytes, h.Beside, h.Alone)
			all = append(all, h)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	reportHeldConnections(b, all)
}

func reportHeldConnections(b *testing.B, all []HeldConnections) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(all[0].Idle), "rss-idle-B")
	b.ReportMetric(all[0].Bytes, "rss-B/held")
	b.ReportMetric(all[0].Goroutines, "goroutines/held")
	beside := each(all, func(h HeldConnections) Times { return h.Beside })
	alone := each(all, func(h HeldConnections) Times { return h.Alone })
	reportTimes(b, "", beside)
	reportTimes(b, "alone-", alone)
	p99 := func(t Times) float64 { return millis(t.P99) }
	b.ReportMetric(median(each(beside, p99))/median(each(alone, p99)), "p99-of-alone")
	var faults Faults
	for _, h := range all {
		faults.add(h.Faults)
	}
	faults.report(b)
}
