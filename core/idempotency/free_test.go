package idempotency

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

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
		require.Empty(t, r.ids.of)
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
