//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/fuzz/chaos/schedule"
)

// A campaign with a few faults of every target that need neither root nor mosquitto.
func TestCampaign(t *testing.T) {
	folder := t.TempDir()
	gateway := filepath.Join(folder, "flowsync")
	require.NoError(t, build(gateway))
	s, err := readSettings([]string{
		"-gateway", gateway, "-seed", "7", "-transactions", "2000", "-faults", "8", "-rate", "400", "-quiet", "100ms",
		"-network=false", "-disk=false", "-only", "net.reset,net.drop-a,gateway.kill,gateway.stop,responder.kill,broker.twice",
	})
	require.NoError(t, err)
	s.folder = folder
	for _, p := range s.phases() {
		if p.site.Broker == mosquitto {
			continue
		}
		var told strings.Builder
		p.site.Note = func(format string, args ...any) { fmt.Fprintf(&told, format+"\n", args...) }
		v, err := p.run(t.Context())
		require.NoError(t, err)
		require.Empty(t, v.violations)
		require.Empty(t, v.problems)
		require.GreaterOrEqual(t, v.asked, p.transactions)
		require.NotEmpty(t, v.faults)
		require.Contains(t, told.String(), v.hash)
		require.NoError(t, s.conclude([]*verdict{v}))
	}
}

// A gateway that cannot start is told, and nothing is left.
func TestNoGateway(t *testing.T) {
	p := phase{site: siteOptions{Gateway: "/bin/false", Broker: own, Seed: 1, Folder: t.TempDir(), Note: func(string, ...any) {}}}
	_, err := p.run(t.Context())
	require.ErrorContains(t, err, "gateway ended instead of getting ready")
	p.site.Broker, p.site.Folder = "rabbit", t.TempDir()
	_, err = p.run(t.Context())
	require.ErrorContains(t, err, `there is no broker "rabbit"`)
}

func TestSettings(t *testing.T) {
	for args, want := range map[string]string{
		"-broker own rest":       `"rest" is no flag`,
		"-clock -gateway x":      "does not go with -gateway",
		"-faults -1":             "must not be negative",
		"-rate 0":                "must be positive",
		"-only nothing-of-that":  "no fault",
		"-broker rabbit -seed 1": "no broker",
	} {
		_, err := readSettings(strings.Fields(args))
		require.ErrorContains(t, err, want, args)
	}
	s, err := readSettings(nil)
	require.NoError(t, err)
	require.NotZero(t, s.seed)
	require.Len(t, s.phases(), 3)
	require.Equal(t, os.Geteuid() == 0, s.network)
	s, err = readSettings([]string{"-broker", "own", "-faults", "10", "-calm"})
	require.NoError(t, err)
	require.Len(t, s.phases(), 1)
	require.Equal(t, 10, s.phases()[0].faults)
	require.Zero(t, s.mix().Leaving)
}

// What is found is told and kept.
func TestFound(t *testing.T) {
	s := &settings{seed: 9}
	v := &verdict{name: own, problems: []error{fmt.Errorf("this and that")}}
	require.ErrorIs(t, s.conclude([]*verdict{v}), errFound)
}

func TestFaults(t *testing.T) {
	names := map[string]bool{}
	for _, f := range allFaults() {
		require.NotContains(t, names, f.Name)
		names[f.Name] = true
		require.NotEmpty(t, f.Target)
		require.LessOrEqual(t, f.Shortest, f.Longest)
	}
	require.GreaterOrEqual(t, len(names), 50)
	require.Len(t, chosen(allFaults(), ""), len(names))
	require.Len(t, chosen(allFaults(), "gateway.kill,broker.twice"), 2)
}

// Faults happen in their order, those of one target after one another, and those that are to be
// alone are; each is undone, also when the campaign ends early.
func TestInjector(t *testing.T) {
	s := &site{}
	s.record()
	r := &running{phase: &phase{}, site: s, verdict: &verdict{faults: map[string]int{}}, kinds: map[string]fault{}}
	events := make(chan string, 100)
	for _, k := range []schedule.Kind{{Name: "a", Target: "x"}, {Name: "b", Target: "x"}, {Name: "c", Target: "y", Alone: true}} {
		r.kinds[k.Name] = fault{Kind: k, inject: func(context.Context, *site, uint64) (healer, error) {
			events <- "+" + k.Name
			return func(context.Context) error { events <- "-" + k.Name; return nil }, nil
		}}
	}
	step := func(kind, target string, alone bool) schedule.Step {
		return schedule.Step{For: 5 * time.Millisecond, Kind: kind, Target: target, Alone: alone}
	}
	plan := &schedule.Schedule{Steps: []schedule.Step{step("a", "x", false), step("b", "x", false), step("c", "y", true), step("a", "x", false)}}
	require.NoError(t, r.inject(t.Context(), plan))
	close(events)
	var order []string
	for e := range events {
		order = append(order, e)
	}
	require.Equal(t, "+a -a +b -b +c -c +a -a", strings.Join(order, " "))
	require.Equal(t, map[string]int{"a": 2, "b": 1, "c": 1}, r.verdict.faults)

	events = make(chan string, 100)
	r.kinds["b"] = fault{inject: func(context.Context, *site, uint64) (healer, error) { return nil, fmt.Errorf("no luck") }}
	require.ErrorContains(t, r.inject(t.Context(), plan), "b: doing it: no luck")

	ctx, cancel := context.WithCancel(t.Context())
	r.kinds["a"] = fault{inject: func(context.Context, *site, uint64) (healer, error) {
		cancel()
		return func(context.Context) error { events <- "undone"; return nil }, nil
	}}
	events = make(chan string, 100)
	plan.Steps = []schedule.Step{{For: time.Hour, Kind: "a", Target: "x"}, {At: time.Hour, Kind: "a", Target: "x"}}
	require.NoError(t, r.inject(ctx, plan))
	require.Equal(t, "undone", <-events)
}
