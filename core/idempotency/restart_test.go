package idempotency

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

func TestRestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDisk()
		before := newRig(t, setup{Options: Options{Store: d}})
		answered, doubtful := before.ask("answered"), before.ask("doubtful")
		before.answer(0, `1`, `"http":{"status":201}`)
		answered.is(core.Answered, 0, `1`)
		id := before.wire.requests()[1].ID
		other := before.ask("other", func(c *core.Call) { c.Node = before.b }) // overtakes who it can
		wait(core.DefaultTimeout)
		doubtful.is(core.Timeout, 0, "")
		other.is(core.Timeout, 0, "")
		before.close()

		wait(time.Minute)
		after := newRig(t, setup{Options: Options{Store: d}, protocol: func(r *core.Reply) error {
			r.Extra = string(r.HTTP)
			return nil
		}})
		require.Equal(t, `{"status":201}`, after.ask("answered").is(core.Answered, core.Replayed, `1`).Extra)
		after.ask("answered", func(c *core.Call) { c.Value = nil }).is(0, core.Conflict, "")
		waiting := after.ask("doubtful")
		waiting.held()
		require.False(t, after.answerTo(id, after.a, `2`)) // foreign, or unknown
		require.Equal(t, id, waiting.is(core.Answered, core.Replayed, `2`).ID)
		after.published(0)
		require.Equal(t, 1, after.Stats(after.b).Doubtful)
		wait(0)
		after.close()

		third := newRig(t, setup{Options: Options{Store: d}})
		third.ask("doubtful").is(core.Answered, core.Replayed, `2`)
		wait(DefaultWindow)
		third.ask("doubtful").held()
		third.published(1)
		wait(0)
		third.close()
		require.Len(t, d.records, 1)
	})
}

// TestClockAtRestart: the window that is left goes by the wall clock, which may have been set.
func TestClockAtRestart(t *testing.T) {
	for name, c := range map[string]struct {
		ahead time.Duration // the clock, at the restart
		left  time.Duration // of the window
	}{
		"as it was":   {0, DefaultWindow},
		"forward":     {DefaultWindow - time.Minute, time.Minute},
		"far forward": {DefaultWindow, 0},
		"back":        {-time.Hour, DefaultWindow},
		"far back":    {-10 * 365 * 24 * time.Hour, DefaultWindow},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d := newDisk()
				before := newRig(t, setup{Options: Options{Store: d}})
				before.ask("k")
				before.ask("gone", func(c *core.Call) { c.Node = before.b })
				before.published(2)
				before.close()
				gone := d.records[scope{"b", "u", "gone"}]
				gone.Node = "gone"
				d.records = map[scope]Record{{"a", "u", "k"}: d.records[scope{"a", "u", "k"}], {"gone", "u", "gone"}: gone}

				after := newRig(t, setup{Options: Options{Store: d}, wall: func() time.Time { return time.Now().Add(c.ahead) }})
				if c.left > 0 {
					wait(c.left - 1)
					require.Equal(t, 1, after.Stats(after.a).Keys)
					wait(1)
				}
				require.Zero(t, after.Stats(after.a).Keys)
				wait(0)
				require.NotContains(t, d.records, scope{"a", "u", "k"})
				wait(MaxWindow)
				after.ask("sweeps")
				wait(0)
				require.NotContains(t, d.records, scope{"gone", "u", "gone"}, "of a node that is no more")
			})
		})
	}
}

// TestLoadedGarbage: a message that is none leaves the key in doubt.
func TestLoadedGarbage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDisk()
		call := &core.Call{Value: []byte(`"k"`), Key: &core.Key{Text: "k", User: "u"}}
		d.records[scope{"a", "u", "k"}] = Record{
			Node: "a", User: "u", Key: "k", Identity: identityOf(call), Until: time.Now().Add(time.Minute), Message: []byte("{"),
		}
		r := newRig(t, setup{Options: Options{Store: d}})
		r.ask("k").held()
		r.published(0)
	})
}

// TestOtherProtocolAtRestart: the node is another one now, which the kept reply does not fit.
func TestOtherProtocolAtRestart(t *testing.T) {
	for _, c := range []struct {
		err     error
		outcome core.Outcome
	}{{core.ErrBadResponse, core.BadResponse}, {core.ErrRuleFailed, core.RuleFailed}} {
		bubble(t, func(t *testing.T) {
			d := newDisk()
			before := newRig(t, setup{Options: Options{Store: d}})
			before.ask("k")
			before.answer(0, `1`)
			wait(0)
			before.close()
			after := newRig(t, setup{Options: Options{Store: d}, protocol: func(*core.Reply) error { return c.err }})
			end := after.ask("k").is(c.outcome, core.Replayed, "")
			require.False(t, end.RetrySafe())
		})
	}
}

func TestLoadFails(t *testing.T) {
	d := newDisk()
	d.loadErr = errDisk
	_, err := New(Options{Store: d})
	require.ErrorIs(t, err, errDisk)
}
