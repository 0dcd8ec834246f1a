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
