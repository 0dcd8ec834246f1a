package responder

import (
	"math/rand/v2"
	"time"
)

// script decides what is done with each request. It reads no clock and does no I/O: the same
// seed and the same order of requests give the same decisions.
type script struct {
	options *Options
	random  *rand.Rand
}

func newScript(o *Options) *script {
	return &script{options: o, random: rand.New(rand.NewPCG(o.Seed, 0))}
}

// decide draws the act for a request and how long its answer waits.
func (s *script) decide(r *request) (Act, time.Duration) {
	act := s.options.Shares.draw(s.random.Float64() * 100)
	delay := s.options.DelayMin
	if span := s.options.DelayMax - s.options.DelayMin; span > 0 {
		delay += time.Duration(s.random.Int64N(int64(span) + 1))
	}
	if act == Late {
		delay = r.timeout + s.options.LateBy
	}
	return act, delay
}

// place says when an answer is due, and in which order those are sent that are due at the same
// time. number counts the answers.
func (s *script) place(now time.Time, delay time.Duration, number uint64) (due time.Time, rank uint64) {
	due = now.Add(delay)
	if !s.options.Shuffle {
		return due, number
	}
	if late := due.UnixNano() % int64(shuffleWindow); late > 0 {
		due = due.Add(shuffleWindow - time.Duration(late))
	}
	return due, s.random.Uint64()
}
