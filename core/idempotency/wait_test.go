package idempotency

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// TestCancelDetaches: the transaction is cancelled only when all who asked are gone.
func TestCancelDetaches(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		first, second, third := r.ask("k"), r.ask("k"), r.ask("k")
		require.True(t, r.Cancel(first.id))
		require.False(t, r.Cancel(first.id))
		first.is(core.Cancelled, 0, "")
		require.True(t, r.Cancel(second.id))
		second.is(core.Cancelled, 0, "")
		require.Equal(t, 1, r.engine.Held())
		third.held()
		require.True(t, r.Cancel(third.id))
		require.False(t, r.Cancel(third.id))
		third.is(core.Cancelled, 0, "")
		require.Zero(t, r.engine.Held())
		require.Equal(t, NodeStats{Begun: 2, Cancelled: 2, Left: 1, Keys: 1, Doubtful: 1}, r.Stats(r.a))

		fourth := r.ask("k") // it had left
		fourth.held()
		r.answer(0, `1`)
		fourth.is(core.Answered, core.Replayed, `1`)
		r.published(1)
	})
}

func TestCancelOfTheOnlyOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		first := r.ask("k")
		require.True(t, r.Cancel(first.id))
		first.is(core.Cancelled, 0, "")
		waiting := r.ask("k")
		require.True(t, r.Cancel(waiting.id)) // in doubt
		waiting.is(core.Cancelled, 0, "")
		require.Equal(t, 1, r.Stats(r.a).Doubtful)

		plain := r.ask("", func(c *core.Call) { c.Key = nil })
		require.True(t, r.Cancel(plain.id)) // an id of the engine
		plain.is(core.Cancelled, 0, "")
		require.False(t, r.Cancel(core.ID{}))

		r.wire.set(func(w *wire) { w.unsent = true })
		unsent := r.ask("l")
		require.True(t, r.Cancel(unsent.id))
		unsent.is(core.Cancelled, 0, "")
		require.Equal(t, 1, r.Stats(r.a).Keys, "the key of what never left is free")
	})
}

// TestLastOneRunsOut: the first is gone, and the deadline of the last one who joined comes before
// that of the transaction.
func TestLastOneRunsOut(t *testing.T) {
	for _, sent := range []bool{true, false} {
		bubble(t, func(t *testing.T) {
			r := newRig(t, setup{wire: &wire{unsent: !sent}})
			first := r.ask("k")
			second := r.ask("k", limit(time.Second))
			require.True(t, r.Cancel(first.id))
			wait(time.Second)
			require.Zero(t, r.engine.Held())
			if sent {
				second.is(core.Timeout, core.InDoubt, "")
				return
			}
			end := second.is(core.NotPublished, core.Joined, "")
			require.True(t, end.RetrySafe())
			require.Zero(t, r.Stats(r.a).Keys)
		})
	}
}

// TestJoinWhileCancelled: somebody joins after the last one has left, and before the engine knows.
func TestJoinWhileCancelled(t *testing.T) {
	for _, sent := range []bool{true, false} {
		bubble(t, func(t *testing.T) {
			r := newRig(t, setup{wire: &wire{unsent: !sent}})
			first := r.ask("k")
			var joined *asked
			r.between.before(func() { joined = r.ask("k") })
			require.True(t, r.Cancel(first.id))
			first.is(core.Cancelled, 0, "")
			if !sent {
				require.Equal(t, whyUnsent, joined.is(core.NotPublished, core.Joined, "").Message)
				return
			}
			joined.held()
			r.answer(0, `1`)
			joined.is(core.Answered, core.Replayed, `1`)
		})
	}
}

// TestAnsweredWhileCancelled: the answer comes after the last one has left, and before the engine
// knows: he gets it, as from the engine.
func TestAnsweredWhileCancelled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		first := r.ask("k")
		r.between.before(func() {
			require.False(t, r.Cancel(first.id))
			r.answerTo(r.wire.requests()[0].ID, r.a, `1`)
		})
		require.False(t, r.Cancel(first.id))
		first.is(core.Answered, 0, `1`)

		second := r.ask("l")
		joined := r.ask("l", limit(time.Second))
		require.True(t, r.Cancel(second.id))
		r.between.before(func() { r.answerTo(r.wire.requests()[1].ID, r.a, `2`) })
		wait(time.Second) // the deadline of joined
		joined.is(core.Answered, core.Joined, `2`)
	})
}

