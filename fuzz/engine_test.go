package fuzz

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// FuzzEngine reads its input as a program of begin, sent, answer, fail, cancel, advance and
// close, and runs it on an engine with invented time and on a model: a map of what is held and
// a sorted list of how everything ended. After each step both must agree.
func FuzzEngine(f *testing.F) {
	f.Add([]byte{0, 10, 1, 0, 6, 9, 6, 1})                 // begin, sent, advance to just before, to the deadline
	f.Add([]byte{0, 10, 2, 0, 2, 0, 0, 5, 6, 20, 2, 1})    // answer, duplicate; time out, late
	f.Add([]byte{0, 1, 1, 0, 4, 0, 5, 0, 0, 3, 4, 1, 7})   // fail after sent, refused, fail, close
	f.Add([]byte{0, 200, 0, 201, 3, 1, 6, 255, 6, 255, 7}) // error answer, long advance
	f.Fuzz(func(t *testing.T, program []byte) {
		synctest.Test(t, func(t *testing.T) { runProgram(t, program) })
	})
}

const maxSteps = 200

func runProgram(t *testing.T, program []byte) {
	m := newMachine(t)
	for i := 0; i+1 < len(program) && i < 2*maxSteps; i += 2 {
		m.step(program[i]%8, program[i+1])
		m.check()
	}
	require.NoError(t, m.engine.Close())
	m.model.closeAt()
	m.check()
}

// transaction is the model's view of one.
type transaction struct {
	id       core.ID
	deadline time.Time
	sent     bool
	want     core.Outcome   // 0: held
	ended    time.Time      // when, if it has
	got      []core.Outcome // what its completer was told
}

// Complete implements core.Completer.
func (x *transaction) Complete(r core.Result) { x.got = append(x.got, r.Outcome) }

type model struct {
	all     []*transaction
	closed  bool
	answers map[core.AnswerKind]uint64
}

func (m *model) end(x *transaction, o core.Outcome) bool {
	if x.want != 0 {
		return false
	}
	x.want, x.ended = o, time.Now()
	return true
}

func (m *model) expire(now time.Time) {
	for _, x := range m.all {
		if x.want == 0 && !now.Before(x.deadline) {
			x.want, x.ended = core.NotPublished, x.deadline
			if x.sent {
				x.want = core.Timeout
			}
		}
	}
}

func (m *model) closeAt() {
	m.closed = true
	for _, x := range m.all {
		m.end(x, core.Shutdown)
	}
}

type machine struct {
	t      *testing.T
	engine *core.Engine
	node   *core.Node
	model  model
}

type silentBus struct{}

func (silentBus) Publish(*core.Request) error { return nil }

func newMachine(t *testing.T) *machine {
	engine, err := core.New(silentBus{}, core.Options{Shards: 2})
	require.NoError(t, err)
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "n", Timeout: core.MaxTimeout})
	require.NoError(t, err)
	return &machine{t: t, engine: engine, node: node, model: model{answers: map[core.AnswerKind]uint64{}}}
}

func (m *machine) step(op, arg byte) {
	if op == 0 {
		m.begin(duration(arg))
		return
	}
	if op == 6 {
		time.Sleep(duration(arg))
		synctest.Wait()
		m.model.expire(time.Now())
		return
	}
	if op == 7 {
		require.NoError(m.t, m.engine.Close())
		m.model.closeAt()
		return
	}
	if len(m.model.all) == 0 {
		return
	}
	m.act(op, m.model.all[int(arg)%len(m.model.all)])
}

// act does something to a transaction that may be held or may have ended long ago.
func (m *machine) act(op byte, x *transaction) {
	switch op {
	case 1:
		want := x.want == 0 && !x.sent && time.Now().Before(x.deadline)
		require.Equal(m.t, want, m.engine.Sent(x.id))
		x.sent = x.sent || want
	case 2:
		m.answer(x, `"value":1`, core.Answered)
	case 3:
		m.answer(x, `"error":{"code":500,"message":"m"}`, core.ResponderError)
	case 4:
		want := !x.sent && m.model.end(x, core.NotPublished)
		require.Equal(m.t, want, m.engine.Fail(x.id, core.ErrNotSent))
	case 5:
		if x.sent {
			require.Equal(m.t, m.model.end(x, core.NotPublished), m.engine.Fail(x.id, core.ErrRefused))
			return
		}
		require.Equal(m.t, m.model.end(x, core.Cancelled), m.engine.Cancel(x.id))
	}
}

func (m *machine) answer(x *transaction, rest string, outcome core.Outcome) {
	kind := core.Matched
	switch {
	case x.id.IsZero():
		kind = core.Unknown
	case m.model.end(x, outcome):
	case time.Since(x.ended) > time.Minute: // ends are remembered for a minute
		kind = core.Unknown
	case x.want == core.Answered || x.want == core.ResponderError:
		kind = core.Duplicate
	default:
		kind = core.Late
	}
	payload := fmt.Appendf(nil, `{"id":"%s",%s}`, x.id, rest)
	matched := m.engine.Resolve(core.Answer{Node: m.node, Payload: payload})
	require.Equal(m.t, kind == core.Matched, matched)
	m.model.answers[kind]++
}

func (m *machine) begin(timeout time.Duration) {
	x := &transaction{deadline: time.Now().Add(timeout)}
	if m.model.closed {
		m.model.end(x, core.Shutdown)
	}
	x.id = m.engine.Begin(&core.Call{Node: m.node, Timeout: timeout}, x)
	require.Equal(m.t, m.model.closed, x.id.IsZero())
	m.model.all = append(m.model.all, x)
}

// duration spreads a byte over 1 ms to 2 s, in whole ms: a few dozen advances reach beyond the
// minute for which ends are remembered.
func duration(arg byte) time.Duration {
	return time.Millisecond * time.Duration(1+int(arg&15)<<(arg>>4&7))
}

// check compares engine and model. It runs after every step, so it compares by hand.
func (m *machine) check() {
	held := 0
	var ended [16]uint64
	for i, x := range m.model.all {
		if x.want == 0 {
			held++
		} else {
			ended[x.want]++
		}
		if told := len(x.got); told > 1 || (told == 1) != (x.want != 0) || told == 1 && x.got[0] != x.want {
			m.t.Fatalf("transaction %d was told %v, want %v", i, x.got, x.want)
		}
	}
	s := m.engine.Stats(m.node)
	if m.engine.Held() != held || int(s.Held) != held || int(s.Begun) != len(m.model.all) {
		m.t.Fatalf("engine holds %d and counts %+v, model holds %d of %d", m.engine.Held(), s, held, len(m.model.all))
	}
	for _, o := range core.Outcomes() {
		if ended[o] != s.Ended[o] {
			m.t.Fatalf("%v: engine counts %d, model %d", o, s.Ended[o], ended[o])
		}
	}
	for _, k := range core.AnswerKinds() {
		if m.model.answers[k] != s.Answers[k] {
			m.t.Fatalf("%v: engine counts %d, model %d", k, s.Answers[k], m.model.answers[k])
		}
	}
}
