package history

import "testing"

// counts is outcomes or kinds.
type counts = map[string]uint64

func TestCounters(t *testing.T) {
	three := func(then func(*scene)) func(*scene) {
		return func(s *scene) {
			s.answered(1)
			s.answered(2)
			ask := s.ask(3, nil)
			s.publish(3, 3)
			s.wait(2000)
			s.reply(ask, 0, "timeout", nil)
			then(s)
		}
	}
	count := func(outcomes, answers counts) func(*scene) { return func(s *scene) { s.count(outcomes, answers) } }
	bad := []string{"counters"}
	tell(t, []tale{
		{"right", nil, three(count(counts{"answered": 2, "timeout": 1}, counts{"matched": 2}))},
		{"an answer is missing", bad, three(count(counts{"answered": 1, "timeout": 1}, counts{"matched": 1}))},
		{"a timeout is missing", bad, three(count(counts{"answered": 2}, counts{"matched": 2}))},
		{"one too many", bad, three(count(counts{"answered": 2, "timeout": 1, "shed": 1}, counts{"matched": 2}))},
		{"a match is missing", bad, three(count(counts{"answered": 2, "timeout": 1}, counts{"matched": 1}))},
		{"a match too many", bad, three(count(counts{"answered": 2, "timeout": 1}, counts{"matched": 3}))},
		{"more answers than there were", bad, three(count(counts{"answered": 2, "timeout": 1}, counts{"matched": 2, "late": 1}))},
		{"begun is not the sum", bad, three(func(s *scene) {
			s.Counters(Counters{Life: 1, Node: press, Begun: 4, Outcomes: counts{"answered": 2, "timeout": 1}, Answers: counts{"matched": 2}})
		})},
		{"something is held", []string{"nothing-held"}, three(func(s *scene) {
			s.Counters(Counters{Life: 1, Node: press, Begun: 4, Held: 1, Outcomes: counts{"answered": 2, "timeout": 1}, Answers: counts{"matched": 2}})
		})},
		{"one left", nil, three(func(s *scene) {
			s.reply(s.ask(4, nil), 0, "", way(Left))
			s.count(counts{"answered": 2, "timeout": 1, "cancelled": 1}, counts{"matched": 2})
		})},
		{"one left, and nobody has counted it", nil, three(func(s *scene) {
			s.reply(s.ask(4, nil), 0, "", way(Left)) // before anything was read of it
			s.count(counts{"answered": 2, "timeout": 1}, counts{"matched": 2})
		})},
		{"cancelled, though nobody left", bad, three(count(counts{"answered": 2, "timeout": 1, "cancelled": 1}, counts{"matched": 2}))},
		{"what came afterwards", nil, three(func(s *scene) {
			s.count(counts{"answered": 2, "timeout": 1}, counts{"matched": 2})
			s.answered(4)
		})},
		{"what is no transaction", nil, three(func(s *scene) {
			s.reply(s.ask(4, nil), 0, "", way(Other))
			s.count(counts{"answered": 2, "timeout": 1}, counts{"matched": 2})
		})},
	})
}

func TestCountersOfKeys(t *testing.T) {
	count := func(s *scene, answered, timeouts, matched uint64, repeats counts) {
		s.Counters(Counters{
			Life: 1, Node: keyed, Begun: answered + timeouts, Outcomes: counts{"answered": answered, "timeout": timeouts},
			Answers: counts{"matched": matched}, Repeats: repeats,
		})
	}
	story := func(s *scene) {
		s.retry(1, 1, "answered", nil)
		s.retry(1, 0, "answered", func(r *Replied) { r.Replayed = true })
		s.reply(s.ask(2, func(a *Asked) { a.Node, a.Key = keyed, "k" }), 0, "", func(r *Replied) { r.Conflict = true })
	}
	tell(t, []tale{
		{"right", nil, func(s *scene) {
			story(s)
			count(s, 1, 0, 1, counts{"replayed": 1, "conflict": 1})
		}},
		{"the repeats are not known", nil, func(s *scene) {
			story(s)
			count(s, 1, 0, 1, nil)
		}},
		{"a repeat is missing", []string{"counters"}, func(s *scene) {
			story(s)
			count(s, 1, 0, 1, counts{"conflict": 1})
		}},
		{"more than were asked", []string{"counters"}, func(s *scene) {
			story(s)
			count(s, 1, 1, 1, nil)
		}},
	})
}

// TestPlantedBugs has the histories that a gateway with one of five bugs would leave behind.
func TestPlantedBugs(t *testing.T) {
	tell(t, []tale{
		{"an answer completes another's transaction", []string{"answered", "own-data"}, func(s *scene) {
			one, two := s.ask(1, nil), s.ask(2, nil)
			s.publish(1, 1)
			s.publish(2, 2)
			s.answer(1, 1)
			s.reply(two, 1, "answered", nil)
			s.wait(2000)
			s.reply(one, 0, "", way(Left))
		}},
		{"a transaction is completed twice", []string{"one-reply", "told", "counters"}, func(s *scene) {
			s.answered(1)
			s.reply(s.asked.chunks[0][0].Seq, 0, "timeout", func(r *Replied) { r.Status = 500 })
			s.Told(Told{ID: id(1), Outcome: "answered"})
			s.Told(Told{ID: id(1), Outcome: "timeout"})
			s.Counters(Counters{Life: 1, Node: press, Begun: 1, Outcomes: counts{"answered": 1, "timeout": 1}, Answers: counts{"matched": 1}})
		}},
		{"a waiter is forgotten", []string{"lost-waiter"}, func(s *scene) {
			ask := s.ask(1, nil)
			s.publish(1, 1)
			s.answer(1, 1)
			s.wait(2000)
			s.reply(ask, 0, "timeout", nil)
		}},
		{"a waiter is forgotten for good", []string{"one-reply"}, func(s *scene) {
			ask := s.ask(1, nil)
			s.publish(1, 1)
			s.answer(1, 1)
			s.wait(30_000)
			s.reply(ask, 0, "", way(Silent))
		}},
		{"a deadline comes early", []string{"never-early"}, func(s *scene) {
			ask := s.ask(1, nil)
			s.publish(1, 1)
			s.wait(1500)
			s.reply(ask, 0, "timeout", nil)
		}},
		{"an end is not counted", []string{"counters"}, func(s *scene) {
			s.answered(1)
			s.answered(2)
			s.count(counts{"answered": 1}, counts{"matched": 2})
		}},
	})
}
