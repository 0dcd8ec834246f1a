package load

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxOutcomes bounds the words that are counted: they come from the network.
	maxOutcomes    = 24
	maxOutcomeSize = 64
	otherOutcomes  = "other"
	// maxExcerpts is how many faults are told in words.
	maxExcerpts    = 5
	maxExcerptSize = 600
	// maxGroups bounds the histograms, of some 200 KB each.
	maxGroups = 8
)

// sample is one request. Times are counted from the beginning of the run.
type sample struct {
	Verdict
	seq       uint64
	busy      bool          // it waited for a lane
	intended  time.Duration // when it was to start
	start     time.Duration // when it was asked
	end       time.Duration // when its verdict was known
	abandoned bool          // nobody waited long enough to know
}

// recorder keeps what was measured, in a size that does not depend on how much that is.
type recorder struct {
	schedule schedule
	groups   []*group
	asked    atomic.Int64 // requests of a closed loop

	mu       sync.Mutex // guards all below; leaf
	excerpts []string
}

// group records for some of the lanes, so that they do not all wait for one lock.
type group struct {
	mu       sync.Mutex // guards all below; leaf
	outcomes map[string]*tally
	lag      times  // how late a lane was that was free
	waited   uint64 // counted requests that waited for a lane
	good     uint64 // right answers that came while counting, whenever they were asked
	abandon  uint64

	// since the first start, for progress
	right, lost, wrong, duplicate uint64
}

// tally is what became of the counted requests with one outcome.
type tally struct {
	count   uint64
	latency times
}

func newRecorder(lanes int, s schedule) *recorder {
	r := &recorder{schedule: s, groups: make([]*group, min(lanes, 2*runtime.GOMAXPROCS(0), maxGroups))}
	for i := range r.groups {
		r.groups[i] = &group{
			lag:      newTimes(),
			outcomes: map[string]*tally{Answered: {latency: newTimes()}},
		}
	}
	return r
}

func (r *recorder) group(lane int) *group { return r.groups[lane%len(r.groups)] }

// number is the next one of a closed loop.
func (r *recorder) number() int { return int(r.asked.Add(1) - 1) }

// record takes what became of a request.
func (r *recorder) record(g *group, s sample) {
	if s.Err != nil && (s.Wrong || s.Outcome == Lost) && !s.abandoned {
		r.excerpt(s)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.duplicate += uint64(max(0, s.Duplicates))
	right := s.Outcome == Answered && !s.Wrong
	switch {
	case s.abandoned:
		if s.intended >= r.schedule.counted {
			g.abandon++
		}
		return
	case s.Wrong:
		g.wrong++
		s.Outcome = Wrong
	case right:
		g.right++
		if s.end >= r.schedule.counted && s.end < r.schedule.end {
			g.good++
		}
	case s.Outcome == Lost:
		g.lost++
	}
	if s.intended >= r.schedule.counted {
		g.countLocked(s)
	}
}

// duplicates takes answers that came to no request.
func (r *recorder) duplicates(g *group, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.duplicate += uint64(n)
}

func (g *group) countLocked(s sample) {
	t := g.tallyLocked(s.Outcome)
	t.count++
	t.latency.put(s.end - s.intended)
	if s.busy {
		g.waited++
	} else {
		g.lag.put(s.start - s.intended)
	}
}

func (g *group) tallyLocked(outcome string) *tally {
	if outcome == "" || len(outcome) > maxOutcomeSize {
		outcome = otherOutcomes
	}
	t := g.outcomes[outcome]
	if t == nil && len(g.outcomes) >= maxOutcomes {
		outcome = otherOutcomes
		t = g.outcomes[outcome]
	}
	if t == nil {
		t = &tally{latency: newTimes()}
		g.outcomes[outcome] = t
	}
	return t
}

func (r *recorder) excerpt(s sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.excerpts) >= maxExcerpts {
		return
	}
	what := s.Outcome
	if s.Wrong {
		what = Wrong
	}
	text := fmt.Sprintf("request %d, after %v: %s: %v", s.seq, s.end.Round(time.Millisecond), what, s.Err)
	r.excerpts = append(r.excerpts, shorten(text, maxExcerptSize))
}

// shorten cuts a text that is too long.
func shorten(text string, most int) string {
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// merged is all groups in one. It is consistent in itself, also while requests are recorded.
func (r *recorder) merged() *group {
	sum := &group{outcomes: map[string]*tally{}, lag: newTimes()}
	for _, g := range r.groups {
		g.mu.Lock()
		sum.lag.merge(g.lag)
		for outcome, t := range g.outcomes {
			all := sum.tallyLocked(outcome)
			all.count += t.count
			all.latency.merge(t.latency)
		}
		sum.waited += g.waited
		sum.good += g.good
		sum.abandon += g.abandon
		sum.right += g.right
		sum.lost += g.lost
		sum.wrong += g.wrong
		sum.duplicate += g.duplicate
		g.mu.Unlock()
	}
	return sum
}
