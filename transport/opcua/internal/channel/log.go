package channel

import (
	"log/slog"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/time/rate"
)

// journal writes to the log, but a few lines a second at most: strangers decide how often there
// is something to say.
type journal struct {
	logger   *slog.Logger
	refusals *rate.Limiter
	logins   *rate.Limiter // apart, so that strangers who break connections do not hide who guesses
	panics   *rate.Limiter // apart, so that a flood of refusals does not hide one
	dropped  atomic.Int64  // lines since the last one
}

func (j *journal) init(l *slog.Logger) {
	j.logger = l
	j.refusals = rate.NewLimiter(1, 10)
	j.logins = rate.NewLimiter(1, 10)
	j.panics = rate.NewLimiter(1, 3)
}

// ended says why a connection ended that was not simply closed.
func (j *journal) ended(c *Channel, cause error) {
	if !j.refusals.Allow() {
		j.dropped.Add(1)
		return
	}
	j.logger.Warn("opcua: a connection was ended", "client", c.RemoteAddr().String(), "channel", c.ID(),
		"reason", cause, "not logged before", j.dropped.Swap(0))
}

// panicked must be called by the deferred function that recovered what.
func (j *journal) panicked(c *Channel, where string, what any) {
	if j.panics.Allow() {
		j.logger.Error("opcua: panic: the connection is ended", "where", where, "client", c.RemoteAddr().String(),
			"channel", c.ID(), "panic", what, "stack", string(debug.Stack()))
	}
}
