//go:build linux

package main

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"
)

// measure is what a gateway takes at one moment.
type measure struct {
	at       time.Duration
	heap     float64 // MiB
	rss      float64 // MiB
	routines float64
	files    float64
	held     float64
	late     float64 // ms: the 99th percentile of how late timeouts were told
	disk     float64 // MiB: the state directory
}

// columns are what is measured, and by how much it may be more in the last quarter of a soak than in
// the second one, medians of both: grown part and sum. The first quarter is left out: tables
// grow to their size, the keys of a window come together.
var columns = []struct {
	name  string
	value func(*measure) float64
	times float64
	plus  float64
}{
	{"heap MiB", func(m *measure) float64 { return m.heap }, 1.2, 8},
	{"RSS MiB", func(m *measure) float64 { return m.rss }, 1.2, 16},
	{"goroutines", func(m *measure) float64 { return m.routines }, 1.1, 50},
	{"descriptors", func(m *measure) float64 { return m.files }, 1.1, 20},
	{"held", func(m *measure) float64 { return m.held }, 1.5, 100},
	{"late ms", func(m *measure) float64 { return m.late }, 2, 20},
	{"state MiB", func(m *measure) float64 { return m.disk }, 1.2, 16},
}

// take measures now.
func (r *running) take(ctx context.Context, began time.Time) (measure, error) {
	m, err := r.site.metrics(ctx)
	if err != nil {
		return measure{}, err
	}
	u, err := r.site.current().Usage()
	if err != nil {
		return measure{}, err
	}
	const mib = 1 << 20
	return measure{
		at: time.Since(began), heap: m.sum(heapMetric) / mib, rss: float64(u.RSS) / mib,
		routines: m.sum(routinesMetric), files: float64(u.Files), held: m.sum(heldMetric),
		late: percentile(r.tally.TakeLate(), 99).Seconds() * 1000, disk: folderSize(r.site.state) / mib,
	}, nil
}

// folderSize is how many bytes the files in a folder have.
func folderSize(folder string) (bytes float64) {
	_ = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				bytes += float64(info.Size())
			}
		}
		return nil
	})
	return bytes
}

// percentile is the nearest rank; 0 of none.
func percentile(all []time.Duration, percent int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[(len(all)*percent+99)/100-1]
}

// sample measures every now and then until ctx ends.
func (k *soaking) sample(ctx context.Context, r *running) error {
	ticker := time.NewTicker(k.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		m, err := r.take(context.WithoutCancel(ctx), r.began)
		if err != nil {
			return err
		}
		k.samples = append(k.samples, m)
		if len(k.samples)%6 == 1 {
			note("%v: %d requests, heap %.1f MiB, RSS %.1f MiB, %.0f goroutines, %.0f descriptors, %.0f held, %.1f ms late, state %.1f MiB",
				m.at.Round(time.Second), r.tally.Asked(), m.heap, m.rss, m.routines, m.files, m.held, m.late, m.disk)
		}
	}
}

// judge compares the last quarter with the second one.
func (k *soaking) judge(r *running) error {
	r.verdict.asked, r.verdict.took, r.verdict.ends = r.tally.Asked(), time.Since(r.began), r.tally.Ends()
	r.verdict.print()
	n := len(k.samples)
	if n < 8 {
		return fmt.Errorf("soak: only %d samples", n)
	}
	fmt.Printf("\n%-12s %10s %10s %10s %10s\n", "median of", "2nd qtr", "last qtr", "limit", "")
	var grown []string
	for _, c := range columns {
		early, late := median(k.samples[n/4:n/2], c.value), median(k.samples[n*3/4:], c.value)
		limit, word := early*c.times+c.plus, "ok"
		if late > limit {
			word = "GROWN"
			grown = append(grown, c.name)
		}
		fmt.Printf("%-12s %10.1f %10.1f %10.1f %10s\n", c.name, early, late, limit, word)
	}
	if len(grown) > 0 || r.verdict.bad() {
		return fmt.Errorf("%w: grown: %v; seed %d", errFound, grown, k.site.Seed)
	}
	fmt.Printf("soak of %v: %d requests, no violation, nothing has grown; seed %d\n", k.hours, r.verdict.asked, k.site.Seed)
	return nil
}

func median(all []measure, of func(*measure) float64) float64 {
	values := make([]float64, len(all))
	for i := range all {
		values[i] = of(&all[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}
