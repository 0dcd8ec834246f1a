package history

import "time"

// node is that of a request; an empty one, which every rule can stand, if it is not known.
func (c *checker) node(a *attempt) *Node {
	if n := c.names[a.Node]; n != nil {
		return n
	}
	return &Node{Name: a.Node}
}

// limit is how long the gateway may hold a request at least and at most: without and with all that
// a responder may add.
func (c *checker) limit(a *attempt) (least, most time.Duration) {
	n := c.node(a)
	least, most = n.Timeout, n.Timeout+n.MaxExtend
	if a.Limit > 0 {
		least, most = min(least, a.Limit), min(most, a.Limit)
	}
	return least, most
}

// took is how long a request took. The requester's own figure may be the closer one, and is never
// above that of the two events, which enclose it.
func (a *attempt) took(r *Replied) time.Duration {
	if d := r.At - a.At; r.Elapsed == 0 || r.Elapsed > d {
		return d
	}
	return r.Elapsed
}

// refused says that the broker has refused it before seq, so that it never got to anybody.
func (f *flight) refused(n *Node, seq uint64) bool {
	for _, e := range f.acked {
		if e.Seq < seq && (e.Reason >= 0x80 || e.Reason == noMatchingSubscribers && n.FailFast) {
			return true
		}
	}
	return false
}

// noMatchingSubscribers is the reason of MQTT 5 section 3.4.2.1.
const noMatchingSubscribers = 0x10

// usable says that an answer has something in it for its transaction on this topic.
func (e *Answer) usable(topic string) bool {
	return !e.Malformed && !e.Stale && !e.Extend && !e.Empty && e.Topic == topic
}

// answerBefore finds an answer to one of a story's requests that was forwarded before seq, after
// its request was seen.
func (s *story) answerBefore(seq uint64, match func(*flight, *Answer) bool) *Answer {
	for _, f := range s.flights {
		for _, e := range f.answers {
			if e.Seq < seq && len(f.published) > 0 && f.published[0].Seq < e.Seq && match(f, e) {
				return e
			}
		}
	}
	return nil
}

// tampered says that an answer brought this marker before seq because it, or the request, was
// changed on purpose.
func (s *story) tampered(marker, seq uint64) bool {
	return s.answerBefore(seq, func(f *flight, e *Answer) bool {
		return e.Marker == marker && (e.Tampered || len(f.altered) > 0)
	}) != nil
}

// saysSafe says that a reply promises that nothing was done. One in doubt promises nothing by its
// outcome: that is its own (it may have been shed), the doubt is about an earlier request.
func (r *Replied) saysSafe() bool {
	if r.InDoubt {
		return r.RetrySafe != nil && *r.RetrySafe
	}
	return r.RetrySafe != nil && *r.RetrySafe || r.Outcome == "not_published" || r.Outcome == "no_subscriber" || r.Outcome == "shed"
}
