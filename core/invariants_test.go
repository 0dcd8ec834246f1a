package core

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestExactlyOnce: answer, failure, cancel, deadline and close race for the same transactions;
// each ends once, and who was told that he ended it agrees with what the counters say.
func TestExactlyOnce(t *testing.T) {
	const n = 5000
	e, node, _ := newTestEngine(t, Options{})
	all := make([]completions, n)
	ids := make([]ID, n)
	for i := range ids {
		ids[i] = e.Begin(&Call{Node: node, Timeout: time.Duration(1+i%40) * time.Millisecond}, &all[i])
	}
	var won [4]atomic.Int64
	enders := []func(ID) bool{
		func(id ID) bool { return e.Resolve(Answer{Node: node, Payload: answerTo(id, `"value":1`)}) },
		func(id ID) bool { return e.Resolve(Answer{Node: node, Payload: answerTo(id, `"error":{"code":500}`)}) },
		func(id ID) bool { return e.Fail(id, ErrRefused) },
		e.Cancel,
	}
	var wg sync.WaitGroup
	for k, end := range enders {
		wg.Go(func() {
			order := rand.Perm(n)
			for _, i := range order[:n*4/5] { // some are left to the deadline and to Close
				if end(ids[i]) {
					won[k].Add(1)
				}
			}
		})
	}
	wg.Go(func() {
		runtime.Gosched()
		e.Close()
	})
	wg.Wait()
	refused := 0 // on a busy machine deadlines end some as not_published, too
	for i := range all {
		require.EqualValues(t, 1, all[i].n.Load(), "transaction %d", i)
		if all[i].last.Load().Message == ErrRefused.Error() {
			refused++
		}
	}
	s := e.Stats(node)
	require.EqualValues(t, won[0].Load(), s.Ended[Answered])
	require.EqualValues(t, won[1].Load(), s.Ended[ResponderError])
	require.EqualValues(t, won[2].Load(), refused)
	require.EqualValues(t, won[3].Load(), s.Ended[Cancelled])
	require.EqualValues(t, n, s.Begun)
	require.Zero(t, s.Held)
	requireAddsUp(t, e)
}

// TestFoundBeforeAnswered: an answer that comes before Publish has returned finds its
// transaction, and a failed Publish leaves nothing behind.
func TestFoundBeforeAnswered(t *testing.T) {
	e, node, bus := newTestEngine(t, Options{})
	bus.publish = func(r *Request) error {
		require.True(t, e.Resolve(Answer{Node: node, Payload: answerTo(r.ID, `"value":1`)}))
		return fmt.Errorf("%w: and then it broke", ErrNotSent)
	}
	require.Equal(t, Answered, e.Do(context.Background(), &Call{Node: node}).Outcome)
	bus.publish = func(*Request) error { return ErrNotSent }
	require.Equal(t, NotPublished, e.Do(context.Background(), &Call{Node: node}).Outcome)
	require.Zero(t, e.Held())
}

// expiries notes when transactions end.
type expiries struct {
	deadline time.Time
	late     *[]time.Duration
}

func (x expiries) Complete(Result) { *x.late = append(*x.late, time.Since(x.deadline)) }

// TestNeverEarly: on invented time, deadlines of all sizes fire at their time or up to one
// tick after it, in whatever order they were armed and however long the driver had slept.
func TestNeverEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := New(&discard{}, Options{})
		require.NoError(t, err)
		node, err := e.AddNode(NodeOptions{Name: "n", Topic: "n", Timeout: MaxTimeout})
		require.NoError(t, err)
		random := rand.New(rand.NewPCG(1, 2))
		var late []time.Duration
		const n = 5000
		for range n {
			timeout := MinTimeout + time.Duration(random.Int64N(int64(time.Millisecond)<<random.IntN(22)))
			timeout = min(timeout, MaxTimeout)
			e.Begin(&Call{Node: node, Timeout: timeout}, expiries{time.Now().Add(timeout), &late})
			if random.IntN(10) == 0 {
				time.Sleep(time.Duration(random.Int64N(int64(20 * time.Millisecond))))
			}
		}
		time.Sleep(MaxTimeout + time.Millisecond)
		synctest.Wait()
		require.Len(t, late, n)
		require.GreaterOrEqual(t, slices.Min(late), time.Duration(0), "early")
		require.LessOrEqual(t, slices.Max(late), time.Millisecond, "more than one tick late")
		require.NoError(t, e.Close())
	})
}

