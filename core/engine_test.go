package core

import (
	"context"
	"errors"
	"fmt"
	"go/build"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recordingBus keeps copies of what it was given and does what publish says.
type recordingBus struct {
	Sink
	mu       sync.Mutex
	requests []Request
	publish  func(*Request) error
}

func (b *recordingBus) Bind(s Sink) { b.Sink = s }

func (b *recordingBus) Publish(r *Request) error {
	b.mu.Lock()
	kept := *r
	kept.Value = append([]byte(nil), r.Value...)
	kept.Message = r.AppendMessage(nil)
	b.requests = append(b.requests, kept)
	b.mu.Unlock()
	if b.publish != nil {
		return b.publish(r)
	}
	b.Sent(r.ID)
	return nil
}

// discard is a bus that marks requests as sent and forgets them.
type discard struct{ sink Sink }

func (b *discard) Bind(s Sink) { b.sink = s }
func (b *discard) Publish(r *Request) error {
	b.sink.Sent(r.ID)
	return nil
}

type ignore struct{}

func (ignore) Complete(Result) {}

// completions counts what a transaction is told, and keeps the last result.
type completions struct {
	n    atomic.Int64
	last atomic.Pointer[Result]
}

func (c *completions) Complete(r Result) {
	r.Value = append([]byte(nil), r.Value...)
	c.last.Store(&r)
	c.n.Add(1)
}

func newTestEngine(t testing.TB, o Options) (*Engine, *Node, *recordingBus) {
	t.Helper()
	bus := &recordingBus{}
	e, err := New(bus, o)
	require.NoError(t, err)
	t.Cleanup(func() { e.Close() })
	node, err := e.AddNode(NodeOptions{Name: "n", Topic: "services/s/n"})
	require.NoError(t, err)
	return e, node, bus
}

func answerTo(id ID, rest string) []byte { return []byte(`{"id":"` + id.String() + `",` + rest + `}`) }

func requireAddsUp(t testing.TB, e *Engine) {
	t.Helper()
	held := uint64(0)
	for _, n := range e.Nodes() {
		s := e.Stats(n)
		sum := s.Held
		for _, c := range s.Ended {
			sum += c
		}
		require.Equal(t, s.Begun, sum)
		held += s.Held
	}
	require.EqualValues(t, e.Held(), held)
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name    string
		publish func(*Engine, *Request) error
		want    Result
	}{
		{"answered", func(e *Engine, r *Request) error {
			e.Sent(r.ID)
			e.Resolve(Answer{Node: r.Node, Payload: answerTo(r.ID, `"value":{"ok":true}`)})
			return nil
		}, Result{Outcome: Answered, Value: []byte(`{"ok":true}`), Sent: true}},
		{"responder error", func(e *Engine, r *Request) error {
			e.Sent(r.ID)
			e.Resolve(Answer{Node: r.Node, Payload: answerTo(r.ID, `"value":1,"error":{"code":503,"message":"busy"}`)})
			return nil
		}, Result{Outcome: ResponderError, Code: 503, Message: "busy", Sent: true}},
		{"error code as a name", func(e *Engine, r *Request) error {
			e.Resolve(Answer{Node: r.Node, Payload: answerTo(r.ID, `"error":{"code":"BadOutOfRange"}`)})
			return nil
		}, Result{Outcome: ResponderError, CodeName: "BadOutOfRange"}},
		{"timeout", func(e *Engine, r *Request) error {
			e.Sent(r.ID)
			return nil
		}, Result{Outcome: Timeout, Message: "no answer came in time", Elapsed: DefaultTimeout, Sent: true}},
		{"never handed over", func(*Engine, *Request) error { return nil },
			Result{Outcome: NotPublished, Message: "the request could not be published in time", Elapsed: DefaultTimeout}},
		{"publish fails", func(*Engine, *Request) error { return fmt.Errorf("%w: no broker", ErrNotSent) },
			Result{Outcome: NotPublished, Message: "request was not published: no broker"}},
		{"an unknown error", func(*Engine, *Request) error { return errors.New("boom") },
			Result{Outcome: NotPublished, Message: "boom"}},
		{"an error after it was sent does not mean unsent", func(e *Engine, r *Request) error {
			e.Sent(r.ID)
			return errors.New("connection lost")
		}, Result{Outcome: Timeout, Message: "no answer came in time", Elapsed: DefaultTimeout, Sent: true}},
		{"refused by the broker", func(e *Engine, r *Request) error {
			e.Sent(r.ID)
			return fmt.Errorf("%w: quota exceeded", ErrRefused)
		}, Result{Outcome: NotPublished, Message: "broker refused the request: quota exceeded", Sent: true}},
		{"no subscriber", func(e *Engine, r *Request) error {
			e.Sent(r.ID)
			return ErrNoSubscriber
		}, Result{Outcome: NoSubscriber, Message: "no responder is subscribed", Sent: true}},
		{"shed by the bus", func(*Engine, *Request) error { return ErrShed }, Result{Outcome: Shed, Message: "limit reached"}},
		{"rule failed", func(*Engine, *Request) error { return ErrRuleFailed }, Result{Outcome: RuleFailed, Message: "rule failed"}},
		{"bad response", func(*Engine, *Request) error { return ErrBadResponse }, Result{Outcome: BadResponse, Message: "unusable answer"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, node, bus := newTestEngine(t, Options{})
				bus.publish = func(r *Request) error { return c.publish(e, r) }
				got := e.Do(context.Background(), &Call{Node: node, Value: []byte(`1`)})
				require.False(t, got.ID.IsZero())
				got.ID = ID{}
				require.Equal(t, c.want, got)
				requireAddsUp(t, e)
				require.EqualValues(t, 1, e.Stats(node).Ended[c.want.Outcome])
				require.NoError(t, e.Close())
			})
		})
	}
}

func TestRequestReachesTheBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, node, bus := newTestEngine(t, Options{})
		begun := time.Now()
		id := e.Begin(&Call{Node: node, Value: []byte(`{"order":4711}`), Timeout: 50 * time.Millisecond, Meta: "m",
			Properties: []Property{{"a", "b"}}}, ignore{})
		r := bus.requests[0]
		require.Equal(t, id, r.ID)
		require.Equal(t, 50*time.Millisecond, r.Timeout)
		require.Equal(t, begun.Add(50*time.Millisecond), r.Deadline)
		require.Equal(t, fmt.Sprintf(`{"id":"%s","timestamp":%d,"value":{"order":4711}}`, id, begun.UnixMilli()), string(r.Message))
		require.Equal(t, "m", r.Meta)
		require.Equal(t, []Property{{"a", "b"}}, r.Properties)
		e.Begin(&Call{Node: node, Timeout: time.Hour}, ignore{})
		require.Equal(t, DefaultTimeout, bus.requests[1].Timeout, "a call may only shorten the timeout")
		require.Equal(t, "services/s/n/treq", node.RequestTopic())
		require.Equal(t, "services/s/n/tres", node.AnswerTopic())
		e.Close()
	})
}

// strays records what the observer hears.
type strays struct {
	kinds []AnswerKind
	ended []Outcome
	last  Stray
}

func (s *strays) Ended(_ *Node, r Result) { s.ended = append(s.ended, r.Outcome) }
func (s *strays) Stray(_ *Node, x *Stray) {
	s.kinds = append(s.kinds, x.Kind)
	s.last = *x
}

func TestAnswersThatCompleteNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard := &strays{}
		e, node, _ := newTestEngine(t, Options{Instance: 7, Observer: heard})
		other, err := e.AddNode(NodeOptions{Name: "other", Topic: "services/s/other"})
		require.NoError(t, err)
		id := e.Begin(&Call{Node: node}, ignore{})
		wrong := id
		wrong[15]++
		foreign := id
		foreign[5]++
		for _, c := range []struct {
			answer Answer
			want   AnswerKind
		}{
			{Answer{Payload: []byte(`nonsense`)}, Malformed},
			{Answer{Payload: []byte(`{"value":1}`)}, Malformed},
			{Answer{Payload: []byte(`{"value":1}`), CorrelationData: []byte("short")}, Malformed},
			{Answer{Payload: answerTo(id, `"value":1`), CorrelationData: wrong[:]}, Malformed},
			{Answer{Payload: []byte(`{"id":"4711","value":1}`)}, Unknown},
			{Answer{Payload: answerTo(wrong, `"value":1`)}, Unknown},
			{Answer{Payload: answerTo(id, `"value":1`), Node: other}, Unknown},
			{Answer{Payload: answerTo(foreign, `"value":1`)}, Foreign},
			{Answer{Payload: answerTo(id, `"value":1`), Stale: true}, Stale},
			{Answer{Payload: answerTo(id, `"extend":1000`)}, Ignored},
		} {
			if c.answer.Node == nil {
				c.answer.Node = node
			}
			require.False(t, e.Resolve(c.answer), "%s", c.answer.Payload)
			require.Equal(t, c.want, heard.last.Kind, "%s", c.answer.Payload)
			require.Equal(t, c.answer.Payload, heard.last.Payload)
		}
		require.Equal(t, 1, e.Held(), "none of them has ended it")
		require.True(t, e.Resolve(Answer{Node: node, Payload: []byte(`{"value":1}`), CorrelationData: id[:]}))
		require.False(t, e.Resolve(Answer{Node: node, Payload: answerTo(id, `"value":1`), CorrelationData: id[:]}))
		require.Equal(t, Duplicate, heard.last.Kind)

		late := e.Begin(&Call{Node: node}, ignore{})
		time.Sleep(DefaultTimeout + 3*time.Millisecond)
		synctest.Wait()
		require.False(t, e.Resolve(Answer{Node: node, Payload: answerTo(late, `"value":1`)}))
		require.Equal(t, Stray{Kind: Late, ID: late, Outcome: Timeout, Lateness: 3 * time.Millisecond, Payload: heard.last.Payload}, heard.last)
		require.Equal(t, []Outcome{Answered, Timeout}, heard.ended)

		s := e.Stats(node)
		require.EqualValues(t, 1, s.Answers[Matched])
		require.EqualValues(t, 4, s.Answers[Malformed])
		require.EqualValues(t, 2, s.Answers[Unknown])
		require.EqualValues(t, 1, s.Answers[Late])
		require.EqualValues(t, 1, e.Stats(other).Answers[Unknown])
		e.Close()
	})
}

func TestIncompleteAnswersNeverLookLikeSuccess(t *testing.T) {
	e, node, _ := newTestEngine(t, Options{})
	for _, rest := range []string{`"x":1`, `"error":null`, `"error":{}`, `"error":{"code":"","message":"m"}`, `"error":{"code":1.5}`, `"value":1,"error":7`} {
		c := &completions{}
		id := e.Begin(&Call{Node: node}, c)
		e.Resolve(Answer{Node: node, Payload: answerTo(id, rest)})
		require.EqualValues(t, 1, c.n.Load(), rest)
		require.Equal(t, BadResponse, c.last.Load().Outcome, rest)
		require.NotEmpty(t, c.last.Load().Message)
	}
}

func TestInspect(t *testing.T) {
	e, _, _ := newTestEngine(t, Options{})
	var err error
	node, addErr := e.AddNode(NodeOptions{Name: "i", Topic: "i", Inspect: func(r *Reply) error {
		r.Value, r.Extra = []byte("2"), "extra"
		return err
	}})
	require.NoError(t, addErr)
	ask := func() *Result {
		c := &completions{}
		id := e.Begin(&Call{Node: node}, c)
		e.Resolve(Answer{Node: node, Payload: answerTo(id, `"value":1`)})
		return c.last.Load()
	}
	r := ask()
	require.Equal(t, Answered, r.Outcome)
	require.Equal(t, "2", string(r.Value))
	require.Equal(t, "extra", r.Extra)
	err = errors.New("bad header")
	require.Equal(t, BadResponse, ask().Outcome)
	err = fmt.Errorf("%w: here", ErrRuleFailed)
	require.Equal(t, RuleFailed, ask().Outcome)
}

