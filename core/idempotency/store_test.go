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

		d.set(func(d *disk) { d.err, d.log = core.ErrShed, nil })
		r.ask("k").is(core.Shed, 0, "")
		require.Equal(t, []string{"intent k"}, d.log, "nothing to delete")

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

// TestEndsAfterClose: what ends when the table is closed is not written any more, and it is told so
// to what comes from a bus in between.
func TestEndsAfterClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDisk()
		r := newRig(t, setup{Options: Options{Store: d}})
		first := r.ask("k")
		r.published(1)
		require.NoError(t, r.Table.Close())
		require.ErrorIs(t, (&bus{r.Table, r.wire}).Publish(r.wire.requests()[0]), errStopped)
		r.answer(0, `1`)
		first.is(core.Answered, 0, `1`)
		require.Equal(t, []string{"intent k"}, d.log)
	})
}
