package history

// nothingHeld: at the end of a life that drained nothing is held.
func (c *checker) nothingHeld() {
	for _, n := range c.counts {
		if n.Held != 0 {
			c.report(nil, "node %s of life %d holds %d at the end", n.Node, n.Life, n.Held)
		}
	}
}

// tally is what requesters saw of one node in one life, up to when it was counted.
type tally struct {
	plain, keyed map[string]uint64 // replies by outcome, without and with a key
	repeats      uint64            // replies that were no transaction of their own
	unknown      uint64            // requests whose end the requester has not seen
}

// counters: what the gateway has counted is what its requesters have seen.
func (c *checker) counters() {
	tallies := c.tallies()
	for _, n := range c.counts {
		var sum uint64
		for _, count := range n.Outcomes {
			sum += count
		}
		if n.Begun != sum+n.Held {
			c.report(nil, "node %s of life %d: begun %d is not held %d and all outcomes %d", n.Node, n.Life, n.Begun, n.Held, sum)
		}
		c.answersAddUp(n)
		if t := tallies[n]; t != nil {
			c.repliesAddUp(n, t, sum)
		}
	}
}

// tallies counts the replies for each Counters.
func (c *checker) tallies() map[*Counters]*tally {
	at := make(map[place]*Counters)
	tallies := make(map[*Counters]*tally)
	for _, n := range c.counts {
		at[place{n.Life, n.Node}] = n
		tallies[n] = &tally{plain: make(map[string]uint64), keyed: make(map[string]uint64)}
	}
	for _, a := range c.attempts {
		if n := at[place{a.Life, a.Node}]; n != nil && a.Seq < n.Seq {
			tallies[n].add(a, n.Seq)
		}
	}
	return tallies
}

func (t *tally) add(a *attempt, until uint64) {
	r := a.whole()
	switch {
	case len(a.replies) == 1 && (a.replies[0].Way == Other || a.replies[0].Way == Unreached):
	case r == nil || r.Seq > until || r.Outcome == "":
		if r == nil || !r.Conflict {
			t.unknown++
		}
	case r.Conflict:
	case r.Replayed || r.InDoubt:
		t.repeats++
	case a.Key != "":
		t.keyed[r.Outcome]++
	default:
		t.plain[r.Outcome]++
	}
}

// repliesAddUp compares the outcomes. Of requests with a key it cannot be told which were one
// transaction together; those whose end nobody has seen may have ended as anything.
func (c *checker) repliesAddUp(n *Counters, t *tally, sum uint64) {
	replies := t.repeats
	for outcome, seen := range t.plain {
		replies += seen
		if n.Outcomes[outcome] < seen {
			c.report(nil, "node %s of life %d has counted %d as %s; requesters have seen %d", n.Node, n.Life, n.Outcomes[outcome], outcome, seen)
		}
	}
	for _, seen := range t.keyed {
		replies += seen
	}
	for outcome, counted := range n.Outcomes {
		if most := t.plain[outcome] + t.keyed[outcome] + t.unknown; counted > most {
			c.report(nil, "node %s of life %d has counted %d as %s; requesters can have seen %d at most", n.Node, n.Life, counted, outcome, most)
		}
	}
	if n.Repeats == nil {
		return
	}
	for kind, count := range n.Repeats {
		if kind != "conflict" {
			sum += count
		}
	}
	if sum < replies || sum > replies+t.unknown {
		c.report(nil, "node %s of life %d has counted %d ends with repeats; requesters have seen %d, and of %d no end", n.Node, n.Life, sum, replies, t.unknown)
	}
}

// answersAddUp compares the answers by kind with the outcomes, and with what was forwarded.
func (c *checker) answersAddUp(n *Counters) {
	o := n.Outcomes
	least := o["answered"] + o["responder_error"]
	// A rule may have failed at the answer; a cancelled one may have kept the place of its node.
	most := least + o["bad_response"] + o["rule_failed"] + o["cancelled"]
	if m := n.Answers["matched"]; m < least || m > most {
		c.report(nil, "node %s of life %d has matched %d answers; its outcomes say %d to %d", n.Node, n.Life, m, least, most)
	}
	var kinds uint64
	for _, count := range n.Answers {
		kinds += count
	}
	if node := c.names[n.Node]; node != nil && !c.Blind {
		if seen := c.perTopic[place{n.Life, node.Topic}]; kinds > seen {
			c.report(nil, "node %s of life %d has counted %d answers; only %d were forwarded to it", n.Node, n.Life, kinds, seen)
		}
	}
}