func TestLimits(t *testing.T) {
	e, node, _ := newTestEngine(t, Options{MaxInFlight: 3, MaxHeldBytes: 100})
	small, err := e.AddNode(NodeOptions{Name: "small", Topic: "small", MaxInFlight: 1})
	require.NoError(t, err)
	begin := func(n *Node, value string) (ID, *completions) {
		c := &completions{}
		return e.Begin(&Call{Node: n, Value: []byte(value)}, c), c
	}
	first, _ := begin(small, "1")
	_, refused := begin(small, "1")
	require.Equal(t, Shed, refused.last.Load().Outcome)
	require.True(t, refused.last.Load().RetrySafe())
	require.True(t, refused.last.Load().ID.IsZero())
	_, refused = begin(node, strings.Repeat("x", 101))
	require.Equal(t, Shed, refused.last.Load().Outcome)
	require.EqualValues(t, 1, e.HeldBytes())
	begin(node, "1")
	begin(node, "1")
	_, refused = begin(node, "1")
	require.Equal(t, "too many requests are held", refused.last.Load().Message)
	require.True(t, e.Cancel(first))
	_, again := begin(small, "1")
	require.Nil(t, again.last.Load(), "the place is free again")
	requireAddsUp(t, e)
}

// TestShardRefuses: what was admitted can still find its shard full, or closed since.
func TestShardRefuses(t *testing.T) {
	heard := &strays{}
	e, node, _ := newTestEngine(t, Options{Shards: 1, Observer: heard})
	e.shards[0].maxSlots = 1
	e.Begin(&Call{Node: node}, ignore{})
	want := Result{Outcome: Shed, Message: whyTooMany}
	require.Equal(t, want, e.Do(context.Background(), &Call{Node: node}))
	e.shards[0].closed = true
	want = Result{Outcome: Shutdown, Message: whyShutdown}
	require.Equal(t, want, e.Do(context.Background(), &Call{Node: node}))
	require.Equal(t, []Outcome{Shed, Shutdown}, heard.ended)
	require.Equal(t, 1, e.Held())
	requireAddsUp(t, e)
}

// TestManyExpireTogether: more than the driver takes out of a shard at a time.
func TestManyExpireTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, node, _ := newTestEngine(t, Options{Shards: 1})
		const n = 10 * advanceBudget
		var late []time.Duration
		for range n {
			e.Begin(&Call{Node: node}, expiries{time.Now().Add(DefaultTimeout), &late})
		}
		time.Sleep(DefaultTimeout)
		synctest.Wait()
		require.Equal(t, make([]time.Duration, n), late)
		require.Zero(t, e.Held())
		require.NoError(t, e.Close())
	})
}

// TestPlaceIsFreeBeforeCompletion: a serial client of a node with one place is never shed.
func TestPlaceIsFreeBeforeCompletion(t *testing.T) {
	e, node, bus := newTestEngine(t, Options{MaxInFlight: 1})
	bus.publish = func(r *Request) error {
		e.Sent(r.ID)
		go e.Resolve(Answer{Node: node, Payload: answerTo(r.ID, `"value":1`)})
		return nil
	}
	for range 1000 {
		require.Equal(t, Answered, e.Do(context.Background(), &Call{Node: node}).Outcome)
	}
}

// TestBusPanics: what a bus has written into a request before it panics is not seen in the next
// one, and the transaction ends at its deadline.
func TestBusPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, node, bus := newTestEngine(t, Options{})
		bus.publish = func(r *Request) error {
			r.Message = []byte("left over")
			panic("bus")
		}
		c := &completions{}
		require.Panics(t, func() { e.Begin(&Call{Node: node}, c) })
		bus.publish = nil
		e.Begin(&Call{Node: node}, ignore{})
		require.NotEqual(t, "left over", string(bus.requests[1].Message))
		time.Sleep(DefaultTimeout)
		synctest.Wait()
		require.Equal(t, NotPublished, c.last.Load().Outcome)
		require.NoError(t, e.Close())
	})
}

