package mem_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mem"
)

func newBus(t testing.TB, o mem.Options) *mem.Bus {
	t.Helper()
	bus, err := mem.New(o)
	require.NoError(t, err)
	return bus
}

// newEngine is an engine with one node on a bus. Both are closed at the end of the test.
func newEngine(t testing.TB, o mem.Options) (*mem.Bus, *core.Engine, *core.Node) {
	t.Helper()
	bus := newBus(t, o)
	engine, err := core.New(bus, core.Options{})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, engine.Close())
		require.NoError(t, bus.Close())
	})
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "line1/n", Timeout: time.Minute})
	require.NoError(t, err)
	return bus, engine, node
}

func respond(t testing.TB, bus *mem.Bus, node *core.Node, f func(*mem.Request)) (stop func()) {
	t.Helper()
	stop, err := bus.Respond(node.Topic(), f)
	require.NoError(t, err)
	return stop
}

func TestOptions(t *testing.T) {
	_, err := mem.New(mem.Options{
		Limit:    -1,
		Requests: mem.Faults{Drop: -0.1, Duplicate: 2, Reorder: 0.5},
		Answers:  mem.Faults{MinDelay: 2, MaxDelay: 1},
	})
	for _, want := range []string{"Requests.Drop is -0.1", "Requests.Duplicate is 2", "Requests.Reorder has no effect", "Answers are delayed by 2ns to 1ns", "Limit is -1"} {
		require.ErrorContains(t, err, want)
	}
}

func TestResponders(t *testing.T) {
	bus, engine, node := newEngine(t, mem.Options{})
	stop := respond(t, bus, node, func(r *mem.Request) {
		switch string(r.Value) {
		case `"fail"`:
			r.Fail(503, "no \"material\" <\xff>")
		default:
			r.Answer(r.Value)
		}
	})
	ask := func(value string) core.Result {
		return engine.Do(context.Background(), &core.Call{Node: node, Value: []byte(value), Timeout: 50 * time.Millisecond})
	}
	r := ask(`{"a":1.0}`)
	require.Equal(t, core.Answered, r.Outcome)
	require.Equal(t, `{"a":1.0}`, string(r.Value))
	r = ask(`"fail"`)
	require.Equal(t, core.ResponderError, r.Outcome)
	require.EqualValues(t, 503, r.Code)
	require.Equal(t, "no \"material\" <\ufffd>", r.Message)
	stop()
	stop()
	require.Equal(t, core.Timeout, ask(`1`).Outcome, "nobody is there any more")
}

// A responder need not know where its requests come from: without a Response Topic the answer
// goes to the node's tres. What is no request does not reach it.
func TestRespondToMessages(t *testing.T) {
	bus := newBus(t, mem.Options{})
	defer bus.Close()
	id, ok := core.ParseID([]byte("0a1b2c3d-1234-4abc-8def-0123456789ab"))
	require.True(t, ok)
	require.NoError(t, bus.Send(mem.Message{Topic: "a/treq", Payload: core.AppendRequest(nil, id, 1, []byte(`"retained"`)), Retain: true}))
	answers := make(chan string, 10)
	_, err := bus.Subscribe("a/tres", func(m *mem.Message) { answers <- string(m.Payload) })
	require.NoError(t, err)
	_, err = bus.Respond("a", func(r *mem.Request) { r.Send(append([]byte("got "), r.Value...)) })
	require.NoError(t, err)
	require.NoError(t, bus.Send(mem.Message{Topic: "a/treq", Payload: []byte("not a request")}))
	require.NoError(t, bus.Send(mem.Message{Topic: "a/treq", Payload: core.AppendRequest(nil, id, 1, []byte(`"live"`))}))
	first := <-answers
	if first == `got "retained"` { // it had not left when Respond subscribed, so it was live
		first = <-answers
	}
	require.Equal(t, `got "live"`, first)
}

