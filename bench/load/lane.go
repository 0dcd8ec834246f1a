package load

import (
	"context"
	"time"
)

// Target is what is asked.
type Target interface {
	// Open opens lanes, all at once, ready to ask. The error says which connection failed, and why;
	// no lane is left open then.
	Open(ctx context.Context, lanes int) ([]Lane, error)
	// String names the target in reports: its URL.
	String() string
}

// Lane asks one request at a time. One goroutine uses it.
type Lane interface {
	// Ask asks request number seq, which is unique in the run, and returns what became of it. It
	// returns by the deadline.
	Ask(seq uint64, deadline time.Time) Verdict
	// Close closes what the lane holds open. It does not wait for anything.
	Close() error
}

// Verdict is what became of one request.
type Verdict struct {
	// Outcome is the word of the gateway (answered, timeout, shed …), or lost, or what the
	// transport said if the gateway said nothing (http 404, BadTypeMismatch).
	Outcome string
	// Wrong: it says that it is the answer, and it is not that of this request.
	Wrong bool
	// Duplicates is how many answers were seen since the last request that nobody waited for.
	Duplicates int
	// Err says more of what is lost or wrong, for the first few in a report; nil otherwise.
	Err error
}

// The outcomes that the generator itself knows.
const (
	Answered = "answered"
	Lost     = "lost"
)
