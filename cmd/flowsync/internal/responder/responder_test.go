package responder

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
	"github.com/flowsync-go/flowsync/transport/mqtt/embedded"
)

const patience = 20 * time.Second

// rig is an engine on a broker of its own, for a responder to answer.
type rig struct {
	t      testing.TB
	broker *embedded.Broker
	engine *core.Engine
	node   *core.Node
	ctx    context.Context
}

func newRig(t testing.TB, timeout time.Duration) *rig {
	t.Helper()
	r := &rig{t: t, broker: startBroker(t, "127.0.0.1:0")}
	var err error
	r.engine, err = core.New(r.broker, core.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { r.engine.Close() })
	r.node, err = r.engine.AddNode(core.NodeOptions{Name: "n", Topic: "services/a/n", Timeout: timeout})
	require.NoError(t, err)
	var cancel context.CancelFunc
	r.ctx, cancel = context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return r
}

func startBroker(t testing.TB, address string) *embedded.Broker {
	t.Helper()
	broker, err := embedded.Start(embedded.Options{Addr: address})
	require.NoError(t, err)
	t.Cleanup(func() { broker.Close(context.Background()) })
	return broker
}

// respond starts a responder and waits until it is subscribed.
func (r *rig) respond(o Options) *Responder {
	r.t.Helper()
	o.Address, o.Logger = r.broker.Addr(), slog.New(slog.DiscardHandler)
	if o.Topics == nil {
		o.Topics = []string{r.node.Topic()}
	}
	responder, err := Start(o)
	require.NoError(r.t, err)
	r.t.Cleanup(responder.Close)
	require.NoError(r.t, responder.Ready(r.ctx))
	return responder
}

