package history

import (
	"testing"
)

func TestOneTreq(t *testing.T) {
	tell(t, []tale{
		{"the same id twice", []string{"one-treq"}, func(s *scene) {
			ask := s.ask(1, nil)
			s.publish(1, 1)
			s.publish(1, 1)
			s.answer(1, 1)
			s.reply(ask, 1, "answered", nil)
		}},
		{"the same request twice", []string{"one-treq"}, func(s *scene) {
			ask := s.ask(1, nil)
			s.publish(1, 1)
			s.publish(2, 1)
			s.answer(1, 1)
			s.reply(ask, 1, "answered", nil)
		}},
		{"once in part, then not again", nil, func(s *scene) {
			ask := s.ask(1, nil)
			s.Partial(Partial{ID: id(1), Marker: 1, Got: 10, Len: 100})
			s.wait(2000)
			s.reply(ask, 0, "timeout", nil)
		}},
	})
}

// retry asks the keyed node with the key k, publishes as id n if that is not 0, and ends.
func (s *scene) retry(life uint32, n byte, outcome string, change func(*Replied)) {
	ask := s.ask(1, func(a *Asked) { a.Node, a.Key, a.Life = keyed, "k", life })
	if n != 0 {
		s.Published(Published{ID: id(n), Marker: 1, Topic: "t/keyed", Life: life})
	}
	marker := uint64(0)
	switch outcome {
	case "answered":
		marker = 1
		if n != 0 {
			s.Answer(Answer{ID: id(n), Marker: 1, Topic: "t/keyed", Life: life})
		}
	case "timeout":
		s.wait(2000)
	}
	s.reply(ask, marker, outcome, change)
}

func TestOneTreqPerKey(t *testing.T) {
	bad := []string{"one-treq-per-key"}
	restart := func(state uint32) func(s *scene) {
		return func(s *scene) {
			s.retry(1, 1, "timeout", nil)
			s.LifeEnded(LifeEnded{Number: 1})
			s.Life(Life{Number: 2, State: state})
			s.retry(2, 2, "timeout", nil)
		}
	}
	replayed := func(r *Replied) { r.Replayed = true }
	tell(t, []tale{
		{"replayed", nil, func(s *scene) {
			s.retry(1, 1, "answered", nil)
			s.retry(1, 0, "answered", replayed)
		}},
		{"in doubt", nil, func(s *scene) {
			s.retry(1, 1, "timeout", nil)
			s.retry(1, 0, "timeout", func(r *Replied) { r.InDoubt = true })
		}},
		{"again after a timeout", bad, func(s *scene) {
			s.retry(1, 1, "timeout", nil)
			s.retry(1, 2, "answered", nil)
		}},
		{"again after its window", nil, func(s *scene) {
			s.retry(1, 1, "timeout", nil)
			s.wait(60_000)
			s.retry(1, 2, "answered", nil)
		}},
		{"again after it was refused", nil, func(s *scene) {
			ask := s.ask(1, func(a *Asked) { a.Node, a.Key = keyed, "k" })
			s.Published(Published{ID: id(1), Marker: 1, Topic: "t/keyed", Life: 1})
			s.Acked(Acked{ID: id(1), Reason: 0x97})
			s.reply(ask, 0, "not_published", safe(true))
			s.retry(1, 2, "answered", nil)
		}},
		{"again after a restart", bad, restart(7)},
		{"again after a restart with an empty directory", nil, restart(8)},
		{"again after a restart without a directory", nil, restart(0)},
		{"again after a restart in another time", nil, func(s *scene) {
			defer s.Fault("clock", "a day on", MovesClock)()
			restart(7)(s)
		}},
		{"again in another time without a restart", bad, func(s *scene) {
			s.retry(1, 1, "timeout", nil)
			s.Fault("clock", "a day on", MovesClock)()
			s.retry(1, 2, "answered", nil)
		}},
		{"a conflict", nil, func(s *scene) {
			s.retry(1, 1, "answered", nil)
			ask := s.ask(2, func(a *Asked) { a.Node, a.Key = keyed, "k" })
			s.reply(ask, 0, "", func(r *Replied) { r.Conflict, r.Status = true, 422 })
		}},
		{"a conflict with nobody", []string{"conflict"}, func(s *scene) {
			s.retry(1, 1, "answered", nil)
			ask := s.ask(1, func(a *Asked) { a.Node, a.Key = keyed, "k" })
			s.reply(ask, 0, "", func(r *Replied) { r.Conflict, r.Status = true, 422 })
		}},
		{"a conflict with who came later", []string{"conflict"}, func(s *scene) {
			s.retry(1, 1, "answered", nil)
			ask := s.ask(1, func(a *Asked) { a.Node, a.Key = keyed, "k" })
			s.reply(ask, 0, "", func(r *Replied) { r.Conflict, r.Status = true, 422 })
			s.reply(s.ask(2, func(a *Asked) { a.Node, a.Key = keyed, "k" }), 0, "", func(r *Replied) { r.Conflict, r.Status = true, 422 })
		}},
		{"the data of who had the key before", []string{"answered", "own-data"}, func(s *scene) {
			s.retry(1, 1, "answered", nil)
			ask := s.ask(2, func(a *Asked) { a.Node, a.Key = keyed, "k" })
			s.reply(ask, 0, "answered", func(r *Replied) { r.Replayed, r.Marker = true, 1 })
		}},
		{"a conflict that was published", bad, func(s *scene) {
			s.retry(1, 1, "answered", nil)
			ask := s.ask(2, func(a *Asked) { a.Node, a.Key = keyed, "k" })
			s.Published(Published{ID: id(2), Marker: 2, Topic: "t/keyed", Life: 1})
			s.reply(ask, 0, "", func(r *Replied) { r.Conflict, r.Status = true, 422 })
		}},
	})
}