// run sends n messages through a bus with faults, in invented time, and says what arrived when.
func run(t *testing.T, faults mem.Faults, seed uint64, n int) (arrived []string) {
	synctest.Test(t, func(t *testing.T) {
		bus := newBus(t, mem.Options{Seed: seed, Answers: faults})
		began := time.Now()
		_, err := bus.Subscribe("topic", func(m *mem.Message) {
			arrived = append(arrived, fmt.Sprintf("%s after %v", m.Payload, time.Since(began)))
		})
		require.NoError(t, err)
		for i := range n {
			require.NoError(t, bus.Send(mem.Message{Topic: "topic", Payload: fmt.Append(nil, i)}))
		}
		time.Sleep(time.Minute) // invented
		require.NoError(t, bus.Close())
	})
	return arrived
}

// numbers is what run sent, in the order of arrival.
func numbers(t *testing.T, arrived []string) []int {
	all := make([]int, len(arrived))
	for i, s := range arrived {
		_, err := fmt.Sscan(s, &all[i])
		require.NoError(t, err)
	}
	return all
}

func TestFaults(t *testing.T) {
	const n = 10_000
	about := func(t *testing.T, want float64, got int) {
		t.Helper()
		require.InDelta(t, want, float64(got)/n, 0.02)
	}
	t.Run("none", func(t *testing.T) {
		got := numbers(t, run(t, mem.Faults{}, 1, n))
		require.Len(t, got, n)
		require.IsIncreasing(t, got)
	})
	t.Run("drop", func(t *testing.T) {
		got := numbers(t, run(t, mem.Faults{Drop: 0.3}, 1, n))
		about(t, 0.7, len(got))
		require.IsIncreasing(t, got)
	})
	t.Run("drop all", func(t *testing.T) {
		require.Empty(t, run(t, mem.Faults{Drop: 1, Duplicate: 1}, 1, n))
	})
	t.Run("duplicate", func(t *testing.T) {
		got := numbers(t, run(t, mem.Faults{Duplicate: 0.1}, 1, n))
		about(t, 1.1, len(got))
		require.IsNonDecreasing(t, got)
		require.Len(t, slices.Compact(got), n)
	})
	t.Run("delay in order", func(t *testing.T) {
		arrived := run(t, mem.Faults{MinDelay: 5 * time.Millisecond, MaxDelay: 50 * time.Millisecond}, 1, n)
		require.IsIncreasing(t, numbers(t, arrived))
		require.True(t, strings.HasPrefix(arrived[n-1], fmt.Sprint(n-1, " after 49.")), arrived[n-1])
	})
	t.Run("delay all the same", func(t *testing.T) {
		arrived := run(t, mem.Faults{MinDelay: time.Second, MaxDelay: time.Second}, 1, 2)
		require.Equal(t, []string{"0 after 1s", "1 after 1s"}, arrived)
	})
	t.Run("reorder", func(t *testing.T) {
		got := numbers(t, run(t, mem.Faults{Reorder: 1, MaxDelay: time.Second}, 1, n))
		require.Len(t, got, n)
		descents := 0
		for i := 1; i < n; i++ {
			if got[i] < got[i-1] {
				descents++
			}
		}
		about(t, 0.5, descents)
		slices.Sort(got)
		require.IsIncreasing(t, got)
	})
}

func TestSameSeedSameFaults(t *testing.T) {
	faults := mem.Faults{Drop: 0.2, Duplicate: 0.2, Reorder: 0.2, MinDelay: time.Millisecond, MaxDelay: time.Second}
	first := run(t, faults, 7, 1000)
	require.Equal(t, first, run(t, faults, 7, 1000))
	require.NotEqual(t, first, run(t, faults, 8, 1000))
	// Another share of drops leaves the delays of what is left where they were.
	faults.Duplicate, faults.Reorder, faults.MaxDelay = 0, 1, time.Second
	all := run(t, mem.Faults{Reorder: 1, MinDelay: faults.MinDelay, MaxDelay: faults.MaxDelay}, 7, 1000)
	require.Subset(t, all, run(t, faults, 7, 1000))
}

