package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/flowsync-go/flowsync/bench/load"
)

// loadCommand is "flowsync load".
type loadCommand struct {
	loadFlags
	URL string `arg:"" name:"url" help:"The route to ask, such as http://127.0.0.1:8080/data/press/mayStart, or the OPC UA server, opc.tcp://127.0.0.1:4841."`
}

// Help is what is said below the one line.
func (*loadCommand) Help() string {
	return `Requests have intended starts, at a constant rate, and latency is counted from these: a request that waits because those before are not answered yet has waited. Progress goes to standard error, the report to standard output.

Exit code 0 only if nothing was lost, wrong or duplicate, at least one request was answered, and the run was not interrupted; with --find-capacity, if a rate was found too. Requests that the gateway ended truthfully (timeout, shed …) are no faults; they are in the report.

	flowsync load --rate 2000 --duration 30s http://127.0.0.1:8080/data/press/mayStart
	flowsync load --find-capacity --p99 20ms http://127.0.0.1:8080/data/press/mayStart`
}

// Run offers the load, and reports. A signal ends it early, with a report; a second one at once.
func (c *loadCommand) Run(p *process) error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	out, err := openOutputs(p.stdout, c.JSON, c.Plot)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- c.offer(ctx, p, s, out) }()
	signals := p.signals()
	select {
	case err := <-done:
		return err
	case <-signals:
		cancel()
	}
	select {
	case err := <-done:
		return err
	case caught := <-signals:
		return atOnce(caught)
	}
}

// offer runs what is to be run, and writes the report.
func (c *loadCommand) offer(ctx context.Context, p *process, s *loadSettings, out *outputs) error {
	if s.p99 > 0 {
		return c.search(ctx, p, s, out)
	}
	s.workload.Progress = func(now load.Progress) { fmt.Fprintln(p.stderr, now) }
	report, err := load.Run(ctx, s.workload)
	if err != nil {
		return out.abandon(orInterrupted(ctx, err))
	}
	report.Version = generator(commit())
	return out.write(&report)
}

// search finds the capacity. Of a search that fails half way, what was found is reported.
func (c *loadCommand) search(ctx context.Context, p *process, s *loadSettings, out *outputs) error {
	capacity, err := load.FindCapacity(ctx, load.Search{
		Workload: s.workload, P99: s.p99,
		OnStep: func(step load.Step) { fmt.Fprintln(p.stderr, step) },
	})
	err = orInterrupted(ctx, err)
	if len(capacity.Steps) == 0 {
		return out.abandon(err)
	}
	for i := range capacity.Steps {
		capacity.Steps[i].Report.Version = generator(commit())
	}
	if failed := out.write(&capacity); err == nil {
		err = failed
	}
	return err
}

// orInterrupted says of what failed when a signal had come that it was interrupted, wherever it was.
func orInterrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}

// generator is what makes the load: the version, and the commit if the build knows it.
func generator(commit string) string {
	if commit == commitOf(nil) {
		return "flowsync " + version
	}
	return "flowsync " + version + " (" + commit + ")"
}
