package admin

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// bench is an engine on a bus that sends at once and answers nothing by itself.
type bench struct {
	engine  *core.Engine
	metrics *Metrics
	recent  *Recent
	bus     *silent
}

type silent struct {
	sink core.Sink
	last core.ID
}

func (s *silent) Bind(sink core.Sink) { s.sink = sink }

func (s *silent) Publish(r *core.Request) error {
	s.last = r.ID
	s.sink.Sent(r.ID)
	return nil
}

type ignore struct{}

func (ignore) Complete(core.Result) {}

func newBench(t testing.TB, names ...string) *bench {
	b := &bench{metrics: NewMetrics("1.2.3", "abc"), recent: new(Recent), bus: new(silent)}
	var err error
	b.engine, err = core.New(b.bus, core.Options{Observer: Observers{b.metrics, b.recent}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.engine.Close()) })
	for _, name := range names {
		_, err := b.engine.AddNode(core.NodeOptions{Name: name, Topic: "t/" + label(name), MaxInFlight: 1})
		require.NoError(t, err)
	}
	return b
}

func (b *bench) begin(node int) core.ID {
	b.engine.Begin(&core.Call{Node: b.engine.Nodes()[node], Value: []byte("1234")}, ignore{})
	return b.bus.last
}

func (b *bench) answer(node int, payload string) {
	b.engine.Resolve(core.Answer{Node: b.engine.Nodes()[node], Payload: []byte(payload)})
}

// busy leaves behind, on the first node: one answered, one shed, one held, one duplicate and one
// malformed answer.
func (b *bench) busy() {
	id := b.begin(0)
	b.answer(0, `{"id":"`+id.String()+`","value":1}`)
	b.answer(0, `{"id":"`+id.String()+`","value":"<b>2</b>"}`)
	b.answer(0, `not JSON`)
	b.begin(0)
	b.begin(0)
}