// An engine on a bad network, in invented time: everything ends once, and truthfully.
func TestEngineOnBadNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 5000
		bad := mem.Faults{Drop: 0.05, Duplicate: 0.1, Reorder: 0.5, MaxDelay: 50 * time.Millisecond}
		bus := newBus(t, mem.Options{Seed: 42, Requests: bad, Answers: bad})
		engine, err := core.New(bus, core.Options{})
		require.NoError(t, err)
		node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "n", Timeout: time.Second})
		require.NoError(t, err)
		respond(t, bus, node, func(r *mem.Request) { r.Answer(r.Value) })
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				value := fmt.Sprint(i)
				r := engine.Do(context.Background(), &core.Call{Node: node, Value: []byte(value)})
				switch r.Outcome {
				case core.Answered:
					if string(r.Value) != value {
						t.Errorf("asked %s, answered %s", value, r.Value)
					}
				case core.Timeout:
					if r.Elapsed < time.Second {
						t.Errorf("timed out after %v", r.Elapsed)
					}
				default:
					t.Errorf("ended as %s: %s", r.Outcome, r.Message)
				}
			})
		}
		all.Wait()
		stats := engine.Stats(node)
		require.InDelta(t, 0.08, float64(stats.Ended[core.Timeout])/n, 0.02) // 5 % each way, less the duplicates
		require.NotZero(t, stats.Answers[core.Duplicate])
		require.EqualValues(t, n, stats.Begun)
		require.NoError(t, engine.Close())
		require.NoError(t, bus.Close())
	})
}

func TestLimit(t *testing.T) {
	bus, engine, node := newEngine(t, mem.Options{Limit: 3, Requests: mem.Faults{MinDelay: time.Hour, MaxDelay: time.Hour}})
	results := make(chan core.Result, 10)
	for range 3 {
		engine.Begin(&core.Call{Node: node}, completer(results))
	}
	engine.Begin(&core.Call{Node: node}, completer(results))
	require.Equal(t, core.Shed, (<-results).Outcome)
	require.ErrorIs(t, bus.Send(mem.Message{Topic: "x"}), core.ErrShed)
	require.Equal(t, 3, engine.Held())
}

type completer chan core.Result

func (c completer) Complete(r core.Result) { c <- r }

// Dropped messages make room for others.
func TestLimitIsOfWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := newBus(t, mem.Options{Limit: 1, Answers: mem.Faults{Drop: 0.5, Duplicate: 0.5}})
		arrived := 0
		_, err := bus.Subscribe("topic", func(*mem.Message) { arrived++ })
		require.NoError(t, err)
		for range 100 {
			require.NoError(t, bus.Send(mem.Message{Topic: "topic"}))
			synctest.Wait()
		}
		require.NotZero(t, arrived)
		require.NoError(t, bus.Close())
	})
}

func TestDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := newBus(t, mem.Options{Requests: mem.Faults{MinDelay: time.Second, MaxDelay: time.Second}})
		engine, err := core.New(bus, core.Options{})
		require.NoError(t, err)
		node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "n", Timeout: 10 * time.Second})
		require.NoError(t, err)
		respond(t, bus, node, func(r *mem.Request) { r.Answer(nil) })
		results := make(chan core.Result, 10)
		begin := func() core.Result {
			result := make(completer, 1)
			engine.Begin(&core.Call{Node: node}, result)
			return <-result
		}
		require.Equal(t, core.Answered, begin().Outcome)

		engine.Begin(&core.Call{Node: node}, completer(results))
		synctest.Wait() // it has left
		engine.Begin(&core.Call{Node: node}, completer(results))
		bus.Disconnect() // the second may have left or not
		synctest.Wait()
		require.Equal(t, core.NotPublished, begin().Outcome)
		require.NoError(t, bus.Send(mem.Message{Topic: node.AnswerTopic(), Payload: []byte("lost")}))
		bus.Connect()
		require.Equal(t, core.Answered, begin().Outcome)
		lost := 0
		for range 2 {
			if r := <-results; r.Outcome == core.Timeout {
				lost++
			} else {
				require.Equal(t, core.NotPublished, r.Outcome)
				require.False(t, r.Sent)
			}
		}
		require.NotZero(t, lost, "what had left when the broker went is lost")
		require.Zero(t, engine.Stats(node).Answers[core.Malformed])
		require.NoError(t, engine.Close())
		require.NoError(t, bus.Close())
	})
}

