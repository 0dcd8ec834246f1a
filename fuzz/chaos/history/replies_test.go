package history

import "testing"

func TestOneReply(t *testing.T) {
	tell(t, []tale{
		{"all is well", nil, func(s *scene) {
			for n := byte(1); n < 9; n++ {
				s.answered(n)
			}
		}},
		{"none", []string{"one-reply"}, func(s *scene) { s.ask(1, nil) }},
		{"two", []string{"one-reply"}, func(s *scene) {
			s.answered(1)
			s.reply(s.asked.chunks[0][0].Seq, 1, "answered", nil)
		}},
		{"to nobody", []string{"recorded"}, func(s *scene) { s.reply(99, 1, "timeout", nil) }},
		{"the requester left", nil, func(s *scene) { s.reply(s.ask(1, nil), 0, "", way(Left)) }},
		{"something else was said", nil, func(s *scene) { s.reply(s.ask(1, nil), 0, "", way(Other)) }},
		{"cut without a fault", []string{"one-reply"}, func(s *scene) { s.reply(s.ask(1, nil), 0, "", way(Ended)) }},
		{"cut by a fault", nil, func(s *scene) {
			ask := s.ask(1, nil)
			over := s.Fault("cut", "", EndsConnections)
			s.reply(ask, 0, "", way(Ended))
			over()
			over()
		}},
		{"cut by another fault", []string{"one-reply"}, func(s *scene) {
			s.Fault("drop", "", LosesRequests)()
			s.wait(1)
			s.reply(s.ask(1, nil), 0, "", way(Ended))
		}},
		{"long after a fault", []string{"one-reply"}, func(s *scene) {
			s.Fault("cut", "", EndsConnections)()
			s.wait(600)
			s.reply(s.ask(1, nil), 0, "", way(Ended))
		}},
		{"the gateway was killed", nil, func(s *scene) {
			ask := s.ask(1, nil)
			s.wait(100)
			s.LifeEnded(LifeEnded{Number: 1})
			s.reply(ask, 0, "", way(Ended))
		}},
		{"the gateway was away", nil, func(s *scene) {
			s.LifeEnded(LifeEnded{Number: 1})
			s.wait(10_000)
			s.reply(s.ask(1, nil), 0, "", way(Unreached))
			s.wait(10_000)
			s.Life(Life{Number: 2})
		}},
		{"unreached although it ran", []string{"one-reply"}, func(s *scene) { s.reply(s.ask(1, nil), 0, "", way(Unreached)) }},
		{"nothing ever came", []string{"one-reply"}, func(s *scene) {
			ask := s.ask(1, nil)
			s.wait(30_000)
			s.reply(ask, 0, "", way(Silent))
		}},
		{"nothing came while it was stopped", nil, func(s *scene) {
			ask := s.ask(1, nil)
			over := s.Fault("stop", "", DelaysReplies)
			s.wait(30_000)
			s.reply(ask, 0, "", way(Silent))
			over()
		}},
	})
}

func TestAnswered(t *testing.T) {
	withAnswer := func(outcome string, change func(*Answer)) func(*scene) {
		return func(s *scene) {
			ask := s.ask(1, nil)
			s.publish(1, 1)
			e := Answer{ID: id(1), Marker: 1, Topic: "t/press", Conn: 2, Life: 1}
			change(&e)
			s.Answer(e)
			s.reply(ask, 1, outcome, nil)
		}
	}
	bad := []string{"answered"}
	tell(t, []tale{
		{"never published", bad, func(s *scene) { s.reply(s.ask(1, nil), 1, "answered", nil) }},
		{"never answered", bad, func(s *scene) {
			ask := s.ask(1, nil)
			s.publish(1, 1)
			s.reply(ask, 1, "answered", nil)
		}},
		{"answered afterwards", bad, func(s *scene) {
			ask := s.ask(1, nil)
			s.publish(1, 1)
			s.reply(ask, 1, "answered", nil)
			s.answer(1, 1)
		}},
		{"twice, once before", nil, func(s *scene) {
			s.answered(1)
			s.answer(1, 1)
		}},
		{"an error is no answer", bad, withAnswer("answered", func(e *Answer) { e.Error = true })},
		{"a malformed one is no answer", bad, withAnswer("answered", func(e *Answer) { e.Malformed = true })},
		{"an old one is no answer", bad, withAnswer("answered", func(e *Answer) { e.Stale = true })},
		{"more time is no answer", bad, withAnswer("answered", func(e *Answer) { e.Extend = true })},
		{"nothing is no answer", bad, withAnswer("answered", func(e *Answer) { e.Empty = true })},
		{"nothing is unusable", nil, withAnswer("bad_response", func(e *Answer) { e.Empty = true })},
		{"another topic's is no answer", bad, withAnswer("answered", func(e *Answer) { e.Topic = "t/serial" })},
		{"an answer is no error", bad, withAnswer("responder_error", func(*Answer) {})},
		{"an error", nil, withAnswer("responder_error", func(e *Answer) { e.Error = true })},
		{"unusable", nil, withAnswer("bad_response", func(e *Answer) { e.Malformed = true })},
		{"unusable without one", bad, func(s *scene) { s.reply(s.ask(1, nil), 0, "bad_response", nil) }},
		{"an error without a tap", nil, func(s *scene) {
			s.options.Blind = true
			s.reply(s.ask(1, nil), 0, "responder_error", nil)
		}},
	})
}

