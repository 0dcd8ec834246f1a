package requester

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
)

// Options of requesters.
type Options struct {
	History *history.History // nil: nothing is recorded
	Life    func() uint32    // the gateway process that runs
	Tally   *Tally
	// Connect connects to the gateway's HTTP address.
	Connect func(ctx context.Context) (net.Conn, error)
	Host    string // what it is called in requests
	// Endpoint is the gateway's OPC UA address, opc.tcp://host:port/path.
	Endpoint string
	// Patience is how long after the node's longest time a requester gives up: that is a violation.
	Patience time.Duration
	// Lost is told of replies that nobody asked for, and of what should not be otherwise.
	Lost func(what string)
}

// asked is a request under way.
type asked struct {
	Request
	ask   uint64        // its number in the history
	hold  time.Duration // how long it is held if nobody answers, as far as the requester can know
	begun time.Time
}

// ask records that a request is about to be sent. limit is what the door makes of the requester's.
func (o *Options) ask(q Request, limit time.Duration) *asked {
	o.Tally.ask()
	a := &asked{Request: q, hold: q.Node.Timeout, begun: time.Now()}
	if limit > 0 {
		a.hold = min(a.hold, limit)
	}
	if o.History != nil {
		a.ask = o.History.Asked(history.Asked{
			Marker: q.Marker, Door: q.Node.Door, Node: q.Node.Name, Key: q.Key, Limit: limit, Life: o.Life(),
		})
	}
	return a
}

// ended records how a request ended.
func (o *Options) ended(a *asked, r history.Replied) {
	o.again(a, r)
	o.Tally.end(a.Node.Door, word(&r))
	if r.Outcome == "answered" && !r.Replayed {
		o.Tally.answered.Add(1)
	}
	if r.Way == history.Other {
		o.Lost(fmt.Sprintf("a request to %s was %s", a.Node.Name, word(&r)))
	}
	if r.Way == history.Whole && r.Outcome == "timeout" && a.Node.MaxExtend == 0 {
		o.Tally.timeout(time.Since(a.begun) - a.hold)
	}
}

// again records one more reply to a request that has ended.
func (o *Options) again(a *asked, r history.Replied) {
	if a.Node.Kind == Write && r.Marker == 0 && r.Outcome == "answered" {
		r.Marker = a.Marker // the reply to a Write is a status alone
	}
	r.Ask, r.Elapsed = a.ask, time.Since(a.begun)
	if o.History != nil {
		o.History.Replied(r)
	}
}

// words are how requests end that have no outcome.
var words = map[history.Way]string{
	history.Ended: "connection ended", history.Left: "left", history.Unreached: "unreached",
	history.Silent: "silent",
}

// word is how a request ended, for people.
func word(r *history.Replied) string {
	if w, ok := words[r.Way]; ok {
		return w
	}
	w := r.Outcome
	switch {
	case r.Way == history.Other:
		w = fmt.Sprintf("refused with %#x", r.Status)
	case r.Conflict:
		w = "conflict"
	case r.Fallback:
		w += ", substituted"
	case r.Replayed:
		w += ", replayed"
	case r.InDoubt:
		w += ", in doubt"
	}
	return w
}

// pause waits; false: ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
