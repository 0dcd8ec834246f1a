package history

import (
	"slices"
	"time"
)

// tick is that of the gateway's clock of deadlines.
const tick = time.Millisecond

// drainAtMost is how long before a gateway's end those may be sent away that wait for a late answer.
const drainAtMost = 15 * time.Second

// neverEarly: who hears of a timeout has waited for his whole time.
func (c *checker) neverEarly() {
	for _, a := range c.attempts {
		r := a.whole()
		if r == nil || r.Outcome != "timeout" {
			continue
		}
		least, _ := c.limit(a)
		if took := a.took(r); took < least-tick && !(r.InDoubt && c.drained(r.At)) {
			c.report(a.story, "request %d ended as timeout after %v; its deadline is %v", a.Seq, took, least)
		}
	}
}

// drained says that a gateway was draining, or may have been.
func (c *checker) drained(at time.Duration) bool {
	for _, l := range c.lives {
		if l.over && l.drained && at <= l.to && l.to-at < drainAtMost {
			return true
		}
	}
	return false
}

// inTime: every reply comes by the deadline, unless something does not run.
func (c *checker) inTime() {
	for _, a := range c.attempts {
		for _, r := range a.replies {
			_, most := c.limit(a)
			if most == 0 || r.Way != Whole || r.At-a.At <= most+c.Tolerance || c.during(DelaysReplies, a.At, r.At) {
				continue
			}
			c.report(a.story, "request %d ended as %s after %v; its deadline is %v", a.Seq, r.Outcome, a.took(r), most)
		}
	}
}

// lostWaiter: who hears of a timeout has got no answer that was there in time.
func (c *checker) lostWaiter() {
	for _, a := range c.attempts {
		r := a.whole()
		if r == nil || r.Outcome != "timeout" || a.spoilt() {
			continue
		}
		least, _ := c.limit(a)
		deadline := a.At + least
		topic := c.node(a).Topic
		e := a.story.answerBefore(r.Seq, func(_ *flight, e *Answer) bool {
			return e.usable(topic) && !e.Tampered && e.At+c.Slack < deadline && !c.mayBeLost(e, r.At)
		})
		if e != nil {
			c.report(a.story, "request %d ended as timeout, and its answer was there %v before the deadline", a.Seq, (deadline - e.At).Round(time.Millisecond))
		}
	}
}

// spoilt says that an earlier request with the same key had an answer that could not be used: the
// later ones wait for a better one.
func (a *attempt) spoilt() bool {
	return a.Key != "" && slices.ContainsFunc(a.story.attempts, func(other *attempt) bool {
		r := other.whole()
		return r != nil && (r.Outcome == "bad_response" || r.Outcome == "rule_failed")
	})
}

// mayBeLost says that an answer that was forwarded may not have got into the gateway that asked.
func (c *checker) mayBeLost(e *Answer, until time.Duration) bool {
	if cut, ok := c.cuts[e.Conn]; ok && cut >= e.At && cut <= until {
		return true
	}
	for _, l := range c.lives {
		if l.Number == e.Life && l.over && l.to <= until {
			return true
		}
	}
	return c.during(LosesAnswers|DelaysReplies, e.At, until)
}

// serial: on a serial node the next request leaves when the one before was answered, refused, or
// is past its deadline.
func (c *checker) serial() {
	var byNode groups[place]
	for _, f := range c.order {
		if f.story == nil || len(f.published) == 0 {
			continue
		}
		if n := c.names[f.story.attempts[0].Node]; n != nil && n.Serial {
			byNode.add(place{f.published[0].Life, n.Name}, f)
		}
	}
	byNode.each(func(_ place, flights []*flight) {
		for i := 1; i < len(flights); i++ {
			if next := flights[i].published[0]; !c.free(flights[i-1], next) {
				c.report(flights[i].story, "%v left while %v was not answered", flights[i].id, flights[i-1].id)
			}
		}
	})
}

// free says whether a flight no longer keeps the place of its serial node.
func (c *checker) free(before *flight, next *Published) bool {
	a := before.story.attempts[0]
	least, _ := c.limit(a)
	if next.At >= a.At+least-tick || before.refused(c.node(a), next.Seq) {
		return true
	}
	for _, r := range a.replies {
		if r.Seq < next.Seq && r.Way == Whole {
			return true
		}
	}
	return slices.ContainsFunc(before.answers, func(e *Answer) bool { return e.Seq < next.Seq })
}
