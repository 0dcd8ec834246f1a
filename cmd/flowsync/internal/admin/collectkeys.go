package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/journal"
	"github.com/flowsync-go/flowsync/core/idempotency"
)

// NodeKeys are the counters of a node with idempotency keys.
type NodeKeys struct {
	Node string
	idempotency.NodeStats
}

var (
	repeatsDesc    = desc("flowsync_idempotency_requests_total", "Requests whose key was known, or for whose key there was no room, by what became of them. They are no transactions.", "node", "kind")
	keyWaitingDesc = desc("flowsync_idempotency_waiting", "Requests that wait for the outcome of an earlier one with their key now.", "node")
	keysDesc       = desc("flowsync_idempotency_keys", "Idempotency keys that are known now.", "node")
	doubtfulDesc   = desc("flowsync_idempotency_keys_in_doubt", "Keys, of those that are known now, whose request was published and has not been answered.", "node")
	keyLateDesc    = desc("flowsync_idempotency_late_answers_total", "Late answers that became the reply of a key in doubt.", "node")
	unkeptDesc     = desc("flowsync_idempotency_replies_unkept_total", "Replies for which there was no room: their keys are in doubt.", "node")
	unwrittenDesc  = desc("flowsync_idempotency_records_unwritten_total", "Records that could not be written to --state.", "node")
	commitsDesc    = desc("flowsync_journal_commits_total", "Groups of records that were written to --state and are on disk.")
	recordsDesc    = desc("flowsync_journal_records_total", "Records in these groups.")
	failedDesc     = desc("flowsync_journal_failures_total", "Records that could not be written to --state, or found its queue full.")
	queueDesc      = desc("flowsync_journal_queue", "Records that wait to be written to --state now.")
	endsDesc       = desc("flowsync_ends_unpublished_total", "Ends of transactions that could not be published on the tend topics of nodes with outcomes: true.")
)

// keysCollector reads the counters of idempotency keys at each scrape.
type keysCollector struct{ stats func() []NodeKeys }

// Describe implements [prometheus.Collector].
func (c *keysCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{repeatsDesc, keyWaitingDesc, keysDesc, doubtfulDesc, keyLateDesc, unkeptDesc, unwrittenDesc} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *keysCollector) Collect(to chan<- prometheus.Metric) {
	for _, s := range c.stats() {
		name := label(s.Node)
		for _, kind := range []struct {
			name  string
			count uint64
		}{
			{"joined", s.Joined}, {"replayed", s.Replayed}, {"in_doubt", s.InDoubt}, {"conflict", s.Conflicts},
			{"shed", s.Shed}, {"cancelled", s.Cancelled}, {"shutdown", s.Shutdown},
		} {
			to <- counter(repeatsDesc, kind.count, name, kind.name)
		}
		to <- gauge(keyWaitingDesc, float64(s.Waiting), name)
		to <- gauge(keysDesc, float64(s.Keys), name)
		to <- gauge(doubtfulDesc, float64(s.Doubtful), name)
		to <- counter(keyLateDesc, s.Late, name)
		to <- counter(unkeptDesc, s.Unkept, name)
		to <- counter(unwrittenDesc, s.Unwritten, name)
	}
}

// journalCollector reads the counters of the journal at each scrape.
type journalCollector struct{ stats func() journal.Stats }

// Describe implements [prometheus.Collector].
func (c *journalCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{commitsDesc, recordsDesc, failedDesc, queueDesc} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *journalCollector) Collect(to chan<- prometheus.Metric) {
	s := c.stats()
	to <- counter(commitsDesc, s.Commits)
	to <- counter(recordsDesc, s.Records)
	to <- counter(failedDesc, s.Failures)
	to <- gauge(queueDesc, float64(s.Queue))
}

// endsCollector reads how many ends could not be told.
type endsCollector struct{ lost func() uint64 }

// Describe implements [prometheus.Collector].
func (c *endsCollector) Describe(to chan<- *prometheus.Desc) { to <- endsDesc }

// Collect implements [prometheus.Collector].
func (c *endsCollector) Collect(to chan<- prometheus.Metric) { to <- counter(endsDesc, c.lost()) }
