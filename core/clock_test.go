package core

import (
	"testing"
	"testing/synctest"
	"time"

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
