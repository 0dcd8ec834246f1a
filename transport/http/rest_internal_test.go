package http

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/flowsync-go/flowsync/core"
)

// restOf is how long a connection rests after a transaction that ended so, on invented time.
func restOf(s *Server, c *conn, o core.Outcome) time.Duration {
	s.rest(c, o)
	start := time.Now()
	c.rest.take(c.timed)
	c.rest.take(c.timed) // once
	return time.Since(start)
}

func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const freeSheds = 100
		options := Options{}
		require.NoError(t, options.complete())
		engine := &crowd{crowded: true}
		s := &Server{options: Options{Engine: engine}, sheds: options.freeSheds(), draining: make(chan struct{})}
		c := &conn{timed: newTimed(nil)}
		for range 3 * freeSheds {
			require.Zero(t, restOf(s, c, core.Answered))
		}
		for range freeSheds {
			require.Zero(t, restOf(s, c, core.Shed))
		}
		require.Equal(t, retryAfter, restOf(s, c, core.Shed))
		for range freeSheds { // they are free again, after this second
			require.Zero(t, restOf(s, c, core.Shed))
		}
		require.Equal(t, retryAfter, restOf(s, c, core.Shed)) // the timer is used again
		engine.crowded = false                                // only a node is full
		for range 10 * freeSheds {
			require.Zero(t, restOf(s, c, core.Shed))
		}
		engine.crowded = true
		for _, o := range core.Outcomes() {
			if o != core.Shed {
				require.Zero(t, restOf(s, c, o), o)
			}
		}

		options.FreeSheds = -1
		s.sheds = options.freeSheds()
		for range 10 * freeSheds {
			require.Zero(t, restOf(s, c, core.Shed))
		}

		s.sheds = rate.NewLimiter(0, 0)
		s.rest(c, core.Shed)
		s.rest(c, core.Answered) // a pipelined one
		start := time.Now()
		c.rest.take(c.timed)
		require.Zero(t, time.Since(start))

		s.rest(c, core.Shed)
		time.AfterFunc(retryAfter/4, func() { close(s.draining) })
		c.rest.take(c.timed)
		require.Equal(t, retryAfter/4, time.Since(start))
		require.Zero(t, restOf(s, c, core.Shed), "while draining")
	})
}

// crowd is an engine of which nothing but that is asked.
type crowd struct {
	Engine
	crowded bool
}

func (c *crowd) Crowded() bool { return c.crowded }

func TestRetryHeader(t *testing.T) {
	d, err := time.ParseDuration(retryHeader + "s")
	require.NoError(t, err)
	require.Equal(t, retryAfter, d)
}
