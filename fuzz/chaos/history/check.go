package history

import (
	"fmt"
	"time"
)

// Node is what the checker knows of a node.
type Node struct {
	Name    string
	Topic   string // without /treq
	Timeout time.Duration
	// MaxExtend, Serial, FailFast and Window (0: no keys) as the node has them.
	MaxExtend time.Duration
	Serial    bool
	FailFast  bool
	Window    time.Duration
}

// Options of a check.
type Options struct {
	// Nodes are all nodes that were asked.
	Nodes []Node
	// Tolerance is how long after its deadline a reply may come while nothing is stopped. 0: 1 s.
	Tolerance time.Duration
	// Slack is how long before the deadline an answer must have been forwarded to the gateway for
	// its loss to count, and how long after a fault its effect is felt. 0: 500 ms.
	Slack time.Duration
	// Blind says that no tap was between gateway and broker: there is no Published, Acked and
	// Answer, and what needs them is not checked. Delivered is what is known of requests.
	Blind bool
	// MaxViolations is how many of each rule are returned. 0: 20.
	MaxViolations int
}

// Violation is something in a history that must not be.
type Violation struct {
	Rule    string   `json:"rule"`
	Detail  string   `json:"detail"`
	Markers []uint64 `json:"markers,omitempty"`
	// Excerpt are the events that have to do with it, a line each.
	Excerpt []string `json:"excerpt,omitempty"`
}

// String is the violation in several lines.
func (v Violation) String() string {
	text := v.Rule + ": " + v.Detail
	for _, line := range v.Excerpt {
		text += "\n    " + line
	}
	return text
}

// rule looks for one kind of violation.
type rule struct {
	name  string
	check func(*checker)
}

// rules are all of them. The order is that in which they are reported.
func rules() []rule {
	return []rule{
		{"recorded", (*checker).recorded},
		{"one-reply", (*checker).oneReply},
		{"answered", (*checker).answered},
		{"own-data", (*checker).ownData},
		{"one-treq", (*checker).oneTreq},
		{"one-treq-per-key", (*checker).oneTreqPerKey},
		{"conflict", (*checker).conflict},
		{"retry-safe", (*checker).retrySafe},
		{"never-early", (*checker).neverEarly},
		{"in-time", (*checker).inTime},
		{"lost-waiter", (*checker).lostWaiter},
		{"serial", (*checker).serial},
		{"told", (*checker).told},
		{"counters", (*checker).counters},
		{"nothing-held", (*checker).nothingHeld},
	}
}

// Check looks for what must not be. Nothing may be recorded meanwhile, and faults that are not over
// are not known to it.
func Check(h *History, o Options) []Violation {
	if o.Tolerance == 0 {
		o.Tolerance = time.Second
	}
	if o.Slack == 0 {
		o.Slack = 500 * time.Millisecond
	}
	if o.MaxViolations == 0 {
		o.MaxViolations = 20
	}
	c := &checker{Options: o, index: newIndex(h, o.Nodes)}
	for _, r := range rules() {
		c.rule, c.found = r.name, 0
		r.check(c)
		if more := c.found - o.MaxViolations; more > 0 {
			c.violations = append(c.violations, Violation{Rule: r.name, Detail: fmt.Sprintf("and %d more", more)})
		}
	}
	return c.violations
}

// checker is one run of all rules.
type checker struct {
	Options
	*index
	rule       string
	found      int // by this rule
	violations []Violation
}

// report adds a violation that has to do with a story; nil: with none.
func (c *checker) report(s *story, format string, args ...any) {
	if c.found++; c.found > c.MaxViolations {
		return
	}
	v := Violation{Rule: c.rule, Detail: fmt.Sprintf(format, args...)}
	if s != nil {
		v.Markers = []uint64{s.marker}
		v.Excerpt = c.excerpt(s)
	}
	c.violations = append(c.violations, v)
}

// during says whether a fault with one of these effects was on, or still felt, between two times.
func (c *checker) during(effect Effect, from, to time.Duration) bool {
	for _, f := range c.faults {
		if f.Effect&effect != 0 && f.From <= to && from <= f.To+c.Slack {
			return true
		}
	}
	return false
}

// gatewayGone says whether no gateway ran at some moment between two times, or one had just begun.
func (c *checker) gatewayGone(from, to time.Duration) bool {
	for _, l := range c.lives {
		if l.from-c.Slack <= to && from <= l.from+c.Slack || l.over && l.to-c.Slack <= to && from <= l.to+c.Slack {
			return true
		}
	}
	return c.nobody(from, to)
}

// nobody says whether no gateway at all ran during the whole of a time.
func (c *checker) nobody(from, to time.Duration) bool {
	for _, l := range c.lives {
		if l.from <= to && (!l.over || from <= l.to) {
			return false
		}
	}
	return len(c.lives) > 0
}
