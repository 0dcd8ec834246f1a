// Package schedule decides from a seed alone which faults are injected, when and for how long: the
// same seed makes the same schedule, on any machine.
//
// Kinds are dealt like cards: each comes once before any comes again. Some faults begin while the one before
// is not over, if they have to do with something else.
package schedule

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Kind is a kind of fault that may be scheduled.
type Kind struct {
	Name string
	// Target is what it is done to. Faults with the same target never overlap.
	Target string
	// Alone: it does not overlap with any other.
	Alone bool
	// Shortest and Longest are how long it lasts.
	Shortest, Longest time.Duration
}

// Step is one fault.
type Step struct {
	At     time.Duration // since the schedule began
	For    time.Duration
	Kind   string
	Target string
	Alone  bool
	// Number is for the fault, to decide about details with.
	Number uint64
}

// Options of a schedule.
type Options struct {
	Kinds  []Kind
	Faults int
	// Quiet is how long it is calm between two faults that do not overlap, from half of it to one and a
	// half times.
	Quiet time.Duration
	// Overlaps is how many of a hundred faults begin while the one before is not over.
	Overlaps int
}

// Schedule is what is done.
type Schedule struct {
	Seed  uint64
	Steps []Step // in the order of At
}

// New makes a schedule.
func New(seed uint64, o Options) (*Schedule, error) {
	if len(o.Kinds) == 0 && o.Faults > 0 {
		return nil, errors.New("schedule: there is no kind of fault")
	}
	d := &dealer{r: rand.New(rand.NewPCG(seed, 0x5c4ed)), o: &o}
	s := &Schedule{Seed: seed}
	at := d.quiet()
	until, alone := map[string]time.Duration{}, time.Duration(0) // by target; of one that is alone
	for range o.Faults {
		step := d.step()
		if n := len(s.Steps); n > 0 && d.overlaps(&step, &s.Steps[n-1]) {
			before := s.Steps[n-1]
			at = max(before.At+before.For/2, until[step.Target], alone)
		}
		step.At = at
		until[step.Target] = at + step.For
		if step.Alone {
			alone = at + step.For
		}
		s.Steps = append(s.Steps, step)
		at = s.end() + d.quiet()
	}
	return s, nil
}

// dealer deals kinds.
type dealer struct {
	r    *rand.Rand
	o    *Options
	deck []int
}

func (d *dealer) quiet() time.Duration {
	return d.o.Quiet/2 + time.Duration(d.r.Int64N(max(1, int64(d.o.Quiet))))
}

func (d *dealer) step() Step {
	if len(d.deck) == 0 {
		d.deck = d.r.Perm(len(d.o.Kinds))
	}
	k := d.o.Kinds[d.deck[0]]
	d.deck = d.deck[1:]
	lasts := k.Shortest + time.Duration(d.r.Int64N(max(1, int64(k.Longest-k.Shortest))))
	return Step{For: lasts.Round(time.Millisecond), Kind: k.Name, Target: k.Target, Alone: k.Alone, Number: d.r.Uint64()}
}

// overlaps decides whether a fault begins while the one before is not over. The number is drawn
// in any case, so that what follows does not depend on it.
func (d *dealer) overlaps(step, before *Step) bool {
	return d.r.IntN(100) < d.o.Overlaps && step.Target != before.Target && !step.Alone && !before.Alone
}

// end is when all is over.
func (s *Schedule) end() (end time.Duration) {
	for _, step := range s.Steps {
		end = max(end, step.At+step.For)
	}
	return end
}

// Length is how long it takes.
func (s *Schedule) Length() time.Duration { return s.end() }

// Hash is short text that two schedules have in common only if they are the same.
func (s *Schedule) Hash() string {
	h := sha256.New()
	for _, step := range s.Steps {
		_, _ = fmt.Fprintf(h, "%d %d %s %s %d\n", step.At, step.For, step.Kind, step.Target, step.Number)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}
