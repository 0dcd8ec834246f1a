package admin

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

func TestEngineCounters(t *testing.T) {
	b := newBench(t, "order", "idle")
	b.metrics.Watch(Sources{Engine: b.engine})
	b.busy()
	want := `
# HELP flowsync_answers_total Messages on the answer topic, by what became of them.
# TYPE flowsync_answers_total counter
flowsync_answers_total{kind="duplicate",node="order"} 1
flowsync_answers_total{kind="extended",node="order"} 0
flowsync_answers_total{kind="foreign",node="order"} 0
flowsync_answers_total{kind="ignored",node="order"} 0
flowsync_answers_total{kind="late",node="order"} 0
flowsync_answers_total{kind="malformed",node="order"} 1
flowsync_answers_total{kind="matched",node="order"} 1
flowsync_answers_total{kind="stale",node="order"} 0
flowsync_answers_total{kind="unknown",node="order"} 0
flowsync_answers_total{kind="duplicate",node="idle"} 0
flowsync_answers_total{kind="extended",node="idle"} 0
flowsync_answers_total{kind="foreign",node="idle"} 0
flowsync_answers_total{kind="ignored",node="idle"} 0
flowsync_answers_total{kind="late",node="idle"} 0
flowsync_answers_total{kind="malformed",node="idle"} 0
flowsync_answers_total{kind="matched",node="idle"} 0
flowsync_answers_total{kind="stale",node="idle"} 0
flowsync_answers_total{kind="unknown",node="idle"} 0
# HELP flowsync_held Transactions that are held now.
# TYPE flowsync_held gauge
flowsync_held{node="idle"} 0
flowsync_held{node="order"} 1
# HELP flowsync_held_bytes Bytes of request values that are held now.
# TYPE flowsync_held_bytes gauge
flowsync_held_bytes 4
# HELP flowsync_late_seconds How long ago the oldest transaction that is held now should have ended. For longer than 0.05: the machine is overloaded, and sheds.
# TYPE flowsync_late_seconds gauge
flowsync_late_seconds 0
# HELP flowsync_transactions_begun_total Transactions that began, refused ones included: held and all outcomes together.
# TYPE flowsync_transactions_begun_total counter
flowsync_transactions_begun_total{node="idle"} 0
flowsync_transactions_begun_total{node="order"} 3
`
	require.NoError(t, testutil.GatherAndCompare(b.metrics.registry, strings.NewReader(want),
		"flowsync_answers_total", "flowsync_held", "flowsync_held_bytes", "flowsync_late_seconds", "flowsync_transactions_begun_total"))

	problems, err := testutil.GatherAndLint(b.metrics.registry)
	require.NoError(t, err)
	assert.Empty(t, problems)
}

// TestRetrySafe: of outcomes that may be retry safe it is counted how often they were.
func TestRetrySafe(t *testing.T) {
	b := newBench(t, "order")
	b.metrics.Watch(Sources{Engine: b.engine})
	node := b.engine.Nodes()[0]
	for _, r := range []core.Result{
		{Outcome: core.Shutdown, Sent: true}, {Outcome: core.Shutdown}, {Outcome: core.Shed}, {Outcome: core.Shed},
		{Outcome: core.NotPublished, Sent: true}, {Outcome: core.Timeout, Sent: true}, {Outcome: core.RuleFailed, Sent: true},
	} {
		b.metrics.Ended(node, r)
	}
	want := `
# HELP flowsync_transactions_retry_safe_total Transactions that ended and may be asked again without the risk that they are carried out twice. The other outcomes never are.
# TYPE flowsync_transactions_retry_safe_total counter
flowsync_transactions_retry_safe_total{node="order",outcome="no_subscriber"} 0
flowsync_transactions_retry_safe_total{node="order",outcome="not_published"} 1
flowsync_transactions_retry_safe_total{node="order",outcome="rule_failed"} 0
flowsync_transactions_retry_safe_total{node="order",outcome="shed"} 2
flowsync_transactions_retry_safe_total{node="order",outcome="shutdown"} 1
`
	require.NoError(t, testutil.GatherAndCompare(b.metrics.registry, strings.NewReader(want), "flowsync_transactions_retry_safe_total"))
	for _, o := range core.Outcomes() {
		assert.Equal(t, slices.Contains(retrySafeOutcomes, o), o.RetrySafe(false), o.String())
	}
}

