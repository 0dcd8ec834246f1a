//go:build linux

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
)

const scraped = `# HELP flowsync_held Transactions that are held now.
# TYPE flowsync_held gauge
flowsync_held{node="chaos/plain"} 2
flowsync_held{node="chaos/call"} 1
flowsync_transactions_begun_total{node="chaos/plain"} 12
flowsync_transactions_total{node="chaos/plain",outcome="answered"} 7
flowsync_transactions_total{node="chaos/plain",outcome="timeout"} 3
flowsync_answers_total{node="chaos/plain",kind="matched"} 7
flowsync_idempotency_requests_total{kind="joined",node="chaos/keyed"} 4
go_memstats_heap_alloc_bytes 1.048576e+06

`

func TestMetrics(t *testing.T) {
	m, err := readMetrics(strings.NewReader(scraped))
	require.NoError(t, err)
	require.InDelta(t, 3, m.sum(heldMetric), 0)
	require.InDelta(t, 1<<20, m.sum(heapMetric), 0)
	found := map[string]history.Counters{}
	for _, c := range m.counters(3) {
		found[c.Node] = c
	}
	require.Len(t, found, len(nodes))
	require.Equal(t, history.Counters{
		Life: 3, Node: "plain", Begun: 12, Held: 2,
		Outcomes: map[string]uint64{"answered": 7, "timeout": 3}, Answers: map[string]uint64{"matched": 7},
	}, found["plain"])
	require.Equal(t, map[string]uint64{"joined": 4}, found["keyed"].Repeats)
	_, err = readMetrics(strings.NewReader("flowsync_held many\n"))
	require.ErrorContains(t, err, "flowsync_held many")
}

func TestLess(t *testing.T) {
	now := history.Counters{Begun: 10, Held: 1, Outcomes: map[string]uint64{"answered": 8, "shed": 1}, Repeats: nil}
	before := history.Counters{Begun: 4, Outcomes: map[string]uint64{"answered": 4}}
	require.Equal(t, history.Counters{Begun: 6, Held: 1, Outcomes: map[string]uint64{"answered": 4, "shed": 1}}, less(now, before))
}

func TestPercentile(t *testing.T) {
	require.Zero(t, percentile(nil, 99))
	require.Equal(t, time.Duration(7), percentile([]time.Duration{7}, 99))
	require.Equal(t, time.Duration(2), percentile([]time.Duration{3, 1, 2}, 50))
}

// A soak fails on what has grown, and on nothing else.
func TestSoakJudges(t *testing.T) {
	soaked := func(heap func(i int) float64) error {
		k := &soaking{}
		for i := range 40 {
			k.samples = append(k.samples, measure{heap: heap(i), rss: 50, routines: 100, files: 90, held: 5, late: 2, disk: 1})
		}
		r := &running{verdict: &verdict{name: "soak"}}
		return k.judge(r)
	}
	require.NoError(t, soaked(func(i int) float64 { return 20 + float64(i%7) }), "a saw is no growth")
	require.NoError(t, soaked(func(i int) float64 { return min(20, float64(i)*2) }), "tables grow to their size")
	require.ErrorContains(t, soaked(func(i int) float64 { return 20 + float64(i) }), "heap")
	require.ErrorContains(t, (&soaking{}).judge(&running{verdict: &verdict{}}), "only 0 samples")
}