// ask asks n times, a few at a time, and counts the outcomes.
func (r *rig) ask(n int) map[core.Outcome]int {
	const together = 32
	outcomes := map[core.Outcome]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for worker := range together {
		all.Go(func() {
			for i := worker; i < n; i += together {
				value := fmt.Appendf(nil, `{"n": %d}`, i)
				result := r.engine.Do(r.ctx, &core.Call{Node: r.node, Value: value})
				mu.Lock()
				outcomes[result.Outcome]++
				if result.Outcome == core.Answered {
					assert.Equal(r.t, string(value), string(result.Value))
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return outcomes
}

func TestEcho(t *testing.T) {
	for qos := range byte(3) {
		r := newRig(t, 10*time.Second)
		responder := r.respond(Options{QoS: qos, Shuffle: true, DelayMax: 5 * time.Millisecond})
		assert.Equal(t, map[core.Outcome]int{core.Answered: 500}, r.ask(500))
		assert.Eventually(t, func() bool { return responder.Report().Sent["answer"] == 500 }, 10*time.Second, time.Millisecond,
			"an answer is counted after it was sent")
		report := responder.Report()
		assert.Equal(t, uint64(500), report.Received)
		assert.Equal(t, map[string]uint64{"answer": 500}, report.Sent)
		assert.Zero(t, report.SeenTwice+report.Malformed+report.Overflow+report.Unsent)
	}
}

// What the gateway says happened is what the responder says it did.
func TestScriptedActs(t *testing.T) {
	r := newRig(t, time.Second)
	o := Options{Seed: 3, LateBy: 500 * time.Millisecond, ErrorCode: 418}
	o.Shares = Shares{Error: 10, Duplicate: 10, Late: 10, WrongID: 5, Garbage: 5, IDOnly: 10, Silence: 10, Retained: 10}
	responder := r.respond(o)
	outcomes := r.ask(400)
	require.Eventually(t, func() bool { return responder.Report().Waiting == 0 }, patience, time.Millisecond)
	report := responder.Report()
	sent := func(acts ...Act) (sum int) {
		for _, a := range acts {
			require.Positive(t, report.Sent[a.String()], "%v was never drawn", a)
			sum += int(report.Sent[a.String()])
		}
		return sum
	}
	assert.Equal(t, sent(Answer, Retained)+sent(Duplicate)/2, outcomes[core.Answered])
	assert.Equal(t, sent(Error), outcomes[core.ResponderError])
	assert.Equal(t, sent(IDOnly), outcomes[core.BadResponse])
	assert.Equal(t, sent(Late, WrongID, Garbage)+int(report.Silent), outcomes[core.Timeout])
	require.Eventually(t, func() bool {
		answers := r.engine.Stats(r.node).Answers
		return int(answers[core.Duplicate]) == sent(Duplicate)/2 && int(answers[core.Late]) == sent(Late) &&
			int(answers[core.Malformed]) == sent(Garbage) && int(answers[core.Unknown]) == sent(WrongID)
	}, patience, time.Millisecond, "%+v", r.engine.Stats(r.node))
}

func TestSilenceAndFixedValue(t *testing.T) {
	r := newRig(t, 10*time.Second)
	r.respond(Options{Value: []byte(`{"ok":true}`), Topics: []string{"services/#"}})
	result := r.engine.Do(r.ctx, &core.Call{Node: r.node, Value: []byte("1")})
	assert.Equal(t, `{"ok":true}`, string(result.Value))
}

// A filter may match more than requests, and what looks like one need not be one.
func TestWhatIsNoRequest(t *testing.T) {
	r := newRig(t, 10*time.Second)
	responder := r.respond(Options{Topics: []string{"#"}})
	for _, m := range []mqtt.Message{
		{Topic: "services/a/n", Payload: []byte("1")},
		{Topic: "services/a/n/treq", Payload: []byte("nothing")},
		{Topic: "services/a/n/treq", Payload: []byte(`{"id":7}`)},
	} {
		require.NoError(t, r.broker.PublishMessage(m))
	}
	require.Eventually(t, func() bool { return responder.Report().Malformed == 2 }, patience, time.Millisecond)
	again := mqtt.Message{Topic: "services/a/other/treq", Payload: []byte(`{"id":"x","value":1}`)}
	require.NoError(t, r.broker.PublishMessage(again))
	require.NoError(t, r.broker.PublishMessage(again))
	require.Eventually(t, func() bool { return responder.Report().Sent["answer"] == 2 }, patience, time.Millisecond)
	assert.Equal(t, uint64(1), responder.Report().SeenTwice)
	assert.Equal(t, uint64(2), responder.Report().Received)
}

func TestOverflowIsCounted(t *testing.T) {
	r := newRig(t, 10*time.Second)
	responder := r.respond(Options{DelayMin: time.Hour, DelayMax: time.Hour, MaxWaiting: 1})
	for range 3 {
		r.engine.Begin(&core.Call{Node: r.node}, ignore{})
	}
	require.Eventually(t, func() bool { return responder.Report().Overflow == 2 }, patience, time.Millisecond)
	assert.Equal(t, 1, responder.Report().Waiting)
}

type ignore struct{}

func (ignore) Complete(core.Result) {}

func TestReconnects(t *testing.T) {
	first := startBroker(t, "127.0.0.1:0")
	responder, err := Start(Options{Address: first.Addr(), Topics: []string{"n"}, Logger: slog.New(slog.DiscardHandler), DelayMin: 50 * time.Millisecond, DelayMax: 50 * time.Millisecond})
	require.NoError(t, err)
	defer responder.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, responder.Ready(ctx))
	require.NoError(t, first.PublishMessage(mqtt.Message{Topic: "n/treq", Payload: []byte(`{"id":"a"}`)}))
	require.Eventually(t, func() bool { return responder.Report().Received == 1 }, patience, time.Millisecond)
	require.NoError(t, first.Close(ctx))
	require.Eventually(t, func() bool { return responder.Report().Unsent == 1 }, patience, time.Millisecond, "what was due meanwhile is counted")
	second := startBroker(t, first.Addr())
	require.Eventually(t, func() bool { return responder.Report().Connects == 2 }, patience, time.Millisecond)
	require.NoError(t, second.PublishMessage(mqtt.Message{Topic: "n/treq", Payload: []byte(`{"id":"b"}`)}))
	require.Eventually(t, func() bool { return responder.Report().Sent["answer"] == 1 }, patience, time.Millisecond)
}

func TestReadySaysWhatIsMissing(t *testing.T) {
	responder, err := Start(Options{Address: "127.0.0.1:1", Topics: []string{"n"}, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer responder.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorContains(t, responder.Ready(ctx), "not yet connected to 127.0.0.1:1")
}

// A broker that accepts the connection and then says nothing does not keep Close waiting.
func TestCloseWhileConnecting(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	responder, err := Start(Options{Address: l.Addr().String(), Topics: []string{"n"}, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	silent, err := l.Accept()
	require.NoError(t, err)
	defer silent.Close()
	closed := make(chan struct{})
	go func() {
		responder.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Fatal("Close waits for a broker that says nothing")
	}
}

// BenchmarkEcho is a request, through a broker in this process, and its answer; 64 in flight.
func BenchmarkEcho(b *testing.B) {
	r := newRig(b, 10*time.Second)
	r.respond(Options{})
	var all sync.WaitGroup
	next := make(chan struct{}, b.N)
	for range b.N {
		next <- struct{}{}
	}
	close(next)
	b.ResetTimer()
	for range 64 {
		all.Go(func() {
			for range next {
				r.engine.Do(r.ctx, &core.Call{Node: r.node, Value: []byte("42")})
			}
		})
	}
	all.Wait()
}
