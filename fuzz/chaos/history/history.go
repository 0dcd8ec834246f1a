package history

import (
	"sync/atomic"
	"time"
)

// DefaultLimit is how many events a history keeps if it is not told otherwise.
const DefaultLimit = 50_000_000

// History records events. All methods may be called by several goroutines at once; none blocks
// longer than it takes to append. An event's Stamp is set when it is recorded, before the call
// returns: what is recorded before something is done is before all that this causes.
type History struct {
	started time.Time
	seq     atomic.Uint64
	limit   uint64

	lives     log[Life]
	ends      log[LifeEnded]
	asked     log[Asked]
	replied   log[Replied]
	published log[Published]
	partial   log[Partial]
	acked     log[Acked]
	altered   log[Altered]
	delivered log[Delivered]
	answers   log[Answer]
	told      log[Told]
	cuts      log[Cut]
	counters  log[Counters]
	faults    log[Fault]
}

// New returns an empty history that keeps at most limit events; 0: [DefaultLimit]. What comes
// later is not kept, and [Check] says so.
func New(limit int) *History {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return &History{started: time.Now(), limit: uint64(limit)}
}

// Now is the time since the history began.
func (h *History) Now() time.Duration { return time.Since(h.started) }

// Len is how many events are kept.
func (h *History) Len() int { return int(min(h.seq.Load(), h.limit)) }

// Asked records a request and returns what [Replied.Ask] must be.
func (h *History) Asked(e Asked) uint64 { return record(h, &h.asked, e) }

// Replied records how a request ended for the requester.
func (h *History) Replied(e Replied) { record(h, &h.replied, e) }

// Published records a whole request as it left the gateway.
func (h *History) Published(e Published) { record(h, &h.published, e) }

// Partial records the beginning of a request whose rest never came.
func (h *History) Partial(e Partial) { record(h, &h.partial, e) }

// Acked records what the broker said of a request.
func (h *History) Acked(e Acked) { record(h, &h.acked, e) }

// Altered records that a request is forwarded otherwise than it was published.
func (h *History) Altered(e Altered) { record(h, &h.altered, e) }

// Delivered records a request as a responder got it.
func (h *History) Delivered(e Delivered) { record(h, &h.delivered, e) }

// Answer records an answer on its way into the gateway.
func (h *History) Answer(e Answer) { record(h, &h.answers, e) }

// Told records what the gateway told a responder of the end.
func (h *History) Told(e Told) { record(h, &h.told, e) }

// Cut records the end of a connection between gateway and broker.
func (h *History) Cut(e Cut) { record(h, &h.cuts, e) }

// Life records that a gateway process begins.
func (h *History) Life(e Life) { record(h, &h.lives, e) }

// LifeEnded records that a gateway process is gone.
func (h *History) LifeEnded(e LifeEnded) { record(h, &h.ends, e) }

// Counters records what a gateway has counted. The maps are kept.
func (h *History) Counters(e Counters) { record(h, &h.counters, e) }

// Fault records that something is done on purpose, from now until the returned function is
// called, which is when its effect is over. It may be called more than once; the first counts.
func (h *History) Fault(kind, detail string, effect Effect) (over func()) {
	from := h.Now()
	var once atomic.Bool
	return func() {
		if once.CompareAndSwap(false, true) {
			record(h, &h.faults, Fault{Kind: kind, Detail: detail, Effect: effect, From: from, To: h.Now()})
		}
	}
}

// set is how record reaches the stamp of any event.
func (s *Stamp) set(to Stamp) { *s = to }

// record numbers an event and keeps it, unless the history is full.
func record[T any, P interface {
	*T
	set(Stamp)
}](h *History, l *log[T], e T) uint64 {
	s := Stamp{Seq: h.seq.Add(1), At: h.Now()}
	P(&e).set(s)
	if s.Seq <= h.limit {
		l.add(e)
	}
	return s.Seq
}
