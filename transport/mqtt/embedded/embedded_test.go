package embedded

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/core"
)

// patience is how long a test waits for something that must happen.
const patience = 20 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func receive[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		require.FailNow(t, "nothing came")
		panic("unreachable")
	}
}

// logged keeps what was logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// gateway is a broker with an engine and one node, "n" on topic "a".
type gateway struct {
	t      testing.TB
	broker *Broker
	engine *core.Engine
	node   *core.Node
	log    *logged
}

func newGateway(t testing.TB, o Options, n core.NodeOptions) *gateway {
	t.Helper()
	g := &gateway{t: t, log: new(logged)}
	o.Addr = "127.0.0.1:0"
	o.Logger = slog.New(slog.NewTextHandler(g.log, nil))
	var err error
	g.broker, err = Start(o)
	require.NoError(t, err)
	g.engine, err = core.New(g.broker, core.Options{MaxInFlight: 200_000})
	require.NoError(t, err)
	n.Name, n.Topic = "n", "a"
	if n.Timeout == 0 {
		n.Timeout = time.Minute
	}
	g.node, err = g.engine.AddNode(n)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, g.engine.Close())
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, g.broker.Close(ctx))
	})
	return g
}

// completions is a completer that passes results on.
type completions chan core.Result

func (c completions) Complete(r core.Result) {
	r.Value = append([]byte(nil), r.Value...)
	c <- r
}

func (g *gateway) begin(value string) (core.ID, completions) {
	done := make(completions, 1)
	return g.engine.Begin(&core.Call{Node: g.node, Value: []byte(value)}, done), done
}

func (g *gateway) end(done completions, want core.Outcome) core.Result {
	g.t.Helper()
	r := receive(g.t, done)
	require.Equal(g.t, want.String(), r.Outcome.String(), "%s", r.Message)
	return r
}

// until waits for something that shows only in counters.
func (g *gateway) until(condition func() bool) {
	g.t.Helper()
	require.Eventually(g.t, condition, patience, time.Millisecond)
}

func answerTo(request []byte, value string) []byte {
	_, rest, _ := strings.Cut(string(request), `"id":"`)
	return []byte(`{"id":"` + rest[:core.IDTextLen] + `","value":` + value + `}`)
}
