package idempotency

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

func TestReplay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		first := r.ask("k")
		require.True(t, r.answer(0, `{"order": 7.0}`))
		id := first.is(core.Answered, 0, `{"order": 7.0}`).ID
		wait(time.Second)
		again := r.ask("k").is(core.Answered, core.Replayed, `{"order": 7.0}`)
		require.Equal(t, id, again.ID)
		require.Zero(t, again.Elapsed)
		r.published(1)
		require.False(t, r.Cancel(first.id))
		require.Equal(t, NodeStats{Begun: 1, Replayed: 1, Keys: 1}, r.Stats(r.a))

		wait(DefaultWindow)
		require.Zero(t, r.Stats(r.a).Keys)
		second := r.ask("k")
		r.answer(1, `2`)
		require.NotEqual(t, id, second.is(core.Answered, 0, `2`).ID)
	})
}

func TestReplayOfError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		first := r.ask("k")
		r.answer(0, `1`, `"error":{"code":409,"message":"no \"\u0001"}`)
		want := first.is(core.ResponderError, 0, "")
		got := r.ask("k").is(core.ResponderError, core.Replayed, "")
		require.Equal(t, want.Message, got.Message)
		require.EqualValues(t, 409, got.Code)
		second := r.ask("l")
		r.answer(1, `1`, `"error":{"code":"BadTimeout"}`)
		second.is(core.ResponderError, 0, "")
		require.Equal(t, "BadTimeout", r.ask("l").result().CodeName)
	})
}

func TestJoin(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		first := r.ask("k")
		wait(time.Second)
		second, third := r.ask("k"), r.ask("k")
		require.NotEqual(t, second.id, third.id)
		second.held()
		require.Equal(t, 2, r.Stats(r.a).Waiting)
		r.answer(0, `5`)
		id := first.is(core.Answered, 0, `5`).ID
		joined := second.is(core.Answered, core.Joined, `5`)
		require.Equal(t, id, joined.ID)
		require.Zero(t, joined.Elapsed, "since it began")
		third.is(core.Answered, core.Joined, `5`)
		r.published(1)
		require.Equal(t, NodeStats{Begun: 2, Joined: 2, Keys: 1}, r.Stats(r.a))
	})
}

func TestConflict(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		for name, change := range map[string]func(*core.Call){
			"value":      func(c *core.Call) { c.Value = []byte("2") },
			"parameters": func(c *core.Call) { c.Key.Parameters = "x" },
			"no value":   func(c *core.Call) { c.Value = nil },
		} {
			r.ask(name)
			again := r.ask(name, change).is(0, core.Conflict, "")
			require.Contains(t, again.Message, "use a new key", name)
			require.Zero(t, again.ID)
		}
		r.published(3)
		require.EqualValues(t, 3, r.Stats(r.a).Conflicts)

		null := func(c *core.Call) { c.Value = []byte("null") }
		none := func(c *core.Call) { c.Value = nil }
		r.ask("null", null)
		r.ask("null", none).held()
		r.ask("shifted", func(c *core.Call) { c.Value, c.Key.Parameters = []byte("1"), "2" })
		r.ask("shifted", func(c *core.Call) { c.Value, c.Key.Parameters = []byte("12"), "" }).is(0, core.Conflict, "")
	})
}

func TestScope(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		r.ask("k")
		r.ask("k", func(c *core.Call) { c.Node = r.b })
		r.ask("k", func(c *core.Call) { c.Key.User = "v" })
		r.published(3)
		r.ask("k", func(c *core.Call) { c.Node = r.plain }) // a key on a node that heeds none
		r.ask("")
		r.ask("", func(c *core.Call) { c.Node = r.plain })
		r.published(6)
		require.Zero(t, r.Stats(r.plain))
		require.Equal(t, 2, r.Stats(r.a).Keys)
	})
}

func TestLateAnswerIsReplayed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		first := r.ask("k")
		wait(core.DefaultTimeout)
		require.Equal(t, core.Timeout, first.result().Outcome)
		require.Equal(t, 1, r.Stats(r.a).Doubtful)
		second := r.ask("k", limit(500*time.Millisecond))
		third := r.ask("k")
		wait(500 * time.Millisecond)
		doubt := second.is(core.Timeout, core.InDoubt, "")
		require.True(t, doubt.Sent)
		require.False(t, doubt.RetrySafe())
		require.Equal(t, r.wire.requests()[0].ID, doubt.ID)
		require.Equal(t, 500*time.Millisecond, doubt.Elapsed)
		third.held()
		require.False(t, r.answer(0, `9`))
		late := third.is(core.Answered, core.Replayed, `9`)
		require.Equal(t, doubt.ID, late.ID)
		r.ask("k").is(core.Answered, core.Replayed, `9`)
		r.answer(0, `10`) // the first one counts
		r.ask("k").is(core.Answered, core.Replayed, `9`)
		r.published(1)
		require.Equal(t, NodeStats{Begun: 4, Replayed: 3, InDoubt: 1, Late: 1, Keys: 1}, r.Stats(r.a))
	})
}