func TestDoCancelled(t *testing.T) {
	e, node, _ := newTestEngine(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := e.Do(ctx, &Call{Node: node})
	require.Equal(t, Cancelled, r.Outcome)
	require.False(t, e.Cancel(r.ID))
	require.False(t, e.Cancel(ID{}))
	require.False(t, e.Fail(ID{}, ErrRefused))
	require.False(t, e.Sent(ID{}))
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, node, _ := newTestEngine(t, Options{})
		id := e.Begin(&Call{Node: node}, ignore{})
		e.Begin(&Call{Node: node}, ignore{})
		short, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(t, e.Drain(short), context.DeadlineExceeded)
		require.Equal(t, Shutdown, e.Do(context.Background(), &Call{Node: node}).Outcome)
		require.True(t, e.Resolve(Answer{Node: node, Payload: answerTo(id, `"value":1`)}), "held ones are still answered")
		require.NoError(t, e.Drain(context.Background()), "returns when the last one times out")
		require.Equal(t, 0, e.Held())
		requireAddsUp(t, e)
		require.NoError(t, e.Close())
	})
}

func TestNodes(t *testing.T) {
	e, node, _ := newTestEngine(t, Options{})
	for _, o := range []NodeOptions{
		{}, {Name: "x"}, {Name: "x", Topic: "\xff"}, {Name: "x", Topic: "x", Timeout: 2 * time.Hour},
		{Name: "x", Topic: "x", Timeout: -1}, {Name: "x", Topic: "x", MaxInFlight: -1}, {Name: "x", Topic: "x", QoS: 3},
		{Name: "x", Topic: "x", MaxExtend: -1}, {Name: "x", Topic: "x", MaxExtend: MaxTimeout + 1},
		{Name: "x", Topic: "x", FailFast: true}, {Name: "x", Topic: "x", FailFast: true, QoS: 2},
		{Name: "n", Topic: "x"}, {Name: "x", Topic: "services/s/n"},
	} {
		_, err := e.AddNode(o)
		require.Error(t, err, "%+v", o)
	}
	require.Equal(t, []*Node{node}, e.Nodes())
	require.Equal(t, "n", node.Name())
	require.Equal(t, "services/s/n", node.Topic())
	require.Equal(t, DefaultTimeout, node.Timeout())
	require.Zero(t, node.QoS())
	for _, set := range []bool{node.Retain(), node.Serial(), node.FailFast(), node.Wait(), node.MaxExtend() > 0} {
		require.False(t, set)
	}
	all, err := e.AddNode(NodeOptions{Name: "all", Topic: "all", QoS: 1, Retain: true, Serial: true, FailFast: true, Wait: true, MaxExtend: MaxTimeout})
	require.NoError(t, err)
	for _, set := range []bool{all.Retain(), all.Serial(), all.FailFast(), all.Wait(), all.MaxExtend() == MaxTimeout} {
		require.True(t, set)
	}
	e.Close()
	_, err = e.AddNode(NodeOptions{Name: "x", Topic: "x"})
	require.ErrorIs(t, err, ErrClosed)
}

type refusingBus struct{ recordingBus }

func (*refusingBus) Attach(n *Node) error { return errors.New("cannot subscribe " + n.AnswerTopic()) }

func TestBusRefusesNode(t *testing.T) {
	e, err := New(&refusingBus{}, Options{})
	require.NoError(t, err)
	defer e.Close()
	_, err = e.AddNode(NodeOptions{Name: "x", Topic: "x"})
	require.EqualError(t, err, "cannot subscribe x/tres")
	require.Empty(t, e.Nodes())
}

func TestOptionsReportAllFaults(t *testing.T) {
	_, err := New(&discard{}, Options{MaxInFlight: -1, MaxHeldBytes: -1, Shards: 3})
	require.ErrorContains(t, err, "MaxInFlight")
	require.ErrorContains(t, err, "MaxHeldBytes")
	require.ErrorContains(t, err, "Shards")
}

func TestWords(t *testing.T) {
	require.Len(t, Outcomes(), 10)
	require.Equal(t, "not_published", NotPublished.String())
	require.Equal(t, "outcome(99)", Outcome(99).String())
	require.Len(t, AnswerKinds(), 9)
	require.Equal(t, "stale", Stale.String())
	require.Equal(t, "answerkind(0)", AnswerKind(0).String())
	for o, want := range map[Outcome][2]bool{ // retry safe when: not sent, sent
		Answered: {false, false}, ResponderError: {false, false}, Timeout: {false, false}, NotPublished: {true, true},
		NoSubscriber: {true, true}, Shed: {true, true}, BadResponse: {false, false}, RuleFailed: {true, false},
		Cancelled: {false, false}, Shutdown: {true, false},
	} {
		require.Equal(t, want, [2]bool{o.RetrySafe(false), o.RetrySafe(true)}, o.String())
	}
}