func TestRetrySafe(t *testing.T) {
	bad := []string{"retry-safe"}
	told := func(before func(*scene), outcome string, change func(*Replied)) func(*scene) {
		return func(s *scene) {
			ask := s.ask(1, nil)
			before(s)
			s.reply(ask, 0, outcome, change)
		}
	}
	published := func(s *scene) { s.publish(1, 1) }
	acked := func(reason byte) func(*scene) {
		return func(s *scene) {
			s.publish(1, 1)
			s.Acked(Acked{ID: id(1), Reason: reason})
		}
	}
	nothing := func(*scene) {}
	tell(t, []tale{
		{"not published", nil, told(nothing, "not_published", safe(true))},
		{"not published, but it was", bad, told(published, "not_published", nil)},
		{"not published, but delivered", bad, told(func(s *scene) {
			s.options.Blind = true
			s.Delivered(Delivered{ID: id(1), Marker: 1})
		}, "not_published", nil)},
		{"not published, in part", nil, told(func(s *scene) { s.Partial(Partial{ID: id(1), Marker: 1, Got: 9, Len: 10}) }, "not_published", safe(true))},
		{"not published, then it is", bad, func(s *scene) {
			told(nothing, "not_published", safe(true))(s)
			s.publish(1, 1)
		}},
		{"refused", nil, told(acked(0x87), "not_published", safe(true))},
		{"refused afterwards", bad, func(s *scene) {
			told(published, "not_published", safe(true))(s)
			s.Acked(Acked{ID: id(1), Reason: 0x87})
		}},
		{"shed, but it was published", bad, told(published, "shed", safe(true))},
		{"shutdown, safe, but it was published", bad, told(published, "shutdown", safe(true))},
		{"shutdown, not safe", nil, told(published, "shutdown", safe(false))},
		{"no subscriber", nil, told(acked(0x10), "no_subscriber", safe(true))},
		{"no subscriber, which nobody said", bad, told(nothing, "no_subscriber", safe(true))},
		{"shed while it is in doubt", nil, func(s *scene) {
			s.retry(1, 1, "timeout", nil)
			s.retry(1, 0, "shed", func(r *Replied) { r.InDoubt = true; r.ID = id(1); safe(false)(r) })
		}},
		{"in doubt, and safe", bad, func(s *scene) {
			s.retry(1, 1, "timeout", nil)
			s.retry(1, 0, "shed", func(r *Replied) { r.InDoubt = true; safe(true)(r) })
		}},
		{"a timeout that is safe", bad, told(func(s *scene) { s.publish(1, 1); s.wait(2000) }, "timeout", safe(true))},
		{"shed, not safe", bad, told(nothing, "shed", safe(false))},
		{"another request with the key was published", nil, func(s *scene) {
			first := s.ask(1, func(a *Asked) { a.Node, a.Key = keyed, "k" })
			s.Published(Published{ID: id(1), Marker: 1, Topic: "t/keyed", Life: 1})
			s.retry(1, 0, "shed", safe(true))
			s.wait(2000)
			s.reply(first, 0, "timeout", nil)
		}},
		{"it was the one with the key", bad, func(s *scene) {
			s.retry(1, 0, "shed", safe(true))
			s.retry(1, 1, "shed", safe(true))
		}},
		{"seen long after a timeout, and after others", nil, func(s *scene) {
			s.retry(1, 0, "timeout", nil)
			s.retry(1, 0, "not_published", safe(true))
			s.Published(Published{ID: id(1), Marker: 1, Topic: "t/keyed", Life: 1})
		}},
		{"seen long after, with another's id", nil, func(s *scene) {
			s.retry(1, 0, "shed", func(r *Replied) { r.ID = id(2) })
			s.Published(Published{ID: id(1), Marker: 1, Topic: "t/keyed", Life: 1})
			s.retry(1, 0, "shed", nil)
		}},
		{"seen long after, with its own id", bad, func(s *scene) {
			s.retry(1, 0, "timeout", nil)
			s.retry(1, 0, "shed", func(r *Replied) { r.ID = id(1) })
			s.Published(Published{ID: id(1), Marker: 1, Topic: "t/keyed", Life: 1})
		}},
		{"it was published when all with the key had gone", []string{"retry-safe"}, func(s *scene) {
			s.retry(1, 0, "shed", safe(true))
			s.retry(1, 0, "shed", safe(true))
			s.Published(Published{ID: id(1), Marker: 1, Topic: "t/keyed", Life: 1})
		}},
	})
}
