package idempotency

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a gateway in small: engine, table, wire, two nodes with keys ("a", "b") and one without
// ("plain").
type rig struct {
	*Table
	between *between
	t       *testing.T
	engine  *core.Engine
	wire    *wire
	a, b    *core.Node
	plain   *core.Node
	log     *logLines
	closed  bool
}

// between lets a test act when the engine is told to cancel.
type between struct {
	Engine
	cancelling atomic.Pointer[func()]
}

func (b *between) before(act func()) { b.cancelling.Store(&act) }

func (b *between) Cancel(id core.ID) bool {
	if act := b.cancelling.Swap(nil); act != nil {
		(*act)()
	}
	return b.Engine.Cancel(id)
}

type setup struct {
	Options
	node     core.NodeOptions
	engine   core.Options
	window   time.Duration
	rules    func(*core.Reply) error
	protocol func(*core.Reply) error
	wall     func() time.Time
	wire     *wire
	bus      core.Bus // around the wire; nil: none
}

func newRig(t *testing.T, s setup) *rig {
	t.Helper()
	r := &rig{t: t, wire: s.wire, log: &logLines{}}
	if r.wire == nil {
		r.wire = &wire{}
	}
	if s.wall == nil {
		s.wall = time.Now
	}
	s.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	var err error
	r.Table, err = newTable(s.Options, s.wall)
	require.NoError(t, err)
	s.engine.Observer = r.Table
	if s.bus == nil {
		s.bus = r.wire
	}
	r.engine, err = core.New(r.Bus(s.bus), s.engine)
	require.NoError(t, err)
	r.between = &between{Engine: r.engine}
	r.Use(r.between)
	add := func(name string, keyed bool) *core.Node {
		o := s.node
		o.Name, o.Topic = name, name
		if keyed {
			o.Inspect = r.Inspect(s.rules, s.protocol)
		}
		node, err := r.engine.AddNode(o)
		require.NoError(t, err)
		if keyed {
			require.NoError(t, r.AddNode(node, NodeOptions{Window: s.window, Rules: s.rules, Protocol: s.protocol}))
		}
		return node
	}
	r.a, r.b, r.plain = add("a", true), add("b", true), add("plain", false)
	t.Cleanup(r.close)
	return r
}

func (r *rig) close() {
	if r.closed {
		return
	}
	r.closed = true
	require.NoError(r.t, r.engine.Close())
	require.NoError(r.t, r.Table.Close())
	require.NoError(r.t, r.Table.Close(), "twice")
	for _, n := range []*core.Node{r.a, r.b} {
		requireAddUp(r.t, r.Stats(n))
		require.Zero(r.t, r.Stats(n).Waiting)
	}
	require.Zero(r.t, len(r.handles))
	require.Zero(r.t, r.waiting)
}

func requireAddUp(t *testing.T, s NodeStats) {
	t.Helper()
	require.Equal(t, s.Begun, uint64(s.Waiting)+s.Joined+s.Replayed+s.InDoubt+s.Conflicts+s.Shed+s.Cancelled+s.Shutdown, "%+v", s)
}

// asked is one request and its end.
type asked struct {
	rig   *rig
	id    core.ID
	ended chan core.Result
}

func (a *asked) Complete(r core.Result) {
	if r.Value != nil {
		r.Value = append([]byte{}, r.Value...)
	}
	select {
	case a.ended <- r:
	default:
		a.rig.t.Errorf("completed twice: %+v", r)
	}
}

// ask begins a request with a key on node a.
func (r *rig) ask(key string, change ...func(*core.Call)) *asked {
	a := &asked{rig: r, ended: make(chan core.Result, 1)}
	call := &core.Call{Node: r.a, Value: []byte(`"` + key + `"`)}
	if key != "" {
		call.Key = &core.Key{Text: key, User: "u"}
	}
	for _, c := range change {
		c(call)
	}
	a.id = r.Begin(call, a)
	return a
}

func limit(d time.Duration) func(*core.Call) { return func(c *core.Call) { c.Timeout = d } }

// held requires that it has not ended.
func (a *asked) held() {
	a.rig.t.Helper()
	synctest.Wait()
	select {
	case r := <-a.ended:
		require.FailNow(a.rig.t, "it has ended", "%+v", r)
	default:
	}
}

// result requires that it has ended.
func (a *asked) result() core.Result {
	a.rig.t.Helper()
	synctest.Wait()
	select {
	case r := <-a.ended:
		return r
	default:
		require.FailNow(a.rig.t, "it is still held")
		return core.Result{}
	}
}

// is requires an end in short form: outcome, what it was to an earlier request, and its value.
func (a *asked) is(outcome core.Outcome, repeat core.Repeat, value string) core.Result {
	a.rig.t.Helper()
	r := a.result()
	require.Equal(a.rig.t, fmt.Sprint(outcome, repeat, value), fmt.Sprint(r.Outcome, r.Repeat, string(r.Value)), "%+v", r)
	return r
}

// answer publishes an answer to the n-th request that left; more are members beside the value.
func (r *rig) answer(n int, value string, more ...string) bool {
	r.t.Helper()
	synctest.Wait()
	requests := r.wire.requests()
	require.Less(r.t, n, len(requests))
	return r.answerTo(requests[n].ID, requests[n].Node, value, more...)
}

func (r *rig) answerTo(id core.ID, node *core.Node, value string, more ...string) bool {
	payload := fmt.Sprintf(`{"id":%q,"value":%s`, id, value)
	for _, m := range more {
		payload += "," + m
	}
	return r.engine.Resolve(core.Answer{Node: node, Payload: []byte(payload + "}")})
}

func (r *rig) published(n int) {
	r.t.Helper()
	synctest.Wait()
	require.Len(r.t, r.wire.requests(), n)
}

func wait(d time.Duration) {
	time.Sleep(d) // invented time
	synctest.Wait()
}

type logLines struct {
	mu   sync.Mutex
	text string
	n    int
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text += string(p)
	l.n++
	return len(p), nil
}

func (l *logLines) all() (string, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text, l.n
}

// bubble runs a test in invented time.
func bubble(t *testing.T, test func(t *testing.T)) { synctest.Test(t, test) }
