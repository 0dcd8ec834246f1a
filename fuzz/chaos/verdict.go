//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/requester"
)

// campaign runs the phases and says what came out.
func campaign(ctx context.Context, args []string) (err error) {
	s, err := readSettings(args)
	if err != nil {
		return err
	}
	note("seed %d", s.seed)
	defer func() { err = errors.Join(err, os.RemoveAll(s.folder)) }()
	if err := s.prepare(); err != nil {
		return err
	}
	var verdicts []*verdict
	for _, p := range s.phases() {
		v, err := p.run(ctx)
		if err != nil {
			return fmt.Errorf("seed %d: %s: %w", s.seed, p.site.Broker, err)
		}
		v.print()
		if v.bad() {
			if err := s.save(&p, v); err != nil {
				return err
			}
		}
		verdicts = append(verdicts, v)
	}
	return s.conclude(verdicts)
}

// shares are how much of a campaign each broker gets, of a hundred.
var shares = []struct {
	broker  string
	percent int
}{{mosquitto, 60}, {own, 25}, {embedded, 15}}

// phases are the parts of the campaign.
func (s *settings) phases() (phases []phase) {
	for _, share := range shares {
		percent := share.percent
		if s.broker == share.broker {
			percent = 100
		} else if s.broker != "all" {
			continue
		}
		folder := filepath.Join(s.folder, share.broker)
		phases = append(phases, phase{
			site: siteOptions{
				Gateway: s.gateway, Broker: share.broker, Seed: s.seed, Folder: folder,
				Network: s.network, Disk: s.disk, Clock: s.clock, Note: note,
			},
			transactions: s.transactions * uint64(percent) / 100, faults: (s.faults*percent + 99) / 100, rate: s.rate,
			connections: s.connections, sessions: s.sessions, quiet: s.quiet, limit: s.duration, patience: patience, mix: s.mix(), only: s.only,
		})
	}
	return phases
}

func (v *verdict) bad() bool { return len(v.violations)+len(v.problems) > 0 }

// print says what came out of a phase.
func (v *verdict) print() {
	fmt.Printf("\n%s: %d requests in %v, %.0f/s\n", v.name, v.asked, v.took.Round(time.Millisecond), float64(v.asked)/v.took.Seconds())
	byEnd := func(a, b requester.End) int { return strings.Compare(a.Door+a.Word, b.Door+b.Word) }
	for _, e := range slices.SortedFunc(maps.Keys(v.ends), byEnd) {
		fmt.Printf("  %-6s %-32s %9d\n", e.Door, e.Word, v.ends[e])
	}
	for _, name := range slices.Sorted(maps.Keys(v.faults)) {
		fmt.Printf("  fault  %-32s %9d\n", name, v.faults[name])
	}
	if v.still > 0 {
		fmt.Printf("  the machine stood still or had no time for us for %v in all, which excuses what was late\n", v.still.Round(time.Millisecond))
	}
	const most = 10
	for _, p := range v.problems[:min(most, len(v.problems))] {
		fmt.Printf("  PROBLEM %v\n", p)
	}
	rules := map[string]int{}
	for _, found := range v.violations {
		if rules[found.Rule]++; rules[found.Rule] == 1 { // the others are in the file
			fmt.Printf("  VIOLATION %v\n", found)
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		fmt.Printf("  VIOLATIONS of %s: %d\n", rule, rules[rule])
	}
}

// conclude says it in a few lines.
func (s *settings) conclude(verdicts []*verdict) error {
	var asked uint64
	var took time.Duration
	faults, found := map[string]int{}, 0
	total := 0
	for _, v := range verdicts {
		asked += v.asked
		took += v.took
		found += len(v.violations) + len(v.problems)
		for name, n := range v.faults {
			faults[name] += n
			total += n
		}
	}
	fmt.Printf("\nseed %d: %d transactions, %.0f/s, %d faults of %d kinds, %d violations\n",
		s.seed, asked, float64(asked)/took.Seconds(), total, len(faults), found)
	if found > 0 {
		return fmt.Errorf("%w: %d violations and problems; -seed %d repeats the run", errFound, found, s.seed)
	}
	return nil
}
