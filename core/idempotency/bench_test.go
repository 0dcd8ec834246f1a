package idempotency

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// answering is a bus that answers at once.
type answering struct{ sink core.Sink }

func (b *answering) Bind(s core.Sink) { b.sink = s }

func (b *answering) Publish(r *core.Request) error {
	if b.sink.Sent(r.ID) {
		var room [128]byte
		b.sink.Resolve(core.Answer{Node: r.Node, Payload: core.AppendRequest(room[:0], r.ID, 0, r.Value)})
	}
	return nil
}

type nobody struct{}

func (nobody) Complete(core.Result) {}

func newBench(b testing.TB, o Options) (*Table, *core.Engine, *core.Node) {
	table, err := New(o)
	require.NoError(b, err)
	engine, err := core.New(table.Bus(&answering{}), core.Options{Observer: table})
	require.NoError(b, err)
	table.Use(engine)
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "n", Inspect: table.Inspect(nil, nil)})
	require.NoError(b, err)
	require.NoError(b, table.AddNode(node, NodeOptions{Window: time.Second}))
	b.Cleanup(func() {
		require.NoError(b, engine.Close())
		require.NoError(b, table.Close())
	})
	return table, engine, node
}

// BenchmarkBegin is a whole transaction that is answered at once: by the engine alone, through the
// table without a key, with a new key, and with one that is replayed.
func BenchmarkBegin(b *testing.B) {
	value := []byte(`{"order":4711,"amount":3}`)
	for _, c := range []struct {
		name string
		key  func(i int64) *core.Key
	}{
		{"keyless", func(int64) *core.Key { return nil }},
		{"new", func(i int64) *core.Key { return &core.Key{Text: strconv.FormatInt(i, 10)} }},
		{"replayed", func(int64) *core.Key { return &core.Key{Text: "k"} }},
	} {
		b.Run(c.name, func(b *testing.B) {
			table, _, node := newBench(b, Options{MaxKeys: 10_000_000, MaxBytes: 8 << 30})
			var n atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					table.Begin(&core.Call{Node: node, Value: value, Key: c.key(n.Add(1))}, nobody{})
				}
			})
		})
	}
	b.Run("engine", func(b *testing.B) {
		_, engine, node := newBench(b, Options{})
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				engine.Begin(&core.Call{Node: node, Value: value}, nobody{})
			}
		})
	})
}
