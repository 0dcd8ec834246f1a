package admin

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/journal"
	"github.com/flowsync-go/flowsync/core/idempotency"
)

// TestKeyCounters: what is said of idempotency keys, of their journal, and of ends that were not told.
func TestKeyCounters(t *testing.T) {
	b := newBench(t)
	b.metrics.Watch(Sources{
		Engine: b.engine,
		Keys: func() []NodeKeys {
			return []NodeKeys{{"a\xff", idempotency.NodeStats{
				Joined: 1, Replayed: 2, InDoubt: 3, Conflicts: 4, Shed: 5, Cancelled: 6, Shutdown: 7,
				Waiting: 8, Keys: 9, Doubtful: 10, Late: 11, Unkept: 12, Unwritten: 13,
			}}}
		},
		Journal:  func() journal.Stats { return journal.Stats{Commits: 14, Records: 15, Failures: 16, Queue: 17} },
		LostEnds: func() uint64 { return 18 },
	})
	families, err := b.metrics.registry.Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, family := range families {
		for _, prefix := range []string{"flowsync_idempotency_", "flowsync_journal_", "flowsync_ends_"} {
			if !strings.HasPrefix(family.GetName(), prefix) {
				continue
			}
			for _, m := range family.GetMetric() {
				name := strings.TrimPrefix(family.GetName(), "flowsync_")
				for _, l := range m.GetLabel() {
					if l.GetName() == "kind" {
						name = l.GetValue()
					} else {
						assert.Equal(t, "a\ufffd", l.GetValue())
					}
				}
				got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	assert.Equal(t, map[string]float64{
		"joined": 1, "replayed": 2, "in_doubt": 3, "conflict": 4, "shed": 5, "cancelled": 6, "shutdown": 7,
		"idempotency_waiting": 8, "idempotency_keys": 9, "idempotency_keys_in_doubt": 10, "idempotency_late_answers_total": 11,
		"idempotency_replies_unkept_total": 12, "idempotency_records_unwritten_total": 13,
		"journal_commits_total": 14, "journal_records_total": 15, "journal_failures_total": 16, "journal_queue": 17,
		"ends_unpublished_total": 18,
	}, got)
	problems, err := testutil.GatherAndLint(b.metrics.registry)
	require.NoError(t, err)
	assert.Empty(t, problems)
}
