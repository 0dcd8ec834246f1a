package history

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The node that scenes ask, and one with each option.
const (
	press  = "press"
	serial = "serial"
	keyed  = "keyed"
)

func nodes() []Node {
	return []Node{
		{Name: press, Topic: "t/press", Timeout: 2 * time.Second, FailFast: true},
		{Name: serial, Topic: "t/serial", Timeout: 2 * time.Second, Serial: true},
		{Name: keyed, Topic: "t/keyed", Timeout: 2 * time.Second, Window: time.Minute},
	}
}

// scene is a history that a test writes, in invented time.
type scene struct {
	*History
	t       testing.TB
	options Options
}

// play writes a history and returns the rules that it breaks.
func play(t *testing.T, write func(*scene)) []string {
	t.Helper()
	var broken []string
	synctest.Test(t, func(t *testing.T) {
		s := &scene{History: New(0), t: t, options: Options{Nodes: nodes()}}
		s.Life(Life{Number: 1, State: 7})
		s.wait(10_000) // nothing has just begun
		write(s)
		for _, v := range Check(s.History, s.options) {
			broken = append(broken, v.Rule)
			t.Log(v)
		}
	})
	return slices.Compact(broken)
}

// wait lets time pass, in ms.
func (s *scene) wait(ms int) { time.Sleep(time.Duration(ms) * time.Millisecond) }

func id(n byte) ID { return ID{0: 0xf1, 15: n} }

// ask begins the request of a marker. change may be nil.
func (s *scene) ask(marker uint64, change func(*Asked)) uint64 {
	e := Asked{Marker: marker, Door: HTTP, Node: press, Life: 1}
	if change != nil {
		change(&e)
	}
	return s.Asked(e)
}

// reply ends a request with an outcome.
func (s *scene) reply(ask, marker uint64, outcome string, change func(*Replied)) {
	e := Replied{Ask: ask, Way: Whole, Status: 200, Outcome: outcome, Marker: marker}
	if change != nil {
		change(&e)
	}
	s.Replied(e)
}

// safe is what a reply says of trying again.
func safe(yes bool) func(*Replied) { return func(r *Replied) { r.RetrySafe = &yes } }

func way(w Way) func(*Replied) { return func(r *Replied) { *r = Replied{Ask: r.Ask, Way: w} } }

func (s *scene) publish(n byte, marker uint64) {
	s.Published(Published{ID: id(n), Marker: marker, Topic: "t/press", Conn: 1, Life: 1})
}

func (s *scene) answer(n byte, marker uint64) {
	s.Answer(Answer{ID: id(n), Marker: marker, Topic: "t/press", Conn: 2, Life: 1})
}

// answered is a transaction that goes well.
func (s *scene) answered(n byte) {
	ask := s.ask(uint64(n), nil)
	s.wait(1)
	s.publish(n, uint64(n))
	s.wait(1)
	s.answer(n, uint64(n))
	s.wait(1)
	s.reply(ask, uint64(n), "answered", nil)
}

// count records what a gateway would have counted of press.
func (s *scene) count(outcomes, answers map[string]uint64) {
	e := Counters{Life: 1, Node: press, Outcomes: outcomes, Answers: answers}
	for _, n := range outcomes {
		e.Begun += n
	}
	s.Counters(e)
}

// tale is a history and what is wrong with it.
type tale struct {
	name  string
	rules []string // nil: nothing
	write func(*scene)
}

func tell(t *testing.T, tales []tale) {
	t.Helper()
	for _, tale := range tales {
		t.Run(tale.name, func(t *testing.T) {
			require.Equal(t, tale.rules, play(t, tale.write))
		})
	}
}
