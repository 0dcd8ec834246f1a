package history

// recorded: the history is complete, replies have requests, and what was published was asked for.
func (c *checker) recorded() {
	if c.full {
		c.report(nil, "the history is full: what came later is not in it; give New a larger limit")
	}
	for _, r := range c.orphans {
		c.report(nil, "reply %d is to request %d, which nobody has made", r.Seq, r.Ask)
	}
	for _, f := range c.order {
		for _, e := range f.published {
			switch {
			case f.story == nil:
				c.report(nil, "%v was published on %s with the marker %s, which nobody has sent", f.id, e.Topic, Text(e.Marker))
			case e.Seq < f.story.attempts[0].Seq:
				c.report(f.story, "%v was published before it was asked for", f.id)
			}
		}
		if len(f.delivered) > 0 && len(f.published) == 0 && !c.Blind && !c.during(LosesRequests, f.delivered[0].At, f.delivered[0].At) {
			c.report(f.story, "%v got to a responder, and the tap has not seen it", f.id)
		}
	}
	for _, a := range c.attempts {
		if a.Marker == 0 || a.Marker == Mixed {
			c.report(a.story, "request %d has no marker", a.Seq)
		}
		if c.names[a.Node] == nil {
			c.report(a.story, "request %d is on node %q, which the check was not told of", a.Seq, a.Node)
		}
	}
}

// oneReply: every request has exactly one end, and one without a reply has a reason.
func (c *checker) oneReply() {
	for _, a := range c.attempts {
		switch len(a.replies) {
		case 1:
			c.oneEnd(a, a.replies[0])
		case 0:
			c.report(a.story, "request %d has no end", a.Seq)
		default:
			c.report(a.story, "request %d has %d replies", a.Seq, len(a.replies))
		}
	}
}

func (c *checker) oneEnd(a *attempt, r *Replied) {
	switch r.Way {
	case Silent:
		if !c.during(DelaysReplies, a.At, r.At) {
			c.report(a.story, "request %d got nothing for %v", a.Seq, a.took(r))
		}
	case Ended, Unreached:
		if !c.during(EndsConnections, a.At, r.At) && !c.gatewayGone(a.At, r.At) {
			c.report(a.story, "the connection of request %d ended after %v, and no fault says why", a.Seq, a.took(r))
		}
	}
	if r.Seq < a.Seq {
		c.report(a.story, "request %d was answered before it was asked", a.Seq)
	}
}

// answered: what says answered, responder_error or bad_response has an answer to its own id, which
// was forwarded to the gateway before.
func (c *checker) answered() {
	if c.Blind {
		return
	}
	for _, a := range c.attempts {
		r := a.whole()
		if r == nil {
			continue
		}
		topic := c.node(a).Topic
		var match func(*flight, *Answer) bool
		switch r.Outcome {
		case "answered":
			match = func(_ *flight, e *Answer) bool { return e.usable(topic) && !e.Error }
		case "responder_error":
			match = func(_ *flight, e *Answer) bool { return e.usable(topic) && e.Error }
		case "bad_response": // the id may be the only thing that is right
			match = func(_ *flight, e *Answer) bool { return e.Topic == topic }
		default:
			continue
		}
		if a.story.answerBefore(r.Seq, match) == nil {
			c.report(a.story, "request %d ended as %s without such an answer to it", a.Seq, r.Outcome)
		}
	}
}

// ownData: a reply carries its own request's marker and id.
func (c *checker) ownData() {
	for _, a := range c.attempts {
		for _, r := range a.replies {
			if r.Way != Whole {
				continue
			}
			own := r.Marker == a.Marker || r.Marker == 0 && (r.Outcome != "answered" || r.Fallback)
			if !own && !a.story.tampered(r.Marker, r.Seq) {
				c.report(a.story, "request %d got the data of %s", a.Seq, markerText(r.Marker))
			}
			if f := c.flights[r.ID]; f != nil && !r.ID.IsZero() && f.story != nil && f.story != a.story {
				c.report(a.story, "request %d got the id %v of another", a.Seq, r.ID)
			}
		}
	}
}

// told: a responder hears at most once how it ended, and the same as the requester.
func (c *checker) told() {
	for _, f := range c.order {
		if len(f.told) > 1 {
			c.report(f.story, "the end of %v was told %d times", f.id, len(f.told))
		}
		if len(f.told) != 1 || f.story == nil || len(f.story.attempts) != 1 {
			continue // of several requests with one key each has its own end
		}
		a := f.story.attempts[0]
		if r := a.whole(); r != nil && r.Outcome != "" && r.Outcome != f.told[0].Outcome {
			c.report(f.story, "request %d ended as %s, and the responder was told %s", a.Seq, r.Outcome, f.told[0].Outcome)
		}
	}
}

func markerText(m uint64) string {
	switch m {
	case 0:
		return "nobody"
	case Mixed:
		return "several"
	default:
		return Text(m)
	}
}
