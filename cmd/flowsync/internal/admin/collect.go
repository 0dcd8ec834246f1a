package admin

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flowsync-go/flowsync/core"
)

// Engine is what the admin side needs of [core.Engine].
type Engine interface {
	Nodes() []*core.Node
	Stats(*core.Node) core.NodeStats
	HeldBytes() int64
	Late() time.Duration
}

// BrokerStats are the counters of the connection to the broker since the start.
type BrokerStats struct {
	Reconnects           uint64 // connections made again after they were lost
	SessionsLost         uint64 // reconnects after which the broker had forgotten the subscriptions
	Takeovers            uint64 // connections that another client with the same id took over
	RefusedSubscriptions uint64 // topic filters that the broker refused
	PacketsWritten       uint64 // PUBLISH packets handed to a socket
	Batches              uint64 // writes that carried them
	BytesWritten         uint64 // bytes handed to a socket
	BacklogBytes         int64  // bytes that wait to be written, now
	Unsent               uint64 // requests dropped unsent: expired, or their connection was lost
	Dropped              uint64 // other messages dropped unsent
}

var (
	transactionsDesc = desc("flowsync_transactions_total", "Transactions that ended, by outcome.", "node", "outcome")
	begunDesc        = desc("flowsync_transactions_begun_total", "Transactions that began, refused ones included: held and all outcomes together.", "node")
	heldDesc         = desc("flowsync_held", "Transactions that are held now.", "node")
	answersDesc      = desc("flowsync_answers_total", "Messages on the answer topic, by what became of them.", "node", "kind")
	heldBytesDesc    = desc("flowsync_held_bytes", "Bytes of request values that are held now.")
	lateDesc         = desc("flowsync_late_seconds", "How long ago the oldest transaction that is held now should have ended. For longer than 0.05: the machine is overloaded, and sheds.")

	reconnectsDesc   = desc("flowsync_mqtt_reconnects_total", "Connections to the broker made again after they were lost.")
	sessionsLostDesc = desc("flowsync_mqtt_sessions_lost_total", "Reconnects after which the broker had forgotten our subscriptions.")
	takeoversDesc    = desc("flowsync_mqtt_takeovers_total", "Connections taken over by another client with the same id.")
	refusedDesc      = desc("flowsync_mqtt_subscriptions_refused_total", "Topic filters that the broker refused.")
	batchDesc        = desc("flowsync_mqtt_batch_packets", "PUBLISH packets in one write to the broker's socket.")
	bytesDesc        = desc("flowsync_mqtt_written_bytes_total", "Bytes written to the broker's socket.")
	backlogDesc      = desc("flowsync_mqtt_backlog_bytes", "Bytes that wait to be written to the broker's socket now.")
	unsentDesc       = desc("flowsync_mqtt_requests_unsent_total", "Requests dropped unsent: they had expired, or their connection was lost.")
	droppedDesc      = desc("flowsync_mqtt_messages_dropped_total", "Messages other than requests dropped unsent, because their connection was lost.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// engineCollector reads the engine's counters at each scrape.
type engineCollector struct{ engine Engine }

// Describe implements [prometheus.Collector].
func (c *engineCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{transactionsDesc, begunDesc, heldDesc, answersDesc, heldBytesDesc, lateDesc} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *engineCollector) Collect(to chan<- prometheus.Metric) {
	to <- gauge(heldBytesDesc, float64(c.engine.HeldBytes()))
	to <- gauge(lateDesc, c.engine.Late().Seconds())
	for _, node := range c.engine.Nodes() {
		stats, name := c.engine.Stats(node), label(node.Name())
		to <- counter(begunDesc, stats.Begun, name)
		to <- gauge(heldDesc, float64(stats.Held), name)
		for _, o := range core.Outcomes() {
			to <- counter(transactionsDesc, stats.Ended[o], name, o.String())
		}
		for _, k := range core.AnswerKinds() {
			to <- counter(answersDesc, stats.Answers[k], name, k.String())
		}
	}
}

// brokerCollector reads the counters of the connection to the broker at each scrape.
type brokerCollector struct{ stats func() BrokerStats }

// Describe implements [prometheus.Collector].
func (c *brokerCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		reconnectsDesc, sessionsLostDesc, takeoversDesc, refusedDesc, batchDesc, bytesDesc, backlogDesc, unsentDesc, droppedDesc,
	} {
		to <- d
	}
}

// Collect implements [prometheus.Collector]. The batch size is a summary without quantiles: its
// sum are the packets, its count the writes.
func (c *brokerCollector) Collect(to chan<- prometheus.Metric) {
	s := c.stats()
	to <- counter(reconnectsDesc, s.Reconnects)
	to <- counter(sessionsLostDesc, s.SessionsLost)
	to <- counter(takeoversDesc, s.Takeovers)
	to <- counter(refusedDesc, s.RefusedSubscriptions)
	if s.Batches > 0 { // the broker inside the process writes none
		to <- prometheus.MustNewConstSummary(batchDesc, s.Batches, float64(s.PacketsWritten), nil)
	}
	to <- counter(bytesDesc, s.BytesWritten)
	to <- gauge(backlogDesc, float64(s.BacklogBytes))
	to <- counter(unsentDesc, s.Unsent)
	to <- counter(droppedDesc, s.Dropped)
}

// The values of labels are valid UTF-8 and as many as the description says, so that these
// cannot panic.
func counter(d *prometheus.Desc, value uint64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}
