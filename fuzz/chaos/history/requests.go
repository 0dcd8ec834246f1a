package history

import "time"

// oneTreq: no id is published twice, and no request without a key has two.
func (c *checker) oneTreq() {
	for _, f := range c.order {
		if len(f.published) > 1 {
			c.report(f.story, "%v was published %d times", f.id, len(f.published))
		}
	}
	for _, first := range c.attempts {
		s := first.story
		if s.attempts[0] != first {
			continue
		}
		plain := 0
		for _, a := range s.attempts {
			if a.Key != "" {
				plain = -1
				break
			}
			plain++
		}
		if n := s.published(); plain >= 0 && n > plain {
			c.report(s, "was asked %d times without a key, and published with %d ids", plain, n)
		}
	}
}

// published is how many ids of a story were published.
func (s *story) published() (n int) {
	for _, f := range s.flights {
		if len(f.published) > 0 {
			n++
		}
	}
	return n
}

// key is an idempotency key in its scope.
type key struct {
	state            uint64
	node, user, text string
}

// oneTreqPerKey: within a key's window at most one request that was not refused is published.
func (c *checker) oneTreqPerKey() {
	var byKey groups[key]
	for _, f := range c.order {
		if f.story == nil || len(f.published) == 0 {
			continue
		}
		first := f.story.attempts[0]
		if first.Key != "" && !f.refused(c.node(first), ^uint64(0)) {
			byKey.add(key{c.stateOf(f.published[0].Life), first.Node, first.User, first.Key}, f)
		}
	}
	byKey.each(func(k key, flights []*flight) {
		window := time.Duration(0)
		if n := c.names[k.node]; n != nil {
			window = n.Window
		}
		for i := 1; i < len(flights); i++ {
			c.apart(k, window, flights[i-1], flights[i])
		}
	})
}

// apart: two flights of one key are a window apart. Across a restart windows go by the wall clock.
func (c *checker) apart(k key, window time.Duration, one, two *flight) {
	a, b := one.published[0], two.published[0]
	if a.Life != b.Life && c.during(MovesClock, a.At, b.At) {
		return
	}
	if gap := b.At - a.At; gap < window-c.Slack {
		c.report(two.story, "key %q was published as %v, and %v later as %v; its window is %v", k.text, one.id, gap.Round(time.Millisecond), two.id, window)
	}
}

// conflict: who is told that his key is another request's is not the only one who has used it.
func (c *checker) conflict() {
	first, other := make(map[key]*attempt), make(map[key]*attempt) // other: the first one with another value
	for _, a := range c.attempts {
		k := key{0, a.Node, a.User, a.Key}
		switch f := first[k]; {
		case a.Key == "":
		case f == nil:
			first[k] = a
		case f.Marker != a.Marker && other[k] == nil:
			other[k] = a
		}
	}
	for _, a := range c.attempts {
		k := key{0, a.Node, a.User, a.Key}
		before := first[k]
		if before != nil && before.Marker == a.Marker {
			before = other[k]
		}
		for _, r := range a.replies {
			if r.Conflict && (before == nil || before.Seq > r.Seq) {
				c.report(a.story, "request %d was told that its key is that of another request, and there is none", a.Seq)
			}
		}
	}
}

// stateOf tells lives apart that do not share a state directory.
func (c *checker) stateOf(life uint32) uint64 {
	for _, l := range c.lives {
		if l.Number == life && l.State != 0 {
			return uint64(l.State)
		}
	}
	return 1<<32 | uint64(life)
}

// retrySafe: who is told that nothing was done can rely on it.
func (c *checker) retrySafe() {
	for _, a := range c.attempts {
		for _, r := range a.replies {
			if r.Way == Whole {
				c.wordsAgree(a, r)
				c.promise(a, r)
			}
		}
	}
}

// wordsAgree: the outcome's word and what is said about trying again fit each other.
func (c *checker) wordsAgree(a *attempt, r *Replied) {
	if r.RetrySafe == nil {
		return
	}
	if r.InDoubt {
		if *r.RetrySafe {
			c.report(a.story, "request %d ended in doubt with retrySafe true", a.Seq)
		}
		return
	}
	switch r.Outcome {
	case "not_published", "no_subscriber", "shed":
		if !*r.RetrySafe {
			c.report(a.story, "request %d ended as %s with retrySafe false", a.Seq, r.Outcome)
		}
	case "answered", "responder_error", "timeout", "bad_response":
		if *r.RetrySafe {
			c.report(a.story, "request %d ended as %s with retrySafe true", a.Seq, r.Outcome)
		}
	}
}

func (c *checker) promise(a *attempt, r *Replied) {
	if !r.saysSafe() {
		return
	}
	n := c.node(a)
	said := false // by the broker, that nobody has subscribed
	for _, f := range a.story.flights {
		for _, e := range f.acked {
			said = said || e.Reason == noMatchingSubscribers && e.Seq < r.Seq
		}
		if len(f.published)+len(f.delivered) == 0 || f.refused(n, r.Seq) || !mine(a, r, f) {
			continue
		}
		c.report(a.story, "request %d ended as %s, retry safe, and %v was published", a.Seq, r.Outcome, f.id)
	}
	if r.Outcome == "no_subscriber" && !said && !c.Blind {
		c.report(a.story, "request %d ended as no_subscriber, and the broker has not said so", a.Seq)
	}
}

// mine says that a flight was made by this attempt. Of several with one key it is the one whose
// reply has its id, or the only one that can have made it: what was sent may be seen long after its
// requester was told of a timeout. If that cannot be told, it is nobody's.
func mine(a *attempt, r *Replied, f *flight) bool {
	if len(a.story.attempts) == 1 {
		return true
	}
	if !r.ID.IsZero() {
		return r.ID == f.id
	}
	var at uint64
	if len(f.published) > 0 {
		at = f.published[0].Seq
	} else {
		at = f.delivered[0].Seq
	}
	if at < a.Seq {
		return false
	}
	for _, other := range a.story.attempts {
		if other != a && other.Seq < at && !other.out(at) {
			return false
		}
	}
	return true
}

// out says that an attempt had heard before that nothing of it was published, or ever will be.
func (a *attempt) out(seq uint64) bool {
	return len(a.replies) > 0 && a.replies[0].Seq < seq && a.replies[0].Way == Whole && a.replies[0].saysSafe()
}
