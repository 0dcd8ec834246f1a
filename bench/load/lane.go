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

// Prober is a [Target] that can be asked whether asking makes sense. Run does so before it opens
// lanes: a wrong route is told at once, and not after a minute of errors.
type Prober interface {
	// Probe asks one request. The error says what was answered instead, and what to do. A request
	// that the gateway ended by one of its own outcomes, such as timeout, is no error.
	Probe(ctx context.Context, timeout time.Duration) error
}

// Lane asks one request at a time. One goroutine uses it.
type Lane interface {
	// Ask asks request number seq, which is unique in the run, and returns what became of it. It
	// returns by the deadline.
	Ask(seq uint64, deadline time.Time) Verdict
	// Close closes what the lane holds open. It does not wait for anything, and may be called while
	// Ask waits, which then returns soon.
	Close() error
}

// Reconnecter is a [Lane] that connects anew when its connection is lost or no longer to be trusted.
type Reconnecter interface {
	// Reconnects is how often it did. It is called when nothing is asked any more.
	Reconnects() int
}

// Listener is a [Lane] whose requester can still be answered after its last request.
type Listener interface {
	// Stragglers waits until the deadline for answers that nobody waits for, and says how many came.
	// It is called when the lane asks nothing any more, by the goroutine that did. Close ends it.
	Stragglers(deadline time.Time) int
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
	// Wrong is what requests are counted under whose verdict is wrong, whatever their outcome.
	Wrong = "wrong"
)

// firstSeq is the number of a run's first request. All numbers of a run have ten digits, so that
// requests are of one size, and fit an Int32 for a long while.
const firstSeq = 1_000_000_000

// probeSeq is the number of a request before the run.
const probeSeq = firstSeq - 1