// TestRunsOutWhileCancelled: the deadline comes between the moment at which the last one leaves and
// that at which the engine hears of it. He has left, and does not wait for a late answer.
func TestRunsOutWhileCancelled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		first, joined := r.ask("k"), r.ask("k")
		require.True(t, r.Cancel(first.id))
		r.between.before(func() { wait(core.DefaultTimeout - time.Millisecond/2) })
		wait(time.Millisecond / 2)
		require.False(t, r.Cancel(joined.id), "the deadline was first")
		joined.is(core.Cancelled, 0, "")
		require.Equal(t, NodeStats{Begun: 1, Cancelled: 1, Left: 1, Keys: 1, Doubtful: 1}, r.Stats(r.a))
	})
}

// TestLateBeforeComplete: an answer comes when the engine has ended the transaction, and its
// completer has not been called.
func TestLateBeforeComplete(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		first, joined := r.ask("k", limit(time.Second)), r.ask("k")
		r.published(1)
		id := r.wire.requests()[0].ID
		stray := core.Stray{Kind: core.Late, ID: id, Payload: []byte(`{"id":"` + id.String() + `","value":1}`)}
		r.Stray(r.a, &stray)
		stray.Payload = []byte(`{"id":"` + id.String() + `","value":2}`)
		r.Stray(r.a, &stray) // the first one counts
		first.held()
		wait(time.Second)
		first.is(core.Timeout, 0, "")
		joined.is(core.Answered, core.Replayed, `1`)
		r.ask("k").is(core.Answered, core.Replayed, `1`)
		require.EqualValues(t, 1, r.Stats(r.a).Late)
	})
}

// TestLateBeforeCompleteDoesNotFit: nothing is kept of an answer there is no room for, and the key
// stays open for one that fits.
func TestLateBeforeCompleteDoesNotFit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{Options: Options{MaxBytes: 2000}})
		first := r.ask("k", limit(time.Second))
		r.published(1)
		id := r.wire.requests()[0].ID
		late := func(value string) {
			r.Stray(r.a, &core.Stray{Kind: core.Late, ID: id, Payload: []byte(`{"id":"` + id.String() + `","value":` + value + `}`)})
		}
		late(`"` + strings.Repeat("x", 2000) + `"`)
		wait(time.Second)
		first.is(core.Timeout, 0, "")
		require.Equal(t, NodeStats{Late: 1, Unkept: 1, Keys: 1, Doubtful: 1}, r.Stats(r.a))
		late(`1`)
		r.ask("k").is(core.Answered, core.Replayed, `1`)
	})
}

// TestAnsweredAndRefused: a broker that refuses what a responder has answered.
func TestAnsweredAndRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		first, joined := r.ask("k"), r.ask("k")
		r.published(1)
		id := r.wire.requests()[0].ID
		r.Stray(r.a, &core.Stray{Kind: core.Late, ID: id, Payload: []byte(`{"id":"` + id.String() + `","value":1}`)})
		r.engine.Fail(id, core.ErrRefused)
		first.is(core.NotPublished, 0, "")
		joined.is(core.Answered, core.Replayed, `1`)
	})
}

// TestTwoLateAnswers: another one is taken over while this one is looked at.
func TestTwoLateAnswers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var r *rig
		again := true
		r = newRig(t, setup{rules: func(reply *core.Reply) error {
			if string(reply.Value) == `1` && again {
				again = false
				r.answer(0, `2`)
			}
			return nil
		}})
		first := r.ask("k")
		wait(core.DefaultTimeout)
		first.is(core.Timeout, 0, "")
		r.answer(0, `1`)
		r.ask("k").is(core.Answered, core.Replayed, `2`)
	})
}