func TestOwnData(t *testing.T) {
	bad := []string{"own-data"}
	swapped := func(before func(*scene), got uint64, outcome string, change func(*Replied)) func(*scene) {
		return func(s *scene) {
			ask := s.ask(1, nil)
			s.ask(2, nil)
			s.reply(ask+1, 0, "", way(Left))
			s.publish(1, 1)
			before(s)
			s.reply(ask, got, outcome, change)
		}
	}
	answer := func(s *scene) { s.answer(1, 1) }
	tell(t, []tale{
		{"another's", bad, swapped(answer, 2, "answered", nil)},
		{"of several", bad, swapped(answer, Mixed, "answered", nil)},
		{"nobody's", bad, swapped(answer, 0, "answered", nil)},
		{"nobody's in a fallback", nil, swapped(func(s *scene) { s.wait(2000) }, 0, "timeout", func(r *Replied) { r.Fallback = true })},
		{"another's with a failure", bad, swapped(func(s *scene) { s.wait(2000) }, 2, "timeout", nil)},
		{"another's id", bad, swapped(func(s *scene) { s.publish(2, 2); s.wait(2000) }, 0, "timeout", func(r *Replied) { r.ID = id(2) })},
		{"an id that was only told of", nil, swapped(func(s *scene) {
			s.Told(Told{ID: id(9), Outcome: "not_published"})
			s.wait(2000)
		}, 0, "timeout", func(r *Replied) { r.ID = id(9) })},
		{"its own id", nil, swapped(func(s *scene) { s.wait(2000) }, 0, "timeout", func(r *Replied) { r.ID = id(1) })},
		{"the answer was changed on purpose", nil, swapped(func(s *scene) {
			s.Answer(Answer{ID: id(1), Marker: 2, Topic: "t/press", Tampered: true})
		}, 2, "answered", nil)},
		{"the answer was changed, but not to that", bad, swapped(func(s *scene) {
			s.Answer(Answer{ID: id(1), Marker: 3, Topic: "t/press", Tampered: true})
		}, 2, "answered", nil)},
		{"the request was changed on purpose", nil, swapped(func(s *scene) {
			s.Altered(Altered{ID: id(1)})
			s.answer(1, 2)
		}, 2, "answered", nil)},
	})
}

func TestTold(t *testing.T) {
	tell(t, []tale{
		{"the same", nil, func(s *scene) {
			s.answered(1)
			s.Told(Told{ID: id(1), Outcome: "answered"})
		}},
		{"something else", []string{"told"}, func(s *scene) {
			s.answered(1)
			s.Told(Told{ID: id(1), Outcome: "timeout"})
		}},
		{"twice", []string{"told"}, func(s *scene) {
			s.answered(1)
			s.Told(Told{ID: id(1), Outcome: "answered"})
			s.Told(Told{ID: id(1), Outcome: "answered"})
		}},
		{"the requester left", nil, func(s *scene) {
			ask := s.ask(1, nil)
			s.publish(1, 1)
			s.reply(ask, 0, "", way(Left))
			s.Told(Told{ID: id(1), Outcome: "cancelled"})
		}},
	})
}

func TestRecorded(t *testing.T) {
	bad := []string{"recorded"}
	tell(t, []tale{
		{"a request that nobody made", bad, func(s *scene) { s.publish(1, 77) }},
		{"published before it was asked", bad, func(s *scene) {
			s.publish(1, 1)
			s.answered(1)
			s.published.chunks[0] = s.published.chunks[0][:1]
		}},
		{"the tap has a hole", bad, func(s *scene) {
			ask := s.ask(1, nil)
			s.Delivered(Delivered{ID: id(1), Marker: 1})
			s.reply(ask, 0, "", way(Left))
		}},
		{"delivered", nil, func(s *scene) {
			ask := s.ask(1, nil)
			s.publish(1, 1)
			s.Delivered(Delivered{ID: id(1), Marker: 1})
			s.reply(ask, 0, "", way(Left))
		}},
		{"no marker", bad, func(s *scene) { s.reply(s.ask(0, nil), 0, "", way(Left)) }},
		{"no such node", bad, func(s *scene) {
			s.reply(s.ask(1, func(a *Asked) { a.Node = "x" }), 0, "", way(Left))
		}},
		{"more than it holds", []string{"recorded", "one-reply"}, func(s *scene) {
			s.limit = 2
			s.answered(1)
		}},
	})
}
