package core

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestClockReadsBothRarely: what it adds up is what reading both clocks would give, and the wall
// clock is read again when the last reading is a second old.
func TestClockReadsBothRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		time.Sleep(readWallEvery - 1)
		first := c.last.Load()
		require.Equal(t, time.Now(), c.time(c.now()))
		require.Same(t, first, c.last.Load())
		time.Sleep(time.Nanosecond)
		require.Equal(t, time.Now(), c.time(c.now()))
		require.NotSame(t, first, c.last.Load())
		require.Equal(t, time.Now(), c.last.Load().time)
	})
}

// jumped is t as time.Now gives it after the wall clock was set by whole seconds: the monotonic
// reading is the same. Where package time keeps the wall clock's seconds is its secret; so the test
// looks at what comes of it before it relies on that.
func jumped(t *testing.T, now time.Time, seconds int64) time.Time {
	after := now
	*(*uint64)(unsafe.Pointer(&after)) += uint64(seconds) << 30
	require.Equal(t, now.Unix()+seconds, after.Unix())
	require.Zero(t, after.Sub(now))
	return after
}

// TestWallClockIsOnlyShown: whatever the wall clock is set to, deadlines come when they would have
// come, to the bus as well; timestamps follow it. This takes real time, because in a synctest bubble
// there is no monotonic clock.
func TestWallClockIsOnlyShown(t *testing.T) {
	for _, seconds := range []int64{3600, -3600} {
		e, node, bus := newTestEngine(t, Options{})
		var ends sync.WaitGroup
		const timeout = 50 * time.Millisecond
		begin := func() {
			ends.Add(1)
			e.Begin(&Call{Node: node, Timeout: timeout}, counterFunc(func(r Result) {
				defer ends.Done()
				if r.Elapsed < timeout || r.Elapsed > 20*time.Second {
					t.Errorf("ended after %v", r.Elapsed)
				}
			}))
		}
		begin()
		e.clock.read = func() time.Time { return jumped(t, time.Now(), seconds) }
		before := time.Now().UnixMilli()
		e.clock.last.Store(&reading{at: e.clock.now() - int64(readWallEvery)}) // it is time to look
		begin()
		require.GreaterOrEqual(t, bus.requests[1].Timestamp, before+1000*seconds)
		require.LessOrEqual(t, bus.requests[1].Timestamp, time.Now().UnixMilli()+1000*seconds)
		for _, r := range bus.requests {
			require.LessOrEqual(t, time.Until(r.Deadline), timeout)
			require.Less(t, time.Since(r.Deadline), 20*time.Second)
		}
		ends.Wait()
	}
}
