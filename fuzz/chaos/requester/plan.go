package requester

import (
	"math/rand/v2"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/script"
)

// Request is what is asked once, or several times with one key.
type Request struct {
	Node   *Node
	Marker uint64
	Key    string // idempotency key; "": none
	// Limit is how long the requester says it waits; 0: it does not say.
	Limit time.Duration
	// Prefer says it with Prefer: wait, in whole seconds, instead of Request-Timeout.
	Prefer bool
	// Leave is after how long the requester goes away, or cancels; 0: it stays.
	Leave time.Duration
	// Twin: it is asked twice at the same time, with its key.
	Twin bool
	// Tries is how often it is asked in all, at most, while there is no answer. 1 without a key.
	Tries int
	// Repeat: after an answer it is asked once more, with its key.
	Repeat bool
	// Clash is the marker of another request that comes last, with the same key; 0: there is none.
	Clash uint64
}

// other is the request that comes with a key which is not its own.
func (q Request) other() Request {
	q.Marker, q.Leave = q.Clash, 0
	return q
}

// Added to a number, these make one that no request of a line has: clashing that of a request which comes
// with another's key, unread those of requesters that read nothing.
const (
	clashing = 1 << 41
	unread   = 1 << 40
)

// Planner decides what requests are like, by their numbers and a seed alone.
type Planner struct {
	Seed  uint64
	Nodes []Node
	Mix   Mix
}

// Mix is how many requests of a hundred are out of the ordinary.
type Mix struct {
	Odd     int // the responder disturbs, and answers in the end
	Failing int // there is no answer in time, as a rule
	Leaving int // the requester does not wait for the reply
}

// Plan is request number n, from 1. The same seed, nodes and number make the same request.
func (p *Planner) Plan(n uint64) Request {
	r := rand.New(rand.NewPCG(p.Seed, n))
	q := Request{Node: p.node(r), Tries: 1}
	s := p.script(r, q.Node)
	q.Marker = script.Marker(n, s)
	q.limit(r)
	if q.Node.Window > 0 {
		q.Key = "key-" + string(appendNumber(nil, n))
		q.Tries = 1 + r.IntN(4)
		q.Twin, q.Repeat = r.IntN(4) == 0, r.IntN(3) == 0
		if r.IntN(4) == 0 {
			q.Clash = script.Marker(n|clashing, script.Echo)
		}
	}
	if r.IntN(100) < p.Mix.Leaving {
		q.Leave = time.Duration(1+r.IntN(100)) * time.Millisecond
	}
	return q
}

// node draws a node.
func (p *Planner) node(r *rand.Rand) *Node {
	all := 0
	for i := range p.Nodes {
		all += p.Nodes[i].Share
	}
	at := r.IntN(all)
	for i := range p.Nodes {
		if at -= p.Nodes[i].Share; at < 0 {
			return &p.Nodes[i]
		}
	}
	return &p.Nodes[0] // not reached
}

// odd are the scripts that come now and then.
var odd = []script.Script{
	script.Slow, script.Twice, script.Again, script.Malformed, script.Stranger, script.Disagree,
	script.Past, script.Correlated, script.Upper, script.Big,
}

// failing are those after which there is no answer in time, as a rule.
var failing = []script.Script{script.Late, script.Late, script.Silent, script.Error, script.Unusable, script.Endless}

// script draws a script. Most requests are answered: those that wait for their deadline hold up the ones behind.
func (p *Planner) script(r *rand.Rand, n *Node) script.Script {
	draw, which := r.IntN(100), r.IntN(1000)
	rest := 100 - p.Mix.Odd - p.Mix.Failing
	switch {
	case n.MaxExtend > 0 && draw < 10:
		return script.Extend
	case draw < rest*2/3:
		return script.Echo
	case draw < rest:
		return script.Soon
	case draw < 100-p.Mix.Failing:
		return odd[which%len(odd)]
	case n.Serial && which%3 > 0: // whoever holds the only place holds up all
		return script.Soon
	}
	return failing[which%len(failing)]
}

// limit draws how long the requester says it waits.
func (q *Request) limit(r *rand.Rand) {
	draw, of := r.IntN(100), r.Int64N(int64(q.Node.Timeout))
	switch {
	case draw < 6:
		q.Limit = max(50*time.Millisecond, time.Duration(of)).Round(time.Millisecond)
	case draw < 9 && q.Node.Door == "http":
		q.Limit, q.Prefer = time.Second, true
	case draw < 20 && q.Node.Door != "http":
		q.Limit = 10 * time.Second // clients of OPC UA say how long they wait, as a rule
	}
}

// appendNumber appends a number in digits that have the same length for all numbers there are.
func appendNumber(dst []byte, n uint64) []byte {
	var digits [16]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = '0' + byte(n%10)
		n /= 10
	}
	return append(dst, digits[:]...)
}
