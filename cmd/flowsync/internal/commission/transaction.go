package commission

import (
	"time"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/core/idempotency"
)

// The limits of what is below "transaction", in ms.
const (
	longestTimeout = int64(core.MaxTimeout / time.Millisecond)
	longestExtend  = longestTimeout
	// The table of keys has a bound, and forgets none before its window is over: with a longer
	// window than a week it would be full of keys that nobody asks for again.
	shortestWindow, defaultWindow = int64(1000), int64(idempotency.DefaultWindow / time.Millisecond)
	longestWindow                 = int64(idempotency.MaxWindow / time.Millisecond)
)

// usualPatience is how long HTTP clients, proxies and OPC UA clients wait at most, if nobody has
// told them otherwise; many wait for less.
const usualPatience = time.Minute

// transaction reads what is below "transaction" of a node that starts transactions; nil if it
// does not. The caller reads what its protocol adds, and calls done.
func (s *service) transaction(o *object, n *Node) *object {
	v := o.field("transaction")
	if n.Operation != Transaction {
		if v != nil && n.Operation != "" {
			s.errorf(v.pos, "%s has transaction properties, but its operation is %s", o.what, n.Operation)
		}
		return nil
	}
	if v == nil {
		v = &value{pos: o.val.pos}
	}
	t := s.object(v, "transaction of "+o.what)
	n.Transaction = TransactionOptions{
		Timeout: milliseconds(t.integer("timeout", int64(core.DefaultTimeout/time.Millisecond), 1, longestTimeout,
			"an integer from 1 to 3600000 (ms)")),
		TimeoutErrorMessage: t.text("timeoutErrorMessage", ""),
		MaxInFlight:         int(t.integer("maxInFlight", 0, 1, 1<<24, "an integer from 1 to 16777216")),
		ResponseRules:       t.rules("responseRules", true),
		Serial:              t.truth("serial"),
		Fallback:            s.fallback(t),
		MaxExtend:           milliseconds(t.integer("maxExtend", 0, 0, longestExtend, "an integer from 0 to 3600000 (ms)")),
		Outcomes:            t.truth("outcomes"),
		FailFast:            t.truth("failFast"),
		Wait:                t.oneOf("onDisconnect", "fail", "wait") == "wait",
	}
	if n.Transaction.FailFast && n.QoS != 1 {
		s.errorf(t.place("failFast"), "failFast of %s needs qos: 1 on the node, where it is %d: the broker tells only those who ask for an acknowledgement that nobody listens", t.what, n.QoS)
	}
	if n.Transaction.FailFast && n.Retain {
		s.errorf(t.place("failFast"), "failFast of %s does not go with retain: true: the broker keeps the request for those who come later, and to send it again would not be safe", t.what)
	}
	s.idempotency(t, &n.Transaction)
	return t
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// idempotency reads what keys mean. How a requester gives one is the protocol's.
func (s *service) idempotency(t *object, to *TransactionOptions) {
	to.Idempotency = t.truth("idempotency")
	window := milliseconds(t.integer("idempotencyWindow", defaultWindow, shortestWindow, longestWindow, "an integer from 1000 to 604800000 (ms)"))
	if to.Idempotency {
		to.IdempotencyWindow = window
		if longest := to.Timeout + to.MaxExtend; window < longest {
			s.errorf(t.place("idempotencyWindow"), "idempotencyWindow of %s is %d (ms), and a request may be held for %d: its key would be forgotten when that ends, and who repeats it then has it done twice", t.what, window.Milliseconds(), longest.Milliseconds())
		}
		return
	}
	if v := t.val.get("idempotency"); t.has("idempotencyWindow") && (v == nil || v.kind == boolKind) {
		s.errorf(t.place("idempotencyWindow"), "idempotencyWindow of %s is of no use without idempotency: true", t.what)
	}
}

// warnOfPatience warns where requesters may give up before the node does. It is what they and
// proxies between do by themselves: our servers cut nothing that is held. longest is how the
// text goes on about who may.
func (s *service) warnOfPatience(t *object, n *Node, who string) {
	longest := n.Transaction.Timeout + n.Transaction.MaxExtend
	if longest <= usualPatience {
		return
	}
	at, sum := t.place("timeout"), ""
	if n.Transaction.MaxExtend > 0 {
		sum = " (timeout and maxExtend)"
		if n.Transaction.Timeout <= usualPatience {
			at = t.place("maxExtend")
		}
	}
	s.warnf(at, "%s may hold a request for %d ms%s, and %s for no longer than %d ms: give them more, or a request may be done that nobody waits for", t.what, longest.Milliseconds(), sum, who, usualPatience.Milliseconds())
}

// The ones who may not wait as long as a node.
const (
	httpPatience  = "many HTTP clients and proxies keep a silent connection"
	opcuaPatience = "many OPC UA clients wait for a response"
)