func TestRetained(t *testing.T) {
	bus := newBus(t, mem.Options{Limit: 2})
	defer bus.Close()
	arrived := make(chan *mem.Message, 10)
	subscribe := func(topic string) {
		_, err := bus.Subscribe(topic, func(m *mem.Message) { arrived <- m })
		require.NoError(t, err)
	}
	send := func(topic, payload string, retain bool) *mem.Message {
		require.NoError(t, bus.Send(mem.Message{Topic: topic, Payload: []byte(payload), Retain: retain}))
		return <-arrived
	}
	subscribe("a")
	require.False(t, send("a", "kept", true).Retain, "live messages are not marked")
	require.False(t, send("a", "not kept", false).Retain)
	subscribe("a")
	m := <-arrived
	require.True(t, m.Retain)
	require.Equal(t, "kept", string(m.Payload))

	subscribe("b")
	subscribe("c")
	send("b", "kept", true)
	send("c", "one too many", true)
	subscribe("c")
	require.False(t, send("b", "", true).Retain) // removes it
	send("c", "there is room now", true)
	<-arrived // the second subscriber of c
	subscribe("b")
	subscribe("c")
	m = <-arrived
	require.Equal(t, "c", m.Topic)
	require.True(t, m.Retain)
	require.Equal(t, "there is room now", string(m.Payload))
}

func TestClosed(t *testing.T) {
	bus := newBus(t, mem.Options{})
	engine, err := core.New(bus, core.Options{})
	require.NoError(t, err)
	defer engine.Close()
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "n"})
	require.NoError(t, err)
	require.NoError(t, bus.Close())
	require.NoError(t, bus.Close())
	r := engine.Do(context.Background(), &core.Call{Node: node})
	require.Equal(t, core.NotPublished, r.Outcome)
	require.Contains(t, r.Message, "the bus is closed")
	require.ErrorIs(t, bus.Send(mem.Message{Topic: "x"}), mem.ErrClosed)
	_, err = bus.Subscribe("x", func(*mem.Message) {})
	require.ErrorIs(t, err, mem.ErrClosed)
	_, err = engine.AddNode(core.NodeOptions{Name: "m", Topic: "m"})
	require.ErrorIs(t, err, mem.ErrClosed)
}

// What is in the outbox when the bus is closed has not left.
func TestClosedWithRequestsThatHaveNotLeft(t *testing.T) {
	bus, engine, node := newEngine(t, mem.Options{})
	entered, leave := make(chan struct{}), make(chan struct{})
	respond(t, bus, node, func(r *mem.Request) {
		close(entered)
		<-leave // against the rules, so that the rest stays in the outbox
	})
	results := make(chan core.Result, 10)
	engine.Begin(&core.Call{Node: node}, completer(results))
	<-entered
	engine.Begin(&core.Call{Node: node}, completer(results))
	closed := make(chan error, 1)
	go func() { closed <- bus.Close() }()
	require.Eventually(t, func() bool { return bus.Send(mem.Message{Topic: "x"}) != nil }, 10*time.Second, time.Millisecond)
	close(leave)
	require.NoError(t, <-closed)
	r := <-results
	require.Equal(t, core.NotPublished, r.Outcome)
	require.False(t, r.Sent)
	require.Equal(t, 1, engine.Held())
}

func BenchmarkRoundTrip(b *testing.B) {
	bus, engine, node := newEngine(b, mem.Options{})
	respond(b, bus, node, func(r *mem.Request) { r.Answer(r.Value) })
	value := []byte(`{"order":4711}`)
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r := engine.Do(context.Background(), &core.Call{Node: node, Value: value}); r.Outcome != core.Answered {
				b.Error(r.Outcome)
			}
		}
	})
}

