//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/planted"
	"github.com/flowsync-go/flowsync/fuzz/chaos/requester"
)

// provePlanted proves the checker: each bug that is planted is found, by a rule that is meant to, and without
// one nothing is. One short campaign without faults each, with the same seed.
func provePlanted(ctx context.Context, args []string) (err error) {
	f := flag.NewFlagSet("chaos planted", flag.ContinueOnError)
	seed := f.Uint64("seed", 1, "what requests are made of")
	only := f.String("only", "", "`name` of the only bug to plant")
	if err := f.Parse(args); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "flowsync-planted-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	gateway := filepath.Join(folder, "flowsync")
	note("building a gateway with %d bugs, seed %d", len(planted.Bugs), *seed)
	if err := buildWith(planted.Write, folder, gateway); err != nil {
		return err
	}
	if err := proveAll(ctx, gateway, folder, *only, *seed); err != nil {
		return err
	}
	note("all bugs were found, and nothing without one")
	return nil
}

// provers is how many campaigns run at a time: they wait more than they work.
const provers = 3

func proveAll(ctx context.Context, gateway, folder, only string, seed uint64) error {
	bugs := append([]planted.Bug{{}}, planted.Bugs...)
	errs := make([]error, len(bugs))
	places := make(chan struct{}, provers)
	var all sync.WaitGroup
	for i, b := range bugs {
		if b.Name != "" && only != "" && b.Name != only {
			continue
		}
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			errs[i] = prove(ctx, b, plantedPhase(gateway, filepath.Join(folder, "site-"+b.Name), b.Name, seed))
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// plantedPhase is a campaign that is long enough to show any of the bugs.
func plantedPhase(gateway, folder, bug string, seed uint64) phase {
	return phase{
		site: siteOptions{
			Gateway: gateway, Broker: own, Seed: seed, Folder: folder,
			Env: []string{planted.Env + "=" + bug}, Note: func(string, ...any) {},
		},
		transactions: 4500, rate: 1000, connections: 100, sessions: 2, mix: requester.Mix{Odd: 30, Failing: 10, Leaving: 2},
		limit: time.Minute, patience: 3 * time.Second, deaf: bug != "", // what is planted is found in any noise
	}
}

// prove runs a gateway with a bug; one without a name is none.
func prove(ctx context.Context, b planted.Bug, p phase) error {
	v, err := p.run(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", b.Name, err)
	}
	found := map[string]int{}
	for _, violation := range v.violations {
		found[violation.Rule]++
	}
	if b.Name == "" {
		note("without a bug: %d requests, %d violations", v.asked, len(v.violations)+len(v.problems))
		if v.bad() {
			v.print()
			return fmt.Errorf("%w: nothing is planted, and something is found", errFound)
		}
		return nil
	}
	note("%-18s %d requests, found by %v, meant for %v", b.Name, v.asked, found, b.Rules)
	if !slices.ContainsFunc(b.Rules, func(rule string) bool { return found[rule] > 0 }) {
		v.print()
		return fmt.Errorf("%w: the planted bug %q was not found by any of %v", errFound, b.Name, b.Rules)
	}
	return nil
}
