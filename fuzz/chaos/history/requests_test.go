package history

import (
	"testing"
	"time"
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
		{"a conflict", nil, func(s *scene) {
			s.retry(1, 1, "answered", nil)
			ask := s.ask(2, func(a *Asked) { a.Node, a.Key = keyed, "k" })
			s.reply(ask, 0, "", func(r *Replied) { r.Conflict, r.Status = true, 422 })
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

func TestSerial(t *testing.T) {
	ask := func(s *scene, n byte) uint64 {
		return s.ask(uint64(n), func(a *Asked) { a.Node = serial })
	}
	publish := func(s *scene, n byte) {
		s.Published(Published{ID: id(n), Marker: uint64(n), Topic: "t/serial", Life: 1})
	}
	answer := func(s *scene, n byte) { s.Answer(Answer{ID: id(n), Marker: uint64(n), Topic: "t/serial", Life: 1}) }
	two := func(between func(*scene)) func(*scene) {
		return func(s *scene) {
			one, two := ask(s, 1), ask(s, 2)
			publish(s, 1)
			s.wait(10)
			between(s)
			publish(s, 2)
			s.reply(one, 0, "", way(Left))
			s.reply(two, 0, "", way(Left))
		}
	}
	tell(t, []tale{
		{"one after the other", nil, two(func(s *scene) { answer(s, 1) })},
		{"both at once", []string{"serial"}, two(func(*scene) {})},
		{"after the deadline", nil, two(func(s *scene) { s.wait(1990) })},
		{"shortly before the deadline", []string{"serial"}, two(func(s *scene) { s.wait(1980) })},
		{"after it was refused", nil, two(func(s *scene) { s.Acked(Acked{ID: id(1), Reason: 0x97}) })},
		{"after a reply", nil, func(s *scene) {
			one, two := ask(s, 1), ask(s, 2)
			publish(s, 1)
			s.reply(one, 0, "shutdown", safe(false))
			publish(s, 2)
			s.reply(two, 0, "", way(Left))
		}},
		{"left in another life", nil, func(s *scene) {
			one := ask(s, 1)
			publish(s, 1)
			s.LifeEnded(LifeEnded{Number: 1})
			s.reply(one, 0, "", way(Ended))
			s.Life(Life{Number: 2})
			two := ask(s, 2)
			s.Published(Published{ID: id(2), Marker: 2, Topic: "t/serial", Life: 2})
			s.reply(two, 0, "", way(Left))
		}},
	})
}

func TestDeadlines(t *testing.T) {
	timeout := func(limit time.Duration, ms int, change func(*Replied)) func(*scene) {
		return func(s *scene) {
			ask := s.ask(1, func(a *Asked) { a.Limit = limit })
			s.publish(1, 1)
			s.wait(ms)
			s.reply(ask, 0, "timeout", change)
		}
	}
	took := func(d time.Duration) func(*Replied) { return func(r *Replied) { r.Elapsed = d } }
	early, late := []string{"never-early"}, []string{"in-time"}
	tell(t, []tale{
		{"at the deadline", nil, timeout(0, 2000, nil)},
		{"a tick early", nil, timeout(0, 1999, nil)},
		{"early", early, timeout(0, 1998, nil)},
		{"early by the requester's own clock", early, timeout(0, 2100, took(1900*time.Millisecond))},
		{"a clock that cannot be right", nil, timeout(0, 2100, took(3*time.Second))},
		{"at the requester's limit", nil, timeout(time.Second, 1000, nil)},
		{"before the requester's limit", early, timeout(time.Second, 900, nil)},
		{"a limit never prolongs", nil, timeout(time.Hour, 2000, nil)},
		{"within tolerance", nil, timeout(0, 3000, nil)},
		{"late", late, timeout(0, 3001, nil)},
		{"late, while it was stopped", nil, func(s *scene) {
			over := s.Fault("stop", "", DelaysReplies)
			timeout(0, 9000, nil)(s)
			over()
		}},
		{"late, with an answer", late, func(s *scene) {
			ask := s.ask(1, nil)
			s.publish(1, 1)
			s.wait(3100)
			s.answer(1, 1)
			s.reply(ask, 1, "answered", nil)
		}},
		{"in doubt, while it drained", nil, func(s *scene) {
			timeout(0, 100, func(r *Replied) { r.InDoubt = true })(s)
			s.wait(1000)
			s.LifeEnded(LifeEnded{Number: 1, Drained: true})
		}},
		{"in doubt, and early", early, timeout(0, 100, func(r *Replied) { r.InDoubt = true })},
	})
}

func TestLostWaiter(t *testing.T) {
	waiter := func(after int, change func(*Answer), then func(*scene)) func(*scene) {
		return func(s *scene) {
			ask := s.ask(1, nil)
			s.publish(1, 1)
			s.wait(after)
			e := Answer{ID: id(1), Marker: 1, Topic: "t/press", Conn: 2, Life: 1}
			change(&e)
			s.Answer(e)
			then(s)
			s.wait(2000 - after)
			s.reply(ask, 0, "timeout", nil)
		}
	}
	same, nothing := func(*Answer) {}, func(*scene) {}
	lost := []string{"lost-waiter"}
	tell(t, []tale{
		{"lost", lost, waiter(100, same, nothing)},
		{"an error is lost too", lost, waiter(100, func(e *Answer) { e.Error = true }, nothing)},
		{"just before the deadline", nil, waiter(1600, same, nothing)},
		{"malformed", nil, waiter(100, func(e *Answer) { e.Malformed = true }, nothing)},
		{"more time only", nil, waiter(100, func(e *Answer) { e.Extend = true }, nothing)},
		{"changed on purpose", nil, waiter(100, func(e *Answer) { e.Tampered = true }, nothing)},
		{"on another topic", nil, waiter(100, func(e *Answer) { e.Topic = "t/keyed" }, nothing)},
		{"its connection was cut", nil, waiter(100, same, func(s *scene) { s.Cut(Cut{Conn: 2}) })},
		{"another connection was cut", lost, waiter(100, same, func(s *scene) { s.Cut(Cut{Conn: 3}) })},
		{"while answers were lost on purpose", nil, waiter(100, same, func(s *scene) { s.Fault("stall", "", LosesAnswers)() })},
		{"while requests were lost on purpose", lost, waiter(100, same, func(s *scene) { s.Fault("drop", "", LosesRequests)() })},
		{"the gateway that asked was killed", nil, waiter(100, same, func(s *scene) { s.LifeEnded(LifeEnded{Number: 1}) })},
		{"the first answer could not be used", nil, func(s *scene) {
			s.retry(1, 1, "bad_response", func(r *Replied) { *r = Replied{Ask: r.Ask, Way: Left} })
			ask := s.ask(1, func(a *Asked) { a.Node, a.Key = keyed, "k" })
			s.Answer(Answer{ID: id(1), Marker: 1, Topic: "t/keyed", Life: 1})
			s.reply(ask, 0, "bad_response", nil)
			s.retry(1, 0, "timeout", func(r *Replied) { r.InDoubt = true })
		}},
	})
}