// Requests of a node that waits leave in their order when the broker is back, say how much time is
// left then, and are forgotten when their deadline comes before.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := newBus(t, mem.Options{Limit: 100})
		engine, err := core.New(bus, core.Options{})
		require.NoError(t, err)
		node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "n", Wait: true, Timeout: 10 * time.Second})
		require.NoError(t, err)
		var seen []string
		respond(t, bus, node, func(r *mem.Request) {
			seen = append(seen, string(r.Value)+" "+r.Properties[0].Value+" "+r.Expiry.String())
			require.NoError(t, r.Answer(r.Value))
		})
		ask := func(value string, timeout time.Duration) *core.Waiter {
			w := new(core.WaiterPool).Acquire()
			engine.Begin(&core.Call{Node: node, Value: []byte(value), Timeout: timeout}, w)
			return w
		}
		for range 3 {
			bus.Disconnect()
			first, expires, second := ask(`1`, 0), ask(`2`, time.Second), ask(`3`, 0)
			synctest.Wait()
			time.Sleep(1500 * time.Millisecond)
			<-expires.Done()
			require.Equal(t, core.NotPublished, expires.Result().Outcome)
			require.Empty(t, seen)
			bus.Connect()
			<-first.Done()
			<-second.Done()
			require.Equal(t, []string{"1 8500 9s", "3 8500 9s"}, seen)
			seen = nil
		}
		bus.Disconnect()
		for range 4 { // what has expired makes room
			for range 100 {
				ask(`4`, time.Second)
			}
			shed := ask(`5`, time.Second)
			<-shed.Done()
			require.Equal(t, core.Shed, shed.Result().Outcome)
			time.Sleep(1100 * time.Millisecond)
			synctest.Wait()
		}
		left := ask(`6`, 0)
		require.NoError(t, bus.Close())
		<-left.Done()
		require.Equal(t, core.NotPublished, left.Result().Outcome)
		require.NoError(t, engine.Close())
	})
}

// Whatever the broker does, requests of a node that waits arrive in their order and all of them.
func TestWaitInOrder(t *testing.T) {
	bus := newBus(t, mem.Options{})
	engine, err := core.New(bus, core.Options{})
	require.NoError(t, err)
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "n", Wait: true, Timeout: time.Minute})
	require.NoError(t, err)
	const requests = 20_000
	last := make(chan struct{})
	before := -1
	respond(t, bus, node, func(r *mem.Request) {
		var n int
		_, err := fmt.Sscan(string(r.Value), &n)
		if err != nil || n <= before {
			t.Errorf("%s after %d: %v", r.Value, before, err)
		}
		if before = n; n == requests-1 {
			close(last)
		}
	})
	for i := range requests {
		engine.Begin(&core.Call{Node: node, Value: fmt.Append(nil, i)}, new(core.WaiterPool).Acquire())
		switch i % 100 {
		case 30:
			bus.Disconnect()
		case 60:
			bus.Connect()
		}
	}
	<-last
	require.NoError(t, engine.Close())
	require.NoError(t, bus.Close())
}

func TestFailFast(t *testing.T) {
	bus := newBus(t, mem.Options{})
	engine, err := core.New(bus, core.Options{})
	require.NoError(t, err)
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "n", QoS: 1, FailFast: true})
	require.NoError(t, err)
	for range 2 {
		r := engine.Do(t.Context(), &core.Call{Node: node})
		require.Equal(t, core.NoSubscriber, r.Outcome)
		require.Equal(t, "no responder is subscribed to n/treq", r.Message)
		require.False(t, r.Sent)
		stop := respond(t, bus, node, func(r *mem.Request) { require.NoError(t, r.Answer(nil)) })
		require.Equal(t, core.Answered, engine.Do(t.Context(), &core.Call{Node: node}).Outcome)
		stop()
	}
	require.NoError(t, engine.Close())
	require.NoError(t, bus.Close())
}
