package compare

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/bench"
)

// pathServers are the gateways of others.
var pathServers = bench.Servers{
	"echo": echo, "afternoon": afternoon, "sketch": sketch, "sketch-embedded": sketchEmbedded,
}

// contender is a way to do the work, by the name that it has in tables.
type contender struct {
	name string
	path *bench.Path
}

// contenders are flowsync and the others. The broker, where it is outside, is mochi in a process of
// its own; the responder is the same for all who need one.
func contenders() []contender {
	var all []contender
	add := func(name, bus string, p *bench.Path) {
		p.Name = name + "/bus=" + bus
		all = append(all, contender{name, p})
	}
	add("echo", "none", bench.Alone("", "echo"))
	add("afternoon", "external", bench.WithBroker("", "afternoon"))
	add("sketch", "external", bench.WithBroker("", "sketch"))
	add("flowsync", "external", bench.External(0))
	add("sketch-embedded", "embedded", bench.WithBrokerInside("", "sketch-embedded"))
	add("flowsync-embedded", "embedded", bench.Embedded(0))
	return all
}

// What a request over HTTP costs with flowsync and with others.
func BenchmarkHTTP(b *testing.B) {
	var workloads []bench.Workload
	var relations []bench.Relation
	all := contenders()
	for _, connections := range []int{64, 512} {
		name := func(contender string) string { return fmt.Sprintf("what=%s/conns=%d", contender, connections) }
		for _, c := range all {
			w := bench.StandardHTTP(c.path, connections)
			w.Name = name(c.name)
			workloads = append(workloads, w)
		}
		ours, embedded := name("flowsync"), name("flowsync-embedded")
		relations = append(relations,
			bench.Relation{Metric: "cpu-of-echo", Of: ours, Over: name("echo"), Figure: bench.CPU},
			bench.Relation{Metric: "cpu-of-afternoon", Of: ours, Over: name("afternoon"), Figure: bench.CPU},
			bench.Relation{Metric: "cpu-of-sketch", Of: ours, Over: name("sketch"), Figure: bench.CPU},
			bench.Relation{Metric: "rate-of-sketch", Of: ours, Over: name("sketch"), Figure: bench.Rate},
			bench.Relation{Metric: "cpu-of-sketch-embedded", Of: embedded, Over: name("sketch-embedded"), Figure: bench.CPU},
			bench.Relation{Metric: "rate-of-sketch-embedded", Of: embedded, Over: name("sketch-embedded"), Figure: bench.Rate},
		)
	}
	bench.Compare(b, relations, workloads...)
}

// Whoever is measured answers everything.
func TestPathsAnswer(t *testing.T) {
	var workloads []bench.Workload
	for _, c := range contenders() {
		workloads = append(workloads, bench.HTTP{
			Name: c.name, Path: c.path, Connections: 8, Payload: 200,
			WarmUp: 20 * time.Millisecond, Window: 100 * time.Millisecond,
		})
	}
	c, err := bench.NewCampaign(workloads...)
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	figures, err := c.Run(t.Context(), 1)
	require.NoError(t, err)
	for i, f := range figures {
		require.Zero(t, f[0].Faults, workloads[i].Title())
		require.Positive(t, f[0].Answers, workloads[i].Title())
		require.Positive(t, f[0].CPUEach(), workloads[i].Title())
	}
}

// How long requesters wait at a constant rate, with flowsync and with others.
func BenchmarkLatency(b *testing.B) {
	var paths []*bench.Path
	for _, c := range contenders() {
		if c.name != "echo" {
			c.path.Name = "what=" + c.name
			paths = append(paths, c.path)
		}
	}
	bench.ReportLatency(b, bench.Rates(), paths...)
}