// TestLateness: on real time, with the machine as it is, nothing is early.
func TestLateness(t *testing.T) {
	e, node, _ := newTestEngine(t, Options{})
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			timeout := time.Duration(1+i%50) * time.Millisecond
			start := time.Now()
			r := e.Do(context.Background(), &Call{Node: node, Timeout: timeout})
			require.GreaterOrEqual(t, time.Since(start), timeout)
			require.GreaterOrEqual(t, r.Elapsed, timeout)
			// On a busy machine the shortest are over before the bus gets to hand them over.
			require.Contains(t, []Outcome{Timeout, NotPublished}, r.Outcome)
		})
	}
	wg.Wait()
}

// TestLeafLock: while a completer, an observer or a bus runs, no shard is locked.
func TestLeafLock(t *testing.T) {
	check := &lockChecker{t: t}
	e, err := New(check, Options{Observer: check, Shards: 2})
	require.NoError(t, err)
	check.engine = e
	node, err := e.AddNode(NodeOptions{Name: "n", Topic: "n", Inspect: func(*Reply) error { check.allFree(); return nil }})
	require.NoError(t, err)
	id := e.Begin(&Call{Node: node}, check)
	e.Resolve(Answer{Node: node, Payload: answerTo(id, `"value":1`)})
	e.Resolve(Answer{Node: node, Payload: answerTo(id, `"value":1`)})
	e.Cancel(e.Begin(&Call{Node: node}, check))
	done := &completions{}
	e.Begin(&Call{Node: node, Timeout: MinTimeout}, done)
	require.Eventually(t, func() bool { return done.n.Load() == 1 }, 5*time.Second, time.Millisecond)
	e.Begin(&Call{Node: node}, check)
	serial, err := e.AddNode(NodeOptions{Name: "s", Topic: "s", Serial: true})
	require.NoError(t, err)
	check.gate.Store(serial.gate)
	id = e.Begin(&Call{Node: serial}, check)
	e.Begin(&Call{Node: serial}, check)
	e.Resolve(Answer{Node: serial, Payload: answerTo(id, `"value":1`)})
	require.NoError(t, e.Close())
	require.Positive(t, check.calls.Load())
}

type lockChecker struct {
	t      *testing.T
	engine *Engine
	gate   atomic.Pointer[gate]
	calls  atomic.Int64
}

// allFree checks that this goroutine has none of the locks: others have them for moments only.
func (c *lockChecker) allFree() {
	c.calls.Add(1)
	locks := []*sync.Mutex{&c.engine.mu}
	for i := range c.engine.shards {
		locks = append(locks, &c.engine.shards[i].mu)
	}
	if g := c.gate.Load(); g != nil {
		locks = append(locks, &g.mu)
	}
	for _, mu := range locks {
		for since := time.Now(); !mu.TryLock(); runtime.Gosched() {
			if time.Since(since) > 5*time.Second {
				c.t.Error("called under a lock")
				return
			}
		}
		mu.Unlock()
	}
}
func (c *lockChecker) Publish(*Request) error { c.allFree(); return nil }
func (c *lockChecker) Complete(Result)        { c.allFree() }
func (c *lockChecker) Ended(*Node, Result)    { c.allFree() }
func (c *lockChecker) Stray(*Node, *Stray)    { c.allFree() }

// TestTableAndWheelAgree: after any sequence of operations a slot is held if and only if the
// wheel has it, once.
func TestTableAndWheelAgree(t *testing.T) {
	sh, node := newTestShard()
	random := rand.New(rand.NewPCG(3, 4))
	var ids []key
	now := int64(0)
	for range 20_000 {
		switch random.IntN(3) {
		case 0:
			id, _ := sh.begin(node, ignore{}, 0, now, now+random.Int64N(1<<33), 0)
			ids = append(ids, id)
		case 1:
			if len(ids) > 0 {
				sh.end(ids[random.IntN(len(ids))], Cancelled, now, false, &held{})
			}
		case 2:
			now += random.Int64N(1 << 27)
			sh.advance(now, nil)
		}
	}
	requireAgree(t, sh)
}

func requireAgree(t *testing.T, sh *shard) {
	t.Helper()
	inWheel := map[uint32]bool{}
	lists := append(slices.Clone(sh.wheel.heads[:]), sh.wheel.cascading)
	for _, head := range lists {
		for i := head; i != 0; i = sh.table.at(i).next {
			require.False(t, inWheel[i], "slot %d is linked twice", i)
			inWheel[i] = true
		}
	}
	for i := uint32(1); i <= sh.table.used; i++ {
		require.Equal(t, sh.table.at(i).done != nil, inWheel[i], "slot %d", i)
	}
}

