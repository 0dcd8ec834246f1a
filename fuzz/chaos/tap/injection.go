package tap

import (
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
)

// Injection is a fault that is switched on.
type Injection struct {
	Fault
	tap   *Tap
	hits  atomic.Uint64
	left  atomic.Int64 // how many more are hit, where Count says so
	once  sync.Once
	ended chan struct{} // closed when it is switched off
}

// End switches the fault off. What it has delayed still comes; connections on which it has
// swallowed something are reset. It may be called more than once.
func (i *Injection) End() { i.once.Do(func() { i.tap.remove(i) }) }

// Hits is how often it has done something: packets hit, or connections refused.
func (i *Injection) Hits() uint64 { return i.hits.Load() }

// matches says whether the fault is for a packet.
func (i *Injection) matches(p *Packet) bool {
	if i.Dir&p.Dir == 0 || !strings.Contains(p.Client, i.Client) || i.Kind == Refuse || i.Kind == Slam {
		return false
	}
	if i.whole() {
		return true
	}
	if i.Topic != "" && (p.Type != typePublish || !strings.HasSuffix(p.Topic, i.Topic)) {
		return false
	}
	switch i.Kind {
	case RewriteAck:
		if p.Type != typePuback && p.Type != typePubrec {
			return false
		}
	case CorruptPayload:
		if p.Type != typePublish || len(p.Payload) == 0 {
			return false
		}
	}
	if i.Type == 0 {
		return p.Type != typeConnect && p.Type != typeConnack
	}
	return p.Type == i.Type
}

// hit decides whether a packet that matches is hit.
func (i *Injection) hit(r *rand.Rand) bool {
	if i.Rate != 0 && r.Float64() >= i.Rate {
		return false
	}
	if i.Count > 0 && i.left.Add(-1) < 0 {
		return false
	}
	i.hits.Add(1)
	return true
}
