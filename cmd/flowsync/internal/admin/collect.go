package admin

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/journal"
	"github.com/flowsync-go/flowsync/core"
)

// Engine is what the admin side needs of [core.Engine].
type Engine interface {
	Nodes() []*core.Node
	Stats(*core.Node) core.NodeStats
	HeldBytes() int64
	Late() time.Duration
}

// Sources are what is read at each scrape. Engine is required; what else is nil is not shown.
type Sources struct {
	Engine  Engine
	Broker  func() BrokerStats
	Keys    func() []NodeKeys    // of the nodes with idempotency keys
	Journal func() journal.Stats // of those keys
	// LostEnds is how many ends could not be told to responders.
	LostEnds func() uint64
}

// BrokerStats are the counters of the connection to the broker since the start.
type BrokerStats struct {
	Reconnects           uint64 // connections made again after they were lost
	SessionsLost         uint64 // reconnects after which the broker had forgotten the subscriptions
	Takeovers            uint64 // connections that another client with the same id took over
	ConnectFailures      uint64 // attempts to connect that failed
	Disconnects          uint64 // connections that the broker ended with a reason
	RefusedSubscriptions uint64 // topic filters that the broker refused
	RefusedRequests      uint64 // requests that the broker refused
	NoSubscriber         uint64 // requests of which it said that nobody is subscribed
	Waiting              int64  // requests that wait for a connection, now
	PacketsWritten       uint64 // PUBLISH packets handed to a socket
	Batches              uint64 // writes that carried them
	BytesWritten         uint64 // bytes handed to a socket
	BacklogBytes         int64  // bytes that wait to be written, now
	Unsent               uint64 // requests dropped unsent: expired, or their connection was lost
	Dropped              uint64 // other messages dropped unsent
}

var (
	transactionsDesc = desc("flowsync_transactions_total", "Transactions that ended, by outcome.", "node", "outcome")
	retrySafeDesc    = desc("flowsync_transactions_retry_safe_total", "Transactions that ended and may be asked again without the risk that they are carried out twice. The other outcomes never are.", "node", "outcome")
	begunDesc        = desc("flowsync_transactions_begun_total", "Transactions that began, refused ones included: held and all outcomes together.", "node")
	heldDesc         = desc("flowsync_held", "Transactions that are held now.", "node")
	answersDesc      = desc("flowsync_answers_total", "Messages on the answer topic, by what became of them.", "node", "kind")
	heldBytesDesc    = desc("flowsync_held_bytes", "Bytes of request values that are held now.")
	lateDesc         = desc("flowsync_late_seconds", "How long ago the oldest transaction that is held now should have ended. For longer than 0.05: the machine is overloaded, and sheds.")

	reconnectsDesc   = desc("flowsync_mqtt_reconnects_total", "Connections to the broker made again after they were lost.")
	sessionsLostDesc = desc("flowsync_mqtt_sessions_lost_total", "Reconnects after which the broker had forgotten our subscriptions.")
	takeoversDesc    = desc("flowsync_mqtt_takeovers_total", "Connections taken over by another client with the same id.")
	failuresDesc     = desc("flowsync_mqtt_connect_failures_total", "Attempts to connect to the broker that failed.")
	disconnectsDesc  = desc("flowsync_mqtt_disconnects_total", "Connections that the broker ended with a DISCONNECT.")
	refusedDesc      = desc("flowsync_mqtt_subscriptions_refused_total", "Topic filters that the broker refused.")
	notTakenDesc     = desc("flowsync_mqtt_requests_refused_total", "Requests that the broker refused (PUBACK or PUBREC from 0x80 on): they ended as not_published.")
	nobodyDesc       = desc("flowsync_mqtt_requests_no_subscriber_total", "Requests of which the broker said that nobody is subscribed (0x10), whether or not their node has failFast.")
	waitingDesc      = desc("flowsync_mqtt_requests_waiting", "Requests of nodes with onDisconnect: wait that wait for a connection now.")
	batchDesc        = desc("flowsync_mqtt_batch_packets", "PUBLISH packets in one write to the broker's socket.")
	bytesDesc        = desc("flowsync_mqtt_written_bytes_total", "Bytes written to the broker's socket.")
	backlogDesc      = desc("flowsync_mqtt_backlog_bytes", "Bytes that wait to be written to the broker's socket now.")
	unsentDesc       = desc("flowsync_mqtt_requests_unsent_total", "Requests dropped unsent: they had expired, or their connection was lost.")
	droppedDesc      = desc("flowsync_mqtt_messages_dropped_total", "Messages other than requests dropped unsent, because their connection was lost.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// retrySafeOutcomes are those that may be retry safe.
var retrySafeOutcomes = []core.Outcome{core.NotPublished, core.NoSubscriber, core.Shed, core.RuleFailed, core.Shutdown}

// engineCollector reads the engine's counters at each scrape, and those of ends that were retry safe.
type engineCollector struct {
	engine    Engine
	retrySafe func(*core.Node, core.Outcome) uint64
}

// Describe implements [prometheus.Collector].
func (c *engineCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{transactionsDesc, retrySafeDesc, begunDesc, heldDesc, answersDesc, heldBytesDesc, lateDesc} {
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
		for _, o := range retrySafeOutcomes {
			to <- counter(retrySafeDesc, c.retrySafe(node, o), name, o.String())
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
		reconnectsDesc, sessionsLostDesc, takeoversDesc, failuresDesc, disconnectsDesc, refusedDesc, notTakenDesc, nobodyDesc,
		waitingDesc, batchDesc, bytesDesc, backlogDesc, unsentDesc, droppedDesc,
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
	to <- counter(failuresDesc, s.ConnectFailures)
	to <- counter(disconnectsDesc, s.Disconnects)
	to <- counter(refusedDesc, s.RefusedSubscriptions)
	to <- counter(notTakenDesc, s.RefusedRequests)
	to <- counter(nobodyDesc, s.NoSubscriber)
	to <- gauge(waitingDesc, float64(s.Waiting))
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