// TestNeverAnothersAnswer: many concurrent transactions, each answered with its own value by
// answers that come in another order, twice, or after the slot was given to somebody else.
func TestNeverAnothersAnswer(t *testing.T) {
	e, node, bus := newTestEngine(t, Options{})
	queue := make(chan []byte, 4096)
	bus.publish = func(r *Request) error {
		e.Sent(r.ID)
		answer := answerTo(r.ID, `"value":`+string(r.Value))
		queue <- answer
		return nil
	}
	var responders, requesters sync.WaitGroup
	var past [][]byte
	responders.Go(func() {
		for answer := range queue {
			past = append(past, answer)
			e.Resolve(Answer{Node: node, Payload: past[rand.IntN(len(past))]}) // an old one, or this one early
			e.Resolve(Answer{Node: node, Payload: answer})
		}
	})
	for g := range 32 {
		requesters.Go(func() {
			for i := range 100 {
				value := fmt.Sprintf(`"%d/%d"`, g, i)
				r := e.Do(context.Background(), &Call{Node: node, Value: []byte(value)})
				if r.Outcome != Answered || string(r.Value) != value {
					t.Errorf("asked %s, got %v %s", value, r.Outcome, r.Value)
				}
			}
		})
	}
	requesters.Wait()
	close(queue)
	responders.Wait()
	requireAddsUp(t, e)
}

// TestIDsAreNotReused: the same slot gets a new id each time, and each is a version 4 UUID.
func TestIDsAreNotReused(t *testing.T) {
	sh, node := newTestShard()
	seen := map[ID]bool{}
	for range 10_000 {
		k, _ := sh.begin(node, ignore{}, 0, 0, tick, 0)
		id := k.id()
		require.False(t, seen[id])
		seen[id] = true
		require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, id.String())
		back, ok := ParseID([]byte(id.String()))
		require.True(t, ok)
		require.Equal(t, id, back)
		for bit := range 128 { // an id that differs in any one bit finds nothing
			wrong := id
			wrong[bit/8] ^= 1 << (bit % 8)
			if bit/8 == 4 || bit/8 == 5 {
				continue // the instance tag, which the engine checks
			}
			require.False(t, sh.end(wrong.key(), Cancelled, 0, false, &held{}), "bit %d", bit)
		}
		require.True(t, sh.end(k, Cancelled, 0, false, &held{}))
	}
}

// TestNothingOutlivesClose: Close ends what is held, and whatever begins while it runs.
func TestNothingOutlivesClose(t *testing.T) {
	e, node, _ := newTestEngine(t, Options{Shards: 4})
	var begun, told atomic.Int64
	counter := counterFunc(func(Result) { told.Add(1) })
	var wg sync.WaitGroup
	started := make(chan struct{}, 4)
	for range 4 {
		wg.Go(func() {
			for i := range 20_000 {
				e.Begin(&Call{Node: node}, counter)
				begun.Add(1)
				if i == 100 {
					started <- struct{}{}
				}
			}
		})
	}
	for range 4 {
		<-started
	}
	require.NoError(t, e.Close())
	require.NoError(t, e.Close())
	wg.Wait()
	require.Equal(t, begun.Load(), told.Load())
	require.Zero(t, e.Held())
	require.Equal(t, Shutdown, e.Do(context.Background(), &Call{Node: node}).Outcome)
	requireAddsUp(t, e)
}

type counterFunc func(Result)

func (f counterFunc) Complete(r Result) { f(r) }

// TestSentAtMostOnce: of many that ask to hand over the same request one may.
func TestSentAtMostOnce(t *testing.T) {
	e, node, bus := newTestEngine(t, Options{})
	bus.publish = func(*Request) error { return nil }
	for range 100 {
		id := e.Begin(&Call{Node: node}, ignore{})
		var may atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if e.Sent(id) {
					may.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, may.Load())
		require.False(t, e.Fail(id, ErrNotSent), "it left, so nobody may say that it did not")
		require.False(t, e.Fail(id, ErrShed))
		require.True(t, e.Fail(id, ErrRefused))
	}
}

