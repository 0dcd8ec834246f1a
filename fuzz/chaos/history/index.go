package history

import (
	"cmp"
	"slices"
	"time"
)

// attempt is one request and how it ended for its requester.
type attempt struct {
	*Asked
	replies []*Replied
	story   *story
}

// whole is the reply of a request that has got exactly one; nil otherwise.
func (a *attempt) whole() *Replied {
	if len(a.replies) == 1 && a.replies[0].Way == Whole {
		return a.replies[0]
	}
	return nil
}

// flight is one id: a transaction that was published, or is answered.
type flight struct {
	id        ID
	published []*Published
	acked     []*Acked
	answers   []*Answer
	told      []*Told
	delivered []*Delivered
	partial   []*Partial
	altered   []*Altered
	story     *story // whose request it is; nil if nobody asked for it
}

// story is all that has one marker: one request, or several with the same key.
type story struct {
	marker   uint64
	attempts []*attempt
	flights  []*flight
}

// span is the time of a gateway process.
type span struct {
	*Life
	from, to time.Duration
	over     bool
	drained  bool
}

// index is a history as the rules look at it.
type index struct {
	full     bool
	names    map[string]*Node
	topics   map[string]*Node
	attempts []*attempt // in the order in which they were asked
	asks     map[uint64]*attempt
	orphans  []*Replied // replies to nothing
	stories  map[uint64]*story
	flights  map[ID]*flight
	order    []*flight // the same, as they were first seen
	counts   []*Counters
	faults   []*Fault
	lives    []*span
	cuts     map[uint64]time.Duration
	perTopic map[place]uint64 // answers forwarded
}

// groups are flights that belong together, in the order in which the groups were first seen.
type groups[K comparable] struct {
	of    map[K][]*flight
	order []K
}

func (g *groups[K]) add(to K, f *flight) {
	if g.of == nil {
		g.of = make(map[K][]*flight)
	}
	if g.of[to] == nil {
		g.order = append(g.order, to)
	}
	g.of[to] = append(g.of[to], f)
}

// each calls f with every group, the flights in the order in which they were published.
func (g *groups[K]) each(f func(K, []*flight)) {
	for _, k := range g.order {
		flights := g.of[k]
		slices.SortFunc(flights, func(a, b *flight) int { return cmp.Compare(a.published[0].Seq, b.published[0].Seq) })
		f(k, flights)
	}
}

// place is a node in a life.
type place struct {
	life uint32
	name string
}

func newIndex(h *History, nodes []Node) *index {
	x := &index{
		full:  h.seq.Load() > h.limit,
		names: make(map[string]*Node), topics: make(map[string]*Node),
		asks: make(map[uint64]*attempt, h.asked.len()), stories: make(map[uint64]*story, h.asked.len()),
		flights: make(map[ID]*flight, h.published.len()), cuts: make(map[uint64]time.Duration), perTopic: make(map[place]uint64),
	}
	for i := range nodes {
		x.names[nodes[i].Name], x.topics[nodes[i].Topic] = &nodes[i], &nodes[i]
	}
	x.addRequests(h)
	x.addFlights(h)
	x.addLives(h)
	h.counters.each(func(e *Counters) { x.counts = append(x.counts, e) })
	h.faults.each(func(e *Fault) { x.faults = append(x.faults, e) })
	h.cuts.each(func(e *Cut) { x.cuts[e.Conn] = e.At })
	return x
}

// addRequests joins requests and their ends.
func (x *index) addRequests(h *History) {
	h.asked.each(func(e *Asked) {
		a := &attempt{Asked: e, story: x.storyOf(e.Marker)}
		a.story.attempts = append(a.story.attempts, a)
		x.attempts = append(x.attempts, a)
		x.asks[e.Seq] = a
	})
	bySeq := func(a, b *attempt) int { return cmp.Compare(a.Seq, b.Seq) }
	slices.SortFunc(x.attempts, bySeq)
	for _, s := range x.stories {
		slices.SortFunc(s.attempts, bySeq)
	}
	h.replied.each(func(e *Replied) {
		if a := x.asks[e.Ask]; a != nil {
			a.replies = append(a.replies, e)
			return
		}
		x.orphans = append(x.orphans, e)
	})
}

// addFlights joins what was seen on the wire, by id, and each id to the story of its marker.
func (x *index) addFlights(h *History) {
	h.published.each(func(e *Published) {
		f := x.flightOf(e.ID)
		f.published = append(f.published, e)
		x.join(f, e.Marker)
	})
	h.delivered.each(func(e *Delivered) {
		f := x.flightOf(e.ID)
		f.delivered = append(f.delivered, e)
		x.join(f, e.Marker)
	})
	h.partial.each(func(e *Partial) {
		if !e.ID.IsZero() {
			f := x.flightOf(e.ID)
			f.partial = append(f.partial, e)
			x.join(f, e.Marker)
		}
	})
	h.acked.each(func(e *Acked) { f := x.flightOf(e.ID); f.acked = append(f.acked, e) })
	h.altered.each(func(e *Altered) { f := x.flightOf(e.ID); f.altered = append(f.altered, e) })
	h.told.each(func(e *Told) { f := x.flightOf(e.ID); f.told = append(f.told, e) })
	h.answers.each(func(e *Answer) {
		x.perTopic[place{e.Life, e.Topic}]++
		if f := x.flights[e.ID]; f != nil { // others were asked for by nobody here
			f.answers = append(f.answers, e)
		}
	})
	for _, f := range x.order {
		slices.SortFunc(f.published, func(a, b *Published) int { return cmp.Compare(a.Seq, b.Seq) })
	}
}

func (x *index) addLives(h *History) {
	byNumber := make(map[uint32]*span)
	h.lives.each(func(e *Life) {
		l := &span{Life: e, from: e.At}
		byNumber[e.Number] = l
		x.lives = append(x.lives, l)
	})
	h.ends.each(func(e *LifeEnded) {
		if l := byNumber[e.Number]; l != nil {
			l.to, l.over, l.drained = e.At, true, e.Drained
		}
	})
}

func (x *index) storyOf(marker uint64) *story {
	s := x.stories[marker]
	if s == nil {
		s = &story{marker: marker}
		x.stories[marker] = s
	}
	return s
}

func (x *index) flightOf(id ID) *flight {
	f := x.flights[id]
	if f == nil {
		f = &flight{id: id}
		x.flights[id] = f
		x.order = append(x.order, f)
	}
	return f
}

// join says whose request a flight is.
func (x *index) join(f *flight, marker uint64) {
	if s := x.stories[marker]; s != nil && f.story == nil {
		f.story = s
		s.flights = append(s.flights, f)
	}
}
