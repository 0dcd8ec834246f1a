package core

import (
	"errors"
)

var errIDsDisagree = errors.New("id in the payload and Correlation Data disagree")

// Resolve implements [Sink]. What races here, and who wins:
//
//  1. The answer may come before Publish has returned: the transaction was in the table
//     before, so it is found.
//  2. The deadline, a cancel or a second answer may come at the same moment on another
//     goroutine: whoever takes the transaction out of its shard ends it, here and there.
//  3. The slot may have been given to another transaction meanwhile: its random bits differ,
//     so the id finds nothing.
func (e *Engine) Resolve(a Answer) bool {
	if a.Stale {
		return e.stray(a, Stray{Kind: Stale})
	}
	var read answerScanner
	err := read.decode(a.Payload)
	reply := &read.reply
	reply.Payload = a.Payload
	if err == nil {
		err = identify(reply, a.CorrelationData)
	}
	k := reply.ID.key()
	switch {
	case err != nil:
		return e.stray(a, Stray{Kind: Malformed, Err: err})
	case reply.ID.IsZero(): // an id, but none that flowsync has made
		return e.stray(a, Stray{Kind: Unknown})
	case !e.own(k):
		return e.stray(a, Stray{Kind: Foreign, ID: reply.ID})
	}
	if reply.extendsOnly() {
		e.extend(a, k, reply.Extend)
		return false
	}
	shard := e.shardOf(k)
	// Inspect may be costly and may keep state: it is for answers that can still end something.
	// One that cannot is only counted, whatever it says.
	r := Result{Outcome: Answered}
	if a.Node.options.Inspect == nil {
		e.resultOf(a.Node, reply, &r)
	} else if reply.Completer = shard.holder(k, a.Node); reply.Completer != nil {
		e.resultOf(a.Node, reply, &r)
	}
	now := e.clock.now()
	var h held
	kind, before := shard.answer(k, a.Node, r.Outcome, now, &h)
	if kind != Matched {
		e.observe(a, Stray{Kind: kind, ID: reply.ID, Outcome: before.outcome, Lateness: before.ago})
		if a.Node.gate != nil { // its requester may have gone, and others wait for its place
			e.vacate(a.Node.gate, k)
		}
		return false
	}
	e.finish(&h, &r, now)
	return true
}

// identify finds the id of an answer: the payload's, or else the Correlation Data.
func identify(reply *Reply, correlation []byte) error {
	switch {
	case len(correlation) == 0 && reply.HasID: // some libraries send the property empty
		return nil
	case len(correlation) == 0:
		return errors.New("no id in the payload and no Correlation Data")
	case reply.HasID:
		if string(correlation) != string(reply.ID[:]) {
			return errIDsDisagree
		}
		return nil
	case len(correlation) != len(reply.ID):
		return errors.New("no id in the payload, and the Correlation Data is not 16 bytes")
	}
	copy(reply.ID[:], correlation)
	reply.HasID = true
	return nil
}

// resultOf says in r how a reply ends its transaction.
func (e *Engine) resultOf(node *Node, reply *Reply, r *Result) {
	if node.options.Inspect != nil && reply.Problem == nil && (reply.Value != nil || reply.Error != nil) {
		if err := e.inspect(node, reply); err != nil {
			r.Outcome, r.Message = BadResponse, err.Error()
			if errors.Is(err, ErrRuleFailed) {
				r.Outcome = RuleFailed
			}
			return
		}
	}
	switch {
	case reply.Problem != nil:
		r.Outcome, r.Message = BadResponse, reply.Problem.Error()
	case reply.Error != nil:
		r.Outcome, r.Code, r.CodeName, r.Message = ResponderError, reply.Error.Code, reply.Error.CodeName, reply.Error.Message
	case reply.Value == nil: // Inspect has taken it
		r.Outcome, r.Message = BadResponse, errNothingInIt.Error()
	default:
		r.Outcome, r.Value, r.Extra = Answered, reply.Value, reply.Extra
	}
}

// inspect gives the node's Inspect a copy, so that replies stay off the heap: that one is used
// again, and dropped if Inspect panics.
func (e *Engine) inspect(node *Node, reply *Reply) error {
	own := e.replies.Get().(*Reply)
	*own = *reply
	err := node.options.Inspect(own)
	own.ID, own.HasID = reply.ID, reply.HasID
	*reply, *own = *own, Reply{}
	e.replies.Put(own)
	return err
}

// stray counts and reports an answer that names no transaction of this engine.
func (e *Engine) stray(a Answer, s Stray) bool {
	e.shardOf(s.ID.key()).count(a.Node, s.Kind)
	e.observe(a, s)
	return false
}

func (e *Engine) observe(a Answer, s Stray) {
	if e.options.Observer != nil {
		s.Payload = a.Payload
		e.options.Observer.Stray(a.Node, &s)
	}
}