func TestSlotIsOneCacheLine(t *testing.T) {
	require.EqualValues(t, 64, unsafe.Sizeof(slot{}))
	require.EqualValues(t, 32, unsafe.Sizeof(ended{}))
}

func TestNoAllocation(t *testing.T) {
	for name, o := range map[string]NodeOptions{
		"plain":     {},
		"inspected": {Inspect: func(r *Reply) error { r.Extra = r.Completer; return nil }},
		"serial":    {Serial: true}, // while nobody waits
		"limited":   {MaxExtend: time.Minute},
	} {
		o.Name, o.Topic = "n", "n"
		t.Run(name, func(t *testing.T) { checkNoAllocation(t, o) })
	}
}

func checkNoAllocation(t *testing.T, options NodeOptions) {
	e, err := New(&discard{}, Options{Shards: 1})
	require.NoError(t, err)
	defer e.Close()
	node, err := e.AddNode(options)
	require.NoError(t, err)
	var waiters WaiterPool
	call := &Call{Node: node, Value: []byte(`{"order":4711}`), Timeout: DefaultTimeout + time.Second}
	payload := make([]byte, 0, 200)
	one := func() {
		w := waiters.Acquire()
		id := e.Begin(call, w)
		payload = append(payload[:0], `{"id":"`...)
		payload = append(id.Append(payload), `","value":{"ok":true}}`...)
		e.Resolve(Answer{Node: node, Payload: payload})
		<-w.Done()
		w.Release()
	}
	if raceEnabled { // it makes sync.Pool drop entries at random
		one()
		return
	}
	for range rememberEnds + 1000 { // the ring of ends grows to its size first
		one()
	}
	require.Zero(t, testing.AllocsPerRun(1000, one))
}

func TestMemoryOfHeld(t *testing.T) {
	e, err := New(&discard{}, Options{MaxInFlight: 200_000})
	require.NoError(t, err)
	defer e.Close()
	node, err := e.AddNode(NodeOptions{Name: "n", Topic: "n", Timeout: time.Hour})
	require.NoError(t, err)
	const n = 200_000
	before := heap()
	for range n {
		e.Begin(&Call{Node: node}, ignore{})
	}
	require.LessOrEqual(t, float64(heap()-before)/n, 80.0, "bytes for a held transaction")
	require.Greater(t, float64(heap()-before)/n, 60.0, "nobody else may free what is measured")
	require.Equal(t, n, e.Held())
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one has handed to finalizers and pools
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestImports: the core does no I/O and knows no transport.
func TestImports(t *testing.T) {
	p, err := build.ImportDir(".", 0)
	require.NoError(t, err)
	for _, path := range p.Imports {
		if strings.Contains(path, ".") {
			require.Equal(t, "github.com/puzpuzpuz/xsync/v3", path)
		}
		for _, io := range []string{"net", "os", "io", "log", "encoding/json"} {
			require.NotEqual(t, io, strings.SplitN(path, "/", 1)[0], "%s does I/O", path)
		}
	}
}

// eagerBus has an answer for a node as soon as it is subscribed, before AddNode has returned.
type eagerBus struct{ recordingBus }

func (b *eagerBus) Attach(n *Node) error {
	b.Resolve(Answer{Node: n, Payload: []byte("{}")})
	if n.Name() == "refused" {
		return errors.New("refused")
	}
	return nil
}

func TestAnswerWhileAttaching(t *testing.T) {
	e, err := New(&eagerBus{}, Options{})
	require.NoError(t, err)
	defer e.Close()
	_, err = e.AddNode(NodeOptions{Name: "refused", Topic: "refused"})
	require.Error(t, err)
	for _, name := range []string{"a", "b"} {
		node, err := e.AddNode(NodeOptions{Name: name, Topic: name})
		require.NoError(t, err)
		require.EqualValues(t, 1, e.Stats(node).Answers[Malformed])
	}
}
