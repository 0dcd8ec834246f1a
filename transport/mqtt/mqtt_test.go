package mqtt

import (
	"context"
	"io"
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
const patience = 10 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receive takes the next value of a channel, and fails the test if none comes.
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

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// completions is a completer that passes results on.
type completions chan core.Result

func (c completions) Complete(r core.Result) {
	r.Value = append([]byte(nil), r.Value...)
	c <- r
}

// gateway is a bus with its engine.
type gateway struct {
	t      testing.TB
	bus    *Bus
	engine *core.Engine
	log    *logged
}

// newGateway does not start the bus.
func newGateway(t testing.TB, o Options, nodes ...core.NodeOptions) *gateway {
	t.Helper()
	g := &gateway{t: t, log: new(logged)}
	if o.Logger == nil {
		o.Logger = g.log.logger()
	}
	var err error
	g.bus, err = Dial(o)
	require.NoError(t, err)
	g.engine, err = core.New(g.bus, core.Options{})
	require.NoError(t, err)
	for _, n := range nodes {
		if n.Name == "" {
			n.Name = n.Topic
		}
		_, err := g.engine.AddNode(n)
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		require.NoError(t, g.engine.Close())
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // do not flush
		g.bus.Close(ctx)
	})
	return g
}

func (g *gateway) start() {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(g.t, g.bus.Start(ctx))
}

// begin begins a transaction on the node with this index.
func (g *gateway) begin(node int, value string) (core.ID, completions) {
	done := make(completions, 1)
	return g.engine.Begin(&core.Call{Node: g.engine.Nodes()[node], Value: []byte(value)}, done), done
}

// beginWithin is begin for a requester who waits no longer than that.
func (g *gateway) beginWithin(node int, value string, timeout time.Duration) (core.ID, completions) {
	done := make(completions, 1)
	return g.engine.Begin(&core.Call{Node: g.engine.Nodes()[node], Value: []byte(value), Timeout: timeout}, done), done
}

// end waits for the end of a transaction.
func (g *gateway) end(done completions, want core.Outcome) core.Result {
	g.t.Helper()
	r := receive(g.t, done)
	require.Equal(g.t, want, r.Outcome, "%s", r.Message)
	return r
}

// untilLogged waits for a text in the log: a line may be written just after what it tells of.
func (g *gateway) untilLogged(text string) {
	g.t.Helper()
	require.Eventually(g.t, func() bool { return strings.Contains(g.log.String(), text) }, patience, time.Millisecond, "%s", text)
}

// until waits for something that shows only in counters.
func (g *gateway) until(condition func() bool) {
	g.t.Helper()
	require.Eventually(g.t, condition, patience, time.Millisecond)
}

// contextThatIsOver is for those who do not wait.
func contextThatIsOver() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx, cancel
}

// answerTo returns an answer with the id of a request.
func answerTo(request []byte, value string) []byte {
	_, rest, _ := strings.Cut(string(request), `"id":"`)
	return []byte(`{"id":"` + rest[:core.IDTextLen] + `","value":` + value + `}`)
}