func TestLateErrorAndUnusableOnes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{rules: func(reply *core.Reply) error {
			if string(reply.Value) == `"drop"` {
				return core.ErrRuleFailed
			}
			return nil
		}})
		first := r.ask("k")
		wait(core.DefaultTimeout)
		first.is(core.Timeout, 0, "")
		waiting := r.ask("k")
		id := r.wire.requests()[0].ID
		for _, bad := range []string{
			`{"id":"` + id.String() + `"}`,
			`{"id":"` + id.String() + `","extend":500}`,
			`{"id":"` + id.String() + `","error":7}`,
			`{"id":"` + id.String() + `","value":"drop"}`,
			`{"id":"` + id.String() + `"`,
		} {
			require.False(t, r.engine.Resolve(core.Answer{Node: r.a, Payload: []byte(bad)}))
		}
		r.answerTo(id, r.b, `1`) // another node's
		r.engine.Resolve(core.Answer{Node: r.plain, Payload: []byte(`{"id":"` + id.String() + `","value":1}`)})
		r.engine.Resolve(core.Answer{Node: r.a, Stale: true, Payload: []byte(`{"id":"` + id.String() + `","value":1}`)})
		waiting.held()
		r.answer(0, `1`, `"error":{"code":5}`)
		require.EqualValues(t, 5, waiting.is(core.ResponderError, core.Replayed, "").Code)
	})
}

// TestWaitersGoOn: who joined a transaction that is not answered waits on until his own deadline.
func TestWaitersGoOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		first := r.ask("k", limit(time.Second))
		wait(900 * time.Millisecond)
		second, third := r.ask("k"), r.ask("k", limit(50*time.Millisecond))
		wait(50 * time.Millisecond)
		early := third.is(core.Timeout, core.InDoubt, "") // before the transaction ends
		require.Equal(t, whyInFlight, early.Message)
		wait(50 * time.Millisecond)
		first.is(core.Timeout, 0, "")
		second.held()
		wait(time.Second)
		r.answer(0, `3`)
		second.is(core.Answered, core.Replayed, `3`)
	})
}

func TestBadResponse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{rules: func(reply *core.Reply) error {
			switch string(reply.Value) {
			case `"fail"`:
				return core.ErrRuleFailed
			case `"neither"`:
				*reply = core.Reply{}
			}
			return nil
		}, protocol: func(reply *core.Reply) error {
			if reply.Value == nil && reply.Error == nil {
				panic("there is nothing to look at")
			}
			return nil
		}})
		for i, c := range []struct {
			value   string
			outcome core.Outcome
		}{{`"fail"`, core.RuleFailed}, {`"neither"`, core.BadResponse}, {`1,"error":7`, core.BadResponse}} {
			first, joined := r.ask(c.value), r.ask(c.value)
			r.answer(i, c.value)
			first.is(c.outcome, 0, "")
			end := joined.is(c.outcome, core.Joined, "")
			require.False(t, end.RetrySafe())
			again := r.ask(c.value)
			again.held()
			r.answer(i, `2`)
			again.is(core.Answered, core.Replayed, `2`)
		}
	})
}

// TestKeyIsFreeAgain: what never left, or was refused, may be sent again.
func TestKeyIsFreeAgain(t *testing.T) {
	for name, c := range map[string]struct {
		err     error
		sent    bool
		outcome core.Outcome
	}{
		"not sent":   {core.ErrNotSent, false, core.NotPublished},
		"shed":       {core.ErrShed, false, core.Shed},
		"rule":       {core.ErrRuleFailed, false, core.RuleFailed},
		"subscriber": {core.ErrNoSubscriber, true, core.NoSubscriber},
		"refused":    {core.ErrRefused, true, core.NotPublished},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, setup{wire: &wire{err: c.err}})
				r.ask("k").is(c.outcome, 0, "") // at once
				require.Equal(t, NodeStats{}, r.Stats(r.a))

				r.wire.set(func(w *wire) { w.unsent = !c.sent })
				second, joined := r.ask("k"), r.ask("k")
				r.published(1)
				require.True(t, r.engine.Fail(r.wire.requests()[0].ID, c.err)) // later
				second.is(c.outcome, 0, "")
				end := joined.is(c.outcome, core.Joined, "")
				require.True(t, end.RetrySafe())
				r.ask("k").held()
				r.published(2)
			})
		})
	}
}

