//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/requester"
	"github.com/flowsync-go/flowsync/fuzz/chaos/tap"
)

// overloading is one overload: an ordinary load, then for a long time more than the gateway can do, with a
// slow broker and clients that do not read; then the ordinary load again.
type overloading struct {
	phase
	lasts   time.Duration
	warm    time.Duration // how long the ordinary load is on before
	written atomic.Uint64 // requests of those who do not read
}

// What is asked in ordinary times, and what in an overload.
const (
	ordinaryRate = 800
	overRate     = 30_000
	overConns    = 1500
	overSessions = 8
	slowConns    = 100
	slowSessions = 10
	slowReaders  = 20     // of MQTT, when the broker is in the gateway
	slowBroker   = 60_000 // bytes a second in each direction
	overUnderWay = 2000   // of each session
	// giveBack is how long memory may take to be given back: Go does that bit by bit, and collects
	// garbage at least every two minutes.
	giveBack = 4 * time.Minute
)

// overload is the command.
func overload(ctx context.Context, args []string) (err error) {
	f := flag.NewFlagSet("chaos overload DURATION", flag.ContinueOnError)
	gateway := f.String("gateway", "", "`program` to test, instead of the flowsync that is built from the source")
	broker := f.String("broker", mosquitto, "mosquitto, own or embedded")
	seed := f.Uint64("seed", 0, "what requests are made of; 0: one that is drawn")
	warm := f.Duration("warm", 150*time.Second, "how long the ordinary load is on before memory is looked at: until all tables have their size")
	if len(args) == 0 {
		return errors.New("overload: for how long? 10m are ten minutes")
	}
	lasts, err := time.ParseDuration(args[0])
	if err != nil || lasts <= 0 {
		return fmt.Errorf("overload: %q is no duration", args[0])
	}
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "flowsync-overload-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	s := settings{gateway: *gateway, folder: folder, seed: *seed}
	if err := s.prepareGateway(); err != nil {
		return err
	}
	if s.seed == 0 {
		s.seed = 1 + rand.Uint64N(1_000_000_000)
	}
	o := &overloading{
		phase: phase{
			site:     siteOptions{Gateway: s.gateway, Broker: *broker, Seed: s.seed, Folder: filepath.Join(folder, "site"), Note: note, Blind: true},
			patience: patience, mix: requester.Mix{Odd: 9, Failing: 3, Leaving: 1},
		},
		lasts: lasts, warm: *warm,
	}
	note("overload of %v, seed %d", lasts, s.seed)
	return o.run(ctx)
}

// run overloads and judges.
func (o *overloading) run(ctx context.Context) (err error) {
	s, err := openSite(ctx, o.site)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r := &running{phase: &o.phase, site: s, began: time.Now(), verdict: &verdict{name: o.site.Broker, faults: make(map[string]int)}}
	s.o.Problem = r.problem
	calm, number, err := o.ordinary(ctx, r, 0, o.warm, 0)
	if err != nil {
		return err
	}
	note("ordinary load: RSS %.1f MiB", calm)
	peak, number, err := o.over(ctx, r, number)
	if err != nil {
		return err
	}
	limit := 1.2*calm + 16
	note("overload is over: RSS was %.1f MiB at most, %d requests by those who do not read", peak, o.written.Load())
	after, _, err := o.ordinary(ctx, r, number, giveBack, limit)
	if err != nil {
		return err
	}
	return o.judge(ctx, r, calm, peak, after, limit)
}

// ordinary loads for a while, and returns the RSS in the end, in MiB. With a limit it returns as soon as the
// RSS is below.
func (o *overloading) ordinary(ctx context.Context, r *running, number uint64, lasts time.Duration, limit float64) (rss float64, last uint64, err error) {
	loading, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	line, all := o.ask(loading, r, number, ordinaryRate, 100, 4, underWay)
	for err == nil && pause(loading, time.Second) {
		if rss, err = r.rss(); limit > 0 && rss <= limit {
			break
		}
	}
	cancel()
	all.Wait()
	return rss, line.Number(), errors.Join(err, r.site.alive(), ctx.Err())
}

func (r *running) rss() (float64, error) {
	u, err := r.site.current().Usage()
	return float64(u.RSS) / (1 << 20), err
}

