package idempotency

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

func TestMaxKeys(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{Options: Options{MaxKeys: 3}, window: time.Minute})
		for i := range 3 {
			r.ask(fmt.Sprint(i))
			r.answer(i, `1`)
			wait(time.Second)
		}
		shed := r.ask("new").is(core.Shed, 0, "")
		require.True(t, shed.RetrySafe())
		r.ask("0").is(core.Answered, core.Replayed, `1`) // live keys stay
		r.published(3)
		wait(57 * time.Second)
		r.ask("new").held()
		r.ask("newer").is(core.Shed, 0, "")
		require.Equal(t, 3, r.Stats(r.a).Keys)
	})
}

func TestMaxBytes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{Options: Options{MaxBytes: 8000}})
		kept := r.ask("kept")
		r.answer(0, fmt.Sprintf("%02000d", 0)[:1]) // 0
		kept.is(core.Answered, 0, `0`)
		big := make([]byte, 8000)
		for i := range big {
			big[i] = ' '
		}
		big[0], big[7999] = '[', ']'
		first, joined := r.ask("big"), r.ask("big")
		r.answer(1, string(big))
		first.is(core.Answered, 0, string(big))
		joined.is(core.Answered, core.Joined, string(big))
		r.ask("big").held()
		require.EqualValues(t, 1, r.Stats(r.a).Unkept)
		n := 2
		for ; n < 100; n++ {
			a := r.ask(fmt.Sprint(n))
			select {
			case end := <-a.ended:
				require.Equal(t, core.Shed, end.Outcome)
				require.LessOrEqual(t, r.bytes, int64(7000))
				return
			default:
			}
		}
		require.Fail(t, "nothing is shed")
	})
}

func TestMaxWaiting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{Options: Options{MaxWaiting: 2}})
		r.ask("k")
		second, third := r.ask("k"), r.ask("k")
		shed := r.ask("k").is(core.Shed, core.InDoubt, "") // without its key it would not be safe to repeat
		require.Equal(t, r.wire.requests()[0].ID, shed.ID)
		require.False(t, shed.RetrySafe())
		second.held()
		r.Cancel(second.id)
		r.ask("k").held()
		third.held()
	})
}

// TestWindowEndsInUse: a key is known as long as somebody needs it.
func TestWindowEndsInUse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{window: time.Second})
		first := r.ask("k")
		joined := r.ask("k")
		wait(1500 * time.Millisecond)
		r.ask("other") // sweeps
		again := r.ask("k", limit(2*time.Second))
		wait(500 * time.Millisecond)
		first.is(core.Timeout, 0, "")
		joined.is(core.Timeout, core.InDoubt, "")
		again.held() // it waits on, so the key is still known
		require.Equal(t, 2, r.Stats(r.a).Keys)
		wait(time.Second)
		r.answer(0, `1`)
		again.is(core.Answered, core.Replayed, `1`)
		r.ask("k").held()
		r.published(3)
	})
}

func TestWindowEndsByItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{window: time.Second})
		first := r.ask("k")
		wait(time.Second)
		r.answer(0, `1`)
		first.is(core.Answered, 0, `1`)
		require.Empty(t, r.entries.of, "its window was over before it ended")
		for i := range 3 * sweepEach {
			r.ask(fmt.Sprint(i))
			r.answer(i+1, `1`)
		}
		wait(time.Second)
		r.ask("5").held() // although it was not swept
		r.published(2 + 3*sweepEach)
		require.Equal(t, 1, r.Stats(r.a).Keys)
	})
}

func TestDrain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		doubtful, first := r.ask("d", limit(time.Second)), r.ask("k")
		wait(time.Second)
		doubtful.is(core.Timeout, 0, "")
		waiting, joined := r.ask("d"), r.ask("k")
		r.Drain()
		end := waiting.is(core.Shutdown, core.InDoubt, "")
		require.False(t, end.RetrySafe())
		joined.held()
		r.ask("d").is(core.Shutdown, core.InDoubt, "")
		wait(time.Second)
		first.is(core.Timeout, 0, "")
		joined.is(core.Shutdown, core.InDoubt, "") // not timeout: his own deadline has not come
		require.EqualValues(t, 3, r.Stats(r.a).Shutdown)
	})
}

func TestCancelledWhileDraining(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		first := r.ask("k")
		r.Drain()
		var joined *asked
		r.between.before(func() { joined = r.ask("k") })
		require.True(t, r.Cancel(first.id))
		joined.is(core.Shutdown, core.InDoubt, "")
	})
}

func TestClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		doubtful, first := r.ask("d", limit(time.Second)), r.ask("k")
		wait(time.Second)
		doubtful.is(core.Timeout, 0, "")
		waiting, joined := r.ask("d"), r.ask("k")
		require.NoError(t, r.engine.Close())
		first.is(core.Shutdown, 0, "")
		joined.is(core.Shutdown, core.Joined, "")
		waiting.held()
		require.NoError(t, r.Table.Close())
		waiting.is(core.Shutdown, core.InDoubt, "")
		r.ask("new").is(core.Shutdown, 0, "")
		end := r.ask("d").is(core.Shutdown, core.InDoubt, "")
		require.False(t, end.RetrySafe(), "it has left")
	})
}
