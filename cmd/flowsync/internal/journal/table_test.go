package journal

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/core/idempotency"
)

// gateway is an engine with a table on a journal. Its bus counts what leaves.
type gateway struct {
	*idempotency.Table
	t       *testing.T
	engine  *core.Engine
	node    *core.Node
	journal *Journal
	sink    core.Sink
	left    atomic.Int64
	last    atomic.Pointer[core.Request]
}

func (g *gateway) Bind(s core.Sink) { g.sink = s }

func (g *gateway) Publish(r *core.Request) error {
	if g.sink.Sent(r.ID) {
		g.last.Store(r.Clone())
		g.left.Add(1)
	}
	return nil
}

func newGateway(t *testing.T, dir string) *gateway {
	g := &gateway{t: t}
	var err error
	g.journal, err = Open(Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	g.Table, err = idempotency.New(idempotency.Options{Store: g.journal, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	g.engine, err = core.New(g.Bus(g), core.Options{Observer: g.Table})
	require.NoError(t, err)
	g.Use(g.engine)
	g.node, err = g.engine.AddNode(core.NodeOptions{Name: "n", Topic: "n", Timeout: time.Minute, Inspect: g.Inspect(nil, nil)})
	require.NoError(t, err)
	require.NoError(t, g.AddNode(g.node, idempotency.NodeOptions{}))
	return g
}

func (g *gateway) close() {
	require.NoError(g.t, g.engine.Close())
	require.NoError(g.t, g.Table.Close())
	require.NoError(g.t, g.journal.Close())
}

func (g *gateway) ask(key string, limit time.Duration) core.Result {
	w := new(core.WaiterPool).Acquire()
	g.Begin(&core.Call{Node: g.node, Timeout: limit, Key: &core.Key{Text: key}}, w)
	select {
	case <-w.Done():
		return *w.Result()
	case <-time.After(30 * time.Second):
		require.FailNow(g.t, "it does not end")
		return core.Result{}
	}
}

func (g *gateway) answer(id core.ID, value string) {
	g.engine.Resolve(core.Answer{Node: g.node, Payload: fmt.Appendf(nil, `{"id":%q,"value":%s}`, id, value)})
}

// TestKeysSurvive: a key in doubt publishes never again, and its late answer, to an instance that
// did not ask, is replayed, also by the next one.
func TestKeysSurvive(t *testing.T) {
	dir := t.TempDir()
	first := newGateway(t, dir)
	end := first.ask("k", 100*time.Millisecond)
	require.Equal(t, core.Timeout, end.Outcome)
	require.EqualValues(t, 1, first.left.Load())
	// What is on disk now is what a SIGKILL would leave.
	crashed := t.TempDir()
	text, err := os.ReadFile(filepath.Join(dir, fileName))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(crashed, fileName), text, 0o600))
	first.close()

	for _, dir := range []string{dir, crashed} {
		second := newGateway(t, dir)
		doubt := second.ask("k", 10*time.Millisecond)
		require.Equal(t, core.InDoubt, doubt.Repeat)
		require.Equal(t, end.ID, doubt.ID)
		second.answer(end.ID, `7`)
		replayed := second.ask("k", 0)
		require.Equal(t, core.Replayed, replayed.Repeat)
		require.Equal(t, `7`, string(replayed.Value))
		second.close()

		third := newGateway(t, dir)
		again := third.ask("k", 0)
		require.Equal(t, `7`, string(again.Value))
		require.Zero(t, second.left.Load()+third.left.Load())
		third.close()
	}
}

// TestFullDiskRefuses: with a disk that is full nothing with a key leaves, and it is safe to repeat.
func TestFullDiskRefuses(t *testing.T) {
	if runsElsewhere(t) {
		return
	}
	g := newGateway(t, t.TempDir())
	unlimit := limitFiles(t, 0)
	end := g.ask("k", 0)
	require.Equal(t, core.NotPublished, end.Outcome)
	require.True(t, end.RetrySafe())
	require.NotContains(t, end.Message, "/")
	require.Zero(t, g.left.Load())
	unlimit()
	done := make(chan core.Result)
	go func() { done <- g.ask("k", 0) }()
	require.Eventually(t, func() bool { return g.last.Load() != nil }, 10*time.Second, time.Millisecond)
	g.answer(g.last.Load().ID, `1`)
	require.Equal(t, core.Answered, (<-done).Outcome)
	g.close()
}