// TestEndsAreBounded: however many transactions end, a bounded number is remembered, the
// newest ones.
func TestEndsAreBounded(t *testing.T) {
	sh, node := newTestShard()
	sh.ends.init(64)
	var ids []key
	for range 1000 {
		id, _ := sh.begin(node, ignore{}, 0, 0, tick, 0)
		ids = append(ids, id)
		sh.answer(id, node, Answered, 0, &held{})
	}
	require.Len(t, sh.ends.ring, 64)
	for i, id := range ids {
		kind, _ := sh.answer(id, node, Answered, 1, &held{})
		want := Duplicate
		if i < 1000-64 {
			want = Unknown
		}
		require.Equal(t, want, kind, "transaction %d", i)
	}
}

func TestShardIsFull(t *testing.T) {
	sh, node := newTestShard()
	sh.maxSlots = 2
	for _, want := range []Outcome{0, 0, Shed} {
		_, outcome := sh.begin(node, ignore{}, 0, 0, tick, 0)
		require.Equal(t, want, outcome)
	}
}

func TestParseID(t *testing.T) {
	want := ID{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0x4d, 0xef, 0x81, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}
	for _, text := range []string{"12345678-9abc-4def-8123-456789abcdef", "12345678-9ABC-4DEF-8123-456789ABCDEF"} {
		id, ok := ParseID([]byte(text))
		require.True(t, ok)
		require.Equal(t, want, id)
	}
	for _, text := range []string{"", "x", "12345678-9abc-4def-8123-456789abcde", "12345678-9abc-4def-8123-456789abcdeg",
		"123456789abc-4def-8123-456789abcdef-", "{2345678-9abc-4def-8123-456789abcdef", "12345678+9abc-4def-8123-456789abcdef"} {
		_, ok := ParseID([]byte(text))
		require.False(t, ok, text)
	}
	text, err := want.MarshalText()
	require.NoError(t, err)
	require.Equal(t, want.String(), string(text))
	require.True(t, ID{}.IsZero())
}

func TestLargeAnswersAreNotPooled(t *testing.T) {
	var pool WaiterPool
	w := pool.Acquire()
	w.Complete(Result{Value: make([]byte, maxPooledValue+1)})
	<-w.Done()
	require.Len(t, w.Result().Value, maxPooledValue+1)
	w.Release()
	require.Nil(t, w.buf)
}

// TestEndsOfOneProcessor: whoever begins, the ends of all shards are used, so that what a late
// answer is called does not depend on it.
func TestEndsOfOneProcessor(t *testing.T) {
	e, node, _ := newTestEngine(t, Options{Shards: 8})
	ids := make([]ID, 60_000)
	for i := range ids {
		ids[i] = e.Begin(&Call{Node: node}, ignore{})
		e.Cancel(ids[i])
	}
	for _, id := range ids {
		e.Resolve(Answer{Node: node, Payload: answerTo(id, `"value":1`)})
	}
	if !raceEnabled { // it makes sync.Pool drop entries at random
		require.EqualValues(t, len(ids), e.Stats(node).Answers[Late])
	}
}

// TestInspectSeesLiveAnswersOnly: a duplicate must not change what rules remember.
func TestInspectSeesLiveAnswersOnly(t *testing.T) {
	e, _, _ := newTestEngine(t, Options{})
	seen := 0
	node, err := e.AddNode(NodeOptions{Name: "i", Topic: "i", Inspect: func(r *Reply) error {
		seen++
		require.Equal(t, ignore{}, r.Completer)
		return nil
	}})
	require.NoError(t, err)
	id := e.Begin(&Call{Node: node}, ignore{})
	for range 3 {
		e.Resolve(Answer{Node: node, Payload: answerTo(id, `"value":1`)})
	}
	e.Resolve(Answer{Node: node, Payload: answerTo(ID{4: id[4], 5: id[5], 6: 0x40}, `"value":1`)})
	require.Equal(t, 1, seen)
	s := e.Stats(node)
	require.EqualValues(t, 2, s.Answers[Duplicate])
	require.EqualValues(t, 1, s.Answers[Unknown])
}

// TestEmptyCorrelationData: the property may be sent with nothing in it.
func TestEmptyCorrelationData(t *testing.T) {
	e, node, _ := newTestEngine(t, Options{})
	id := e.Begin(&Call{Node: node}, ignore{})
	require.False(t, e.Resolve(Answer{Node: node, Payload: []byte(`{"value":1}`), CorrelationData: []byte{}}))
	require.True(t, e.Resolve(Answer{Node: node, Payload: answerTo(id, `"value":1`), CorrelationData: []byte{}}))
}
