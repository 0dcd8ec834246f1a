package admin

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/flowsync-go/flowsync/core"
)

// durationBuckets go from the tick of the engine to its longest timeout, in seconds.
var durationBuckets = []float64{
	.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 2.5, 5, 10, 30, 60, 300, 900, 3600,
}

// Metrics collects the figures of the gateway for Prometheus. It implements [core.Observer],
// for durations; all other figures are read when they are asked for.
type Metrics struct {
	registry  *prometheus.Registry
	durations *prometheus.HistogramVec
	nodes     sync.Map // *core.Node → *nodeEnds
}

// nodeEnds is what is observed of the ends of a node, by outcome.
type nodeEnds [64]struct {
	duration  atomic.Pointer[prometheus.Observer] // nil until the first end of its kind
	retrySafe atomic.Uint64
}

// NewMetrics returns metrics that know the process, the Go runtime and the build, and from the
// engine what it observes. [Metrics.Watch] adds the engine's counters.
func NewMetrics(version, commit string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "flowsync_transaction_duration_seconds",
			Help:    "Time from the beginning of a transaction to its end.",
			Buckets: durationBuckets,
		}, []string{"node", "outcome"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "flowsync_build_info",
		Help:        "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "commit": commit, "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.durations, build,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Watch adds the counters of a gateway. Call it once.
func (m *Metrics) Watch(s Sources) {
	m.registry.MustRegister(&engineCollector{s.Engine, m.retrySafe})
	if s.Broker != nil {
		m.registry.MustRegister(&brokerCollector{s.Broker})
	}
	if s.Keys != nil {
		m.registry.MustRegister(&keysCollector{s.Keys})
	}
	if s.Journal != nil {
		m.registry.MustRegister(&journalCollector{s.Journal})
	}
	if s.LostEnds != nil {
		m.registry.MustRegister(&endsCollector{s.LostEnds})
	}
}

// Ended implements [core.Observer].
func (m *Metrics) Ended(node *core.Node, r core.Result) {
	known, ok := m.nodes.Load(node)
	if !ok {
		known, _ = m.nodes.LoadOrStore(node, new(nodeEnds))
	}
	place := &known.(*nodeEnds)[int(r.Outcome)%len(nodeEnds{})]
	histogram := place.duration.Load()
	if histogram == nil {
		made := m.durations.WithLabelValues(label(node.Name()), r.Outcome.String())
		histogram = &made
		place.duration.Store(histogram) // the same one for everybody who gets here at once
	}
	(*histogram).Observe(r.Elapsed.Seconds())
	if r.RetrySafe() {
		place.retrySafe.Add(1)
	}
}

// retrySafe is how many of a node's ends with an outcome were retry safe.
func (m *Metrics) retrySafe(node *core.Node, o core.Outcome) uint64 {
	known, ok := m.nodes.Load(node)
	if !ok {
		return 0
	}
	return known.(*nodeEnds)[int(o)%len(nodeEnds{})].retrySafe.Load()
}

// Stray implements [core.Observer]. The engine counts them.
func (m *Metrics) Stray(*core.Node, *core.Stray) {}

// label makes a text valid as the value of a label: one that is not would fail every scrape.
func label(text string) string { return strings.ToValidUTF8(text, "\ufffd") }
