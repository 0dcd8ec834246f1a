package history

import (
	"testing"
	"time"
)

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
		{"nothing in it", nil, waiter(100, func(e *Answer) { e.Empty = true }, nothing)},
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