// What the histograms counted is what the engine counted.
func TestDurationsAgreeWithOutcomes(t *testing.T) {
	b := newBench(t, "order")
	b.metrics.Watch(Sources{Engine: b.engine})
	b.busy()
	families, err := b.metrics.registry.Gather()
	require.NoError(t, err)
	ended, observed := map[string]float64{}, map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var outcome string
			for _, l := range m.GetLabel() {
				if l.GetName() == "outcome" {
					outcome = l.GetValue()
				}
			}
			switch n := m.GetCounter().GetValue(); family.GetName() {
			case "flowsync_transactions_total":
				if n > 0 {
					ended[outcome] = n
				}
			case "flowsync_transaction_duration_seconds":
				observed[outcome] = float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	assert.Equal(t, map[string]float64{"answered": 1, "shed": 1}, ended)
	assert.Equal(t, ended, observed)
}

func TestDurationsFallIntoTheirBuckets(t *testing.T) {
	b := newBench(t, "order")
	node := b.engine.Nodes()[0]
	for _, d := range []time.Duration{time.Millisecond, 1100 * time.Microsecond, 2 * time.Second, time.Hour} {
		b.metrics.Ended(node, core.Result{Outcome: core.Timeout, Elapsed: d})
	}
	families, err := b.metrics.registry.Gather()
	require.NoError(t, err)
	below := map[float64]uint64{}
	for _, family := range families {
		if family.GetName() == "flowsync_transaction_duration_seconds" {
			for _, bucket := range family.GetMetric()[0].GetHistogram().GetBucket() {
				below[bucket.GetUpperBound()] = bucket.GetCumulativeCount()
			}
		}
	}
	assert.Len(t, below, len(durationBuckets))
	assert.EqualValues(t, 1, below[.001])
	assert.EqualValues(t, 2, below[.0025])
	assert.EqualValues(t, 2, below[1])
	assert.EqualValues(t, 3, below[2])
	assert.EqualValues(t, 3, below[900])
	assert.EqualValues(t, 4, below[3600])
}

func TestBrokerCounters(t *testing.T) {
	b := newBench(t)
	b.metrics.Watch(Sources{Engine: b.engine, Broker: func() BrokerStats {
		return BrokerStats{Reconnects: 1, SessionsLost: 2, Takeovers: 3, RefusedSubscriptions: 4, PacketsWritten: 50, Batches: 6, BytesWritten: 700, BacklogBytes: 8, Unsent: 9, Dropped: 10,
			ConnectFailures: 11, Disconnects: 12, RefusedRequests: 13, NoSubscriber: 14, Waiting: 15}
	}})
	families, err := b.metrics.registry.Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, family := range families {
		m := family.GetMetric()[0]
		if strings.HasPrefix(family.GetName(), "flowsync_mqtt_") {
			got[family.GetName()] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetSummary().GetSampleSum()
		}
		if family.GetName() == "flowsync_mqtt_batch_packets" {
			assert.EqualValues(t, 6, m.GetSummary().GetSampleCount())
		}
	}
	assert.Equal(t, map[string]float64{
		"flowsync_mqtt_reconnects_total": 1, "flowsync_mqtt_sessions_lost_total": 2, "flowsync_mqtt_takeovers_total": 3,
		"flowsync_mqtt_subscriptions_refused_total": 4, "flowsync_mqtt_batch_packets": 50, "flowsync_mqtt_written_bytes_total": 700,
		"flowsync_mqtt_backlog_bytes": 8, "flowsync_mqtt_requests_unsent_total": 9, "flowsync_mqtt_messages_dropped_total": 10,
		"flowsync_mqtt_connect_failures_total": 11, "flowsync_mqtt_disconnects_total": 12, "flowsync_mqtt_requests_refused_total": 13,
		"flowsync_mqtt_requests_no_subscriber_total": 14, "flowsync_mqtt_requests_waiting": 15,
	}, got)
}

func TestBuildAndProcessAreThere(t *testing.T) {
	b := newBench(t)
	count, err := testutil.GatherAndCount(b.metrics.registry, "flowsync_build_info", "go_goroutines", "process_start_time_seconds")
	require.NoError(t, err)
	assert.Equal(t, 3, count)
}

func TestNodeNameThatIsNoText(t *testing.T) {
	b := newBench(t, "a\xffb")
	b.metrics.Watch(Sources{Engine: b.engine})
	b.busy()
	_, err := b.metrics.registry.Gather()
	assert.NoError(t, err)
}

func TestObservingAllocatesNothing(t *testing.T) {
	b := newBench(t, "order")
	node := b.engine.Nodes()[0]
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		b.metrics.Ended(node, core.Result{Outcome: core.Answered, Elapsed: time.Millisecond})
	}))
}

func BenchmarkEnded(b *testing.B) {
	rig := newBench(b, "order")
	node := rig.engine.Nodes()[0]
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			rig.metrics.Ended(node, core.Result{Outcome: core.Answered, Elapsed: time.Millisecond})
		}
	})
	b.Run("all processors", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				rig.metrics.Ended(node, core.Result{Outcome: core.Answered, Elapsed: time.Millisecond})
			}
		})
	})
}