// TestSentAndFailed: what was handed over and cannot be called back is in doubt.
func TestSentAndFailed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		r.ask("k")
		r.published(1)
		r.engine.Fail(r.wire.requests()[0].ID, core.ErrRuleFailed)
		r.ask("k").held()
		r.published(1)
	})
}

// TestUnpublishedInTime: the deadline of what never left makes the key free.
func TestUnpublishedInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{wire: &wire{unsent: true}})
		first := r.ask("k", limit(time.Second))
		joined := r.ask("k")
		wait(time.Second)
		first.is(core.NotPublished, 0, "")
		joined.is(core.NotPublished, core.Joined, "")
		require.Zero(t, r.Stats(r.a).Keys)
	})
}

// TestEndsBeforeBeginReturns: an answer that is there before Publish has returned.
func TestEndsBeforeBeginReturns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{wire: &wire{reply: func(id core.ID) string { return `{"id":"` + id.String() + `","value":1}` }}})
		first := r.ask("k")
		first.is(core.Answered, 0, `1`)
		require.False(t, r.Cancel(first.id))
		r.ask("k").is(core.Answered, core.Replayed, `1`)
		require.Empty(t, r.ids)
	})
}

// TestExtra: what the protocol makes of an answer is made again for each who gets it again, and
// shared by those who get it at once.
func TestExtra(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var seen []core.Completer
		r := newRig(t, setup{protocol: func(reply *core.Reply) error {
			seen = append(seen, reply.Completer)
			if string(reply.HTTP) == "0" {
				return core.ErrBadResponse
			}
			reply.Extra = "http " + string(reply.HTTP)
			return nil
		}})
		first, joined := r.ask("k"), r.ask("k")
		r.answer(0, `1`, `"http":{"status":201}`)
		require.Equal(t, `http {"status":201}`, first.result().Extra)
		require.Equal(t, `http {"status":201}`, joined.result().Extra)
		again := r.ask("k")
		require.Equal(t, `http {"status":201}`, again.result().Extra)
		require.Equal(t, []core.Completer{first, again}, seen)

		keyless := r.ask("", func(c *core.Call) { c.Key = nil })
		r.answer(1, `1`, `"http":7`)
		require.Equal(t, `http 7`, keyless.result().Extra)
		require.Equal(t, keyless, seen[2])
		bad := r.ask("bad")
		r.answer(2, `1`, `"http":0`)
		bad.is(core.BadResponse, 0, "")
		r.answer(2, `1`, `"http":0`)
		r.ask("bad").held()
	})
}

func TestOptions(t *testing.T) {
	_, err := New(Options{MaxKeys: -1, MaxBytes: -1, MaxWaiting: -1})
	require.ErrorContains(t, err, "MaxKeys is -1")
	require.ErrorContains(t, err, "MaxBytes is -1")
	require.ErrorContains(t, err, "MaxWaiting is -1")
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		require.ErrorContains(t, r.AddNode(r.b, NodeOptions{Window: MaxWindow + 1}), `node "b" has a Window of 168h0m0.000000001s`)
		require.ErrorContains(t, r.AddNode(r.b, NodeOptions{Window: -1}), "want up to")
		require.Equal(t, r.engine.Crowded(), r.Crowded())
		r.wire.attach = errDisk
		_, err := r.engine.AddNode(core.NodeOptions{Name: "c", Topic: "c"})
		require.ErrorIs(t, err, errDisk)
	})
}

// TestPlainBus: the bus behind need be no more than a bus.
func TestPlainBus(t *testing.T) {
	table, err := New(Options{})
	require.NoError(t, err)
	bus := table.Bus(publisher(func(*core.Request) error { return nil }))
	bus.(core.Binder).Bind(nil)
	require.NoError(t, bus.(core.Attacher).Attach(nil))
	require.NoError(t, bus.Publish(&core.Request{}))
	require.NoError(t, table.Close())
}

type publisher func(*core.Request) error

func (p publisher) Publish(r *core.Request) error { return p(r) }