// ask starts requesters, until ctx ends.
func (o *overloading) ask(ctx context.Context, r *running, number uint64, rate float64, connections, sessions, underWay int) (*requester.Line, *sync.WaitGroup) {
	line := requester.NewLine(&requester.Planner{Seed: o.site.Seed, Nodes: nodes, Mix: o.mix}, rate, number)
	options := r.requesters()
	options.History = nil
	whole := context.WithoutCancel(ctx) // they get their replies also when no more is asked
	var all sync.WaitGroup
	all.Go(func() { line.Run(ctx, func() bool { return false }) })
	all.Go(func() { requester.HTTP(whole, options, line.HTTP, connections) })
	all.Go(func() { requester.OPCUA(whole, options, line.OPCUA, sessions, underWay) })
	return line, &all
}

// over is the overload. It returns the highest RSS, in MiB.
func (o *overloading) over(ctx context.Context, r *running, number uint64) (peak float64, last uint64, err error) {
	loading, cancel := context.WithTimeout(ctx, o.lasts)
	defer cancel()
	slow := r.site.responderTap.Inject(tap.Fault{Kind: tap.Throttle, Bytes: slowBroker})
	defer slow.End()
	if t := r.site.gatewayTap; t != nil {
		defer t.Inject(tap.Fault{Kind: tap.Throttle, Bytes: slowBroker}).End()
	}
	readers, err := o.deafReaders(r)
	defer func() {
		for _, c := range readers {
			_ = c.Close()
		}
	}()
	line, all := o.ask(loading, r, number, overRate, overConns, overSessions, overUnderWay)
	options := r.requesters()
	all.Go(func() {
		requester.Slow(loading, options, &requester.Planner{Seed: o.site.Seed, Nodes: nodes}, slowConns, slowSessions, &o.written)
	})
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for asked := r.tally.Asked(); err == nil && pause(loading, progressEvery); {
		var rss float64
		if rss, err = r.rss(); err == nil {
			peak = max(peak, rss)
			note("%4.0f s: %.0f/s asked, %d under way, %d written by those who do not read, RSS %.1f MiB", time.Since(r.began).Seconds(),
				float64(r.tally.Asked()-asked)/progressEvery.Seconds(), r.tally.Open(), o.written.Load(), rss)
		}
		asked = r.tally.Asked()
	}
	cancel()
	all.Wait()
	return peak, line.Number(), errors.Join(err, r.site.alive(), ctx.Err())
}

// deafReaders subscribe to everything at the broker in the gateway, and read nothing.
func (o *overloading) deafReaders(r *running) (readers []net.Conn, err error) {
	if o.site.Broker != embedded {
		return nil, nil
	}
	for i := range slowReaders {
		conn, err := net.DialTimeout("tcp", r.site.place.broker, patience)
		if err != nil {
			return readers, err
		}
		readers = append(readers, conn)
		if _, err := conn.Write(deafReader(i)); err != nil {
			return readers, err
		}
	}
	return readers, nil
}

// deafReader is a CONNECT of MQTT 5 without limits, and a SUBSCRIBE to all that is on the nodes' topics.
func deafReader(number int) []byte {
	id, filter := fmt.Sprintf("deaf-%03d", number), "services/#"
	b := []byte{0x10, byte(13 + len(id)), 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 0, 0, 0, byte(len(id))}
	b = append(b, id...)
	b = append(b, 0x82, byte(6+len(filter)), 0, 1, 0, 0, byte(len(filter)))
	return append(append(b, filter...), 0)
}

// judge says what came out.
func (o *overloading) judge(ctx context.Context, r *running, calm, peak, after, limit float64) error {
	m, err := r.settled(ctx)
	if err != nil {
		return err
	}
	r.verdict.asked, r.verdict.took, r.verdict.ends = r.tally.Asked(), time.Since(r.began), r.tally.Ends()
	for end, n := range r.verdict.ends {
		if end.Word == "silent" || end.Word == "connection ended" || end.Word == "" {
			r.problem(fmt.Errorf("%d requests over %s had no outcome: %s", n, end.Door, end.Word))
		}
	}
	if begun, ended := m.sum(begunMetric), m.sum(endedMetric); begun != ended || m.sum(heldMetric) != 0 {
		r.problem(fmt.Errorf("the gateway has begun %.0f transactions, ended %.0f, and holds %.0f", begun, ended, m.sum(heldMetric)))
	}
	if after > limit {
		r.problem(fmt.Errorf("RSS is %.1f MiB %v after the overload; it was %.1f before, the limit is %.1f", after, giveBack, calm, limit))
	}
	if err := r.site.endGateway(); err != nil {
		r.problem(err)
	}
	r.verdict.print()
	fmt.Printf("overload of %v: RSS %.1f MiB before, %.1f at most, %.1f after (limit %.1f)\n", o.lasts, calm, peak, after, limit)
	if r.verdict.bad() {
		return fmt.Errorf("%w: seed %d", errFound, o.site.Seed)
	}
	return nil
}
