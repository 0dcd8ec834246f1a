package idempotency

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// TestIntentFirst: nothing leaves before its intent is on disk, while its deadline runs.
func TestIntentFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDisk()
		d.held = true
		r := newRig(t, setup{Options: Options{Store: d}})
		first := r.ask("k")
		slow := r.ask("slow", limit(time.Second))
		r.published(0)
		first.held()
		wait(time.Second)
		slow.is(core.NotPublished, 0, "")
		d.commit(-1)
		r.published(1)
		request := r.wire.requests()[0]
		require.Equal(t, `"k"`, string(request.Value))
		require.Contains(t, d.records, scope{"a", "u", "k"})
		require.NotContains(t, d.records, scope{"a", "u", "slow"}, "it never left")
		require.Equal(t, []string{"intent k", "intent slow", "delete slow"}, d.log)
		record := d.records[scope{"a", "u", "k"}]
		require.Equal(t, request.ID, record.ID)
		require.Nil(t, record.Message)

		r.answer(0, `{"a":1}`)
		first.is(core.Answered, 0, `{"a":1}`)
		require.Eventually(t, func() bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			return string(d.records[scope{"a", "u", "k"}].Message) == `{"value":{"a":1}}`
		}, time.Second, time.Millisecond)
		wait(DefaultWindow)
		require.Zero(t, r.Stats(r.a).Keys)
		wait(0)
		require.Empty(t, d.records)
	})
}

// TestOrderOfANode: requests of a node leave in the order in which they came, with and without keys.
func TestOrderOfANode(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDisk()
		d.held = true
		r := newRig(t, setup{Options: Options{Store: d}})
		keyless := func(c *core.Call) { c.Key = nil }
		for _, name := range []string{"1", "k2", "k3", "4", "k5"} {
			if name[0] == 'k' {
				r.ask(name)
			} else {
				r.ask(name, keyless)
			}
		}
		r.ask("other", keyless, func(c *core.Call) { c.Node = r.b })
		left := func() (names string) {
			wait(0)
			for _, request := range r.wire.requests() {
				var name string
				require.NoError(t, json.Unmarshal(request.Value, &name))
				names += name + " "
			}
			return names
		}
		require.Equal(t, "1 other ", left())
		d.commit(1)
		require.Equal(t, "1 other k2 ", left())
		d.set(func(d *disk) { d.err = errDisk })
		d.commit(1)
		require.Equal(t, "1 other k2 4 ", left())
		d.set(func(d *disk) { d.err = nil })
		d.commit(-1)
		require.Equal(t, "1 other k2 4 k5 ", left())
		r.ask("6", keyless)
		require.Equal(t, "1 other k2 4 k5 6 ", left())
		require.Zero(t, r.parked)
		require.Zero(t, r.volume)
		require.Empty(t, r.lines)
	})
}

// TestManyInALine: a long line does not keep others from their turn, and none is forgotten.
func TestManyInALine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDisk()
		d.held = true
		r := newRig(t, setup{Options: Options{Store: d}})
		r.ask("k")
		for i := range 2*passEach + 10 {
			r.ask(fmt.Sprint(i), func(c *core.Call) { c.Key = nil })
		}
		r.published(0)
		d.commit(-1)
		r.published(2*passEach + 11)
		require.False(t, r.names["a"].passing)
	})
}

func TestUnwritable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDisk()
		d.err = errDisk
		r := newRig(t, setup{Options: Options{Store: d}})
		for range 3 {
			end := r.ask("k").is(core.NotPublished, 0, "")
			require.Contains(t, end.Message, "its idempotency key could not be written to disk")
			require.NotContains(t, end.Message, "keys.db")
		}
		r.published(0)
		text, n := r.log.all()
		require.Equal(t, 1, n)
		require.Contains(t, text, errDisk.Error())
		require.EqualValues(t, 3, r.Stats(r.a).Unwritten)
		require.Zero(t, r.Stats(r.a).Keys)

		d.set(func(d *disk) { d.err = core.ErrShed })
		r.ask("k").is(core.Shed, 0, "")

		d.set(func(d *disk) { d.err = nil })
		first := r.ask("k")
		wait(time.Second)
		d.set(func(d *disk) { d.err = errDisk })
		r.answer(0, `1`)
		first.is(core.Answered, 0, `1`)
		r.ask("k").is(core.Answered, core.Replayed, `1`) // as long as the process lives
		require.EqualValues(t, 4, r.Stats(r.a).Unwritten)
		text, n = r.log.all()
		require.Equal(t, 2, n)
		require.Contains(t, text, "suppressed=3")
	})
}

func TestParkedIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDisk()
		d.held = true
		r := newRig(t, setup{Options: Options{Store: d}})
		big := func(c *core.Call) { c.Value = make([]byte, maxVolume/4) }
		for i := range 3 {
			r.ask(fmt.Sprint(i), big).held()
		}
		r.ask("k", big).is(core.Shed, 0, "")
		d.commit(-1)
		r.published(3)
		r.ask("k", big).held()
		r.published(4)
	})
}

// TestPublishFails: the bus behind refuses what was written.
func TestPublishFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDisk()
		r := newRig(t, setup{Options: Options{Store: d}})
		r.wire.err = core.ErrNotSent
		r.ask("k").is(core.NotPublished, 0, "")
		wait(0)
		require.Empty(t, d.records)
		require.Equal(t, []string{"intent k", "delete k"}, d.log)
	})
}

// TestCancelledBeforeWritten: it is not published, and its key is free; whoever has it now is
// another one.
func TestCancelledBeforeWritten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDisk()
		d.held = true
		r := newRig(t, setup{Options: Options{Store: d}})
		first := r.ask("k")
		require.True(t, r.Cancel(first.id))
		first.is(core.Cancelled, 0, "")
		second := r.ask("k")
		d.commit(-1)
		r.published(1)
		r.answer(0, `1`)
		second.is(core.Answered, 0, `1`)
		require.Equal(t, []string{"intent k", "delete k", "intent k", "reply k"}, d.log)
	})
}

// TestEndedBeforePublish: a bus in between may publish a request that has ended long ago, when
// another one has its key.
func TestEndedBeforePublish(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{wire: &wire{unsent: true}})
		first := r.ask("k")
		request := r.wire.requests()[0]
		require.Equal(t, &core.Key{Text: "k", User: "u"}, request.Key)
		r.Cancel(first.id)
		require.ErrorIs(t, (&bus{r.Table, r.wire}).Publish(request), core.ErrNotSent)
		second := r.ask("k")
		require.ErrorIs(t, (&bus{r.Table, r.wire}).Publish(request), core.ErrNotSent)
		second.held()
		r.answer(1, `1`)
		second.is(core.Answered, 0, `1`)
	})
}

func TestRestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDisk()
		before := newRig(t, setup{Options: Options{Store: d}})
		answered, doubtful := before.ask("answered"), before.ask("doubtful")
		other := before.ask("other", func(c *core.Call) { c.Node = before.b })
		before.answer(0, `1`, `"http":{"status":201}`)
		answered.is(core.Answered, 0, `1`)
		wait(core.DefaultTimeout)
		doubtful.is(core.Timeout, 0, "")
		other.is(core.Timeout, 0, "")
		id := before.wire.requests()[1].ID
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

// TestCloseWithRequestsInLine: what was not written does not leave, and its key is free.
func TestCloseWithRequestsInLine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDisk()
		d.held = true
		r := newRig(t, setup{Options: Options{Store: d}})
		first, second := r.ask("k"), r.ask("l", func(c *core.Call) { c.Key = nil })
		r.published(0)
		require.NoError(t, r.Table.Close()) // before the engine: it still holds both
		first.is(core.NotPublished, 0, "")
		second.is(core.NotPublished, 0, "")
		r.ask("m", func(c *core.Call) { c.Key = nil }).held()
		request := r.wire.requests()[0].Clone()
		request.Key = &core.Key{}
		require.Error(t, (&bus{r.Table, r.wire}).Publish(request))
		d.commit(-1)
		wait(0)
		require.Empty(t, d.records)
		require.Equal(t, []string{"intent k", "delete k"}, d.log)
	})
}
