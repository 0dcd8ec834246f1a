package history

import "time"

// Node is what the checker knows of a node.
type Node struct {
	Name    string
	Topic   string // without /treq
	Timeout time.Duration
	// MaxExtend, Serial, FailFast, Window (0: no keys) as the node has them.
	MaxExtend time.Duration
	Serial    bool
	FailFast  bool
	Window    time.Duration
}

// Options of a check. Zero durations have the defaults that are named.
type Options struct {
	Nodes []Node
	// Tolerance is how long after its deadline a reply may come while nothing is stopped. 1 s.
	Tolerance time.Duration
	// Slack is how long before the deadline an answer must have been forwarded to the gateway for
	// its loss to count, and how long after a fault its effect is felt. 500 ms.
	Slack time.Duration
	// MaxViolations is how many are returned in all. 100.
	MaxViolations int
}

// Violation is what a history has that must not be.
type Violation struct {
	Rule    string   `json:"rule"`
	Detail  string   `json:"detail"`
	Markers []uint64 `json:"markers,omitempty"`
	Excerpt []string `json:"excerpt,omitempty"`
}

// Check looks for what must not be. No event may be recorded meanwhile. Faults that are not over
// yet are not seen: end them first.
func Check(h *History, o Options) []Violation { return nil }
