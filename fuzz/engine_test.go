package fuzz

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// FuzzEngine reads its input as a program: each two bytes are one step, what to do and with which
// transaction or how long. It runs on an engine with invented time, one node as usual and one that
// is serial, and on a model that is a list. After each step both must agree: on how everything has
// ended, when which request was given to the bus with how much time, and on all counters.
func FuzzEngine(f *testing.F) {
	for _, program := range [][]byte{
		{0, 10, 1, 0, 6, 9, 6, 1},                                  // begin, sent, advance to just before, to the deadline
		{0, 10, 2, 0, 2, 0, 0, 5, 6, 20, 2, 1},                     // answer, duplicate; time out, late
		{0, 1, 1, 0, 4, 0, 5, 0, 0, 3, 4, 1, 7, 0},                 // fail after sent, refused, fail, close
		{0, 200, 0, 201, 3, 1, 6, 255, 6, 255, 7, 0},               // error answer, long advance
		{8, 0, 8, 0, 8, 0, 1, 0, 2, 0, 1, 1, 2, 1, 2, 2},           // serial: three in turn
		{8, 0, 8, 20, 8, 0, 1, 0, 6, 60, 2, 0, 1, 2},               // serial: one is shed while it waits
		{8, 0, 6, 15, 8, 0, 1, 0, 6, 103, 6, 69, 1, 1},             // serial: the turn comes with too little time left
		{8, 0, 8, 0, 1, 0, 9, 0, 2, 0, 1, 1},                       // serial: the requester goes, a late answer frees the place
		{8, 69, 8, 0, 1, 0, 9, 0, 6, 69, 2, 1},                     // serial: he goes, his deadline frees it
		{8, 0, 8, 0, 8, 0, 9, 1, 4, 0, 1, 2, 10, 2, 7, 0},          // serial: one goes while he waits, the first fails
		{0, 0, 10, 69, 1, 0, 10, 69, 6, 103, 6, 71},                // too early to extend, extend, advance beyond both deadlines
		{0, 0, 1, 0, 10, 127, 10, 127, 6, 127, 2, 0},               // extend until nothing is left
		{0, 103, 1, 0, 10, 69, 0, 90, 10, 1},                       // a requester's limit
		{8, 0, 8, 0, 1, 0, 10, 70, 6, 103, 3, 0},                   // an extended place
		{8, 0, 8, 0, 8, 0, 11, 0, 2, 0, 0, 0, 8, 0},                // a bus that fails those who wait
		append(bytes.Repeat([]byte{8, 0}, 100), 11, 0, 9, 0, 2, 1), // and a long queue of them
	} {
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		synctest.Test(t, func(t *testing.T) { runProgram(t, program) })
	})
}

const maxSteps = 200

func runProgram(t *testing.T, program []byte) {
	m := newMachine(t)
	defer m.engine.Close()
	for i := 0; i+1 < len(program) && i < 2*maxSteps; i += 2 {
		m.step(program[i]%12, program[i+1])
		synctest.Wait() // whoever frees a place leaves a long queue to another goroutine
		m.check()
	}
	m.close()
	m.check()
}

// machine runs a program on an engine and on the model. It is the engine's bus, too: what that is
// given says in its value which transaction it is.
type machine struct {
	t      *testing.T
	engine *core.Engine
	nodes  [2]*core.Node // the second one is serial
	serial []*transaction
	model  model
}

func newMachine(t *testing.T) *machine {
	m := &machine{t: t, model: newModel()}
	var err error
	m.engine, err = core.New(m, core.Options{Shards: 2})
	require.NoError(t, err)
	for i, name := range []string{"n", "serial"} {
		m.nodes[i], err = m.engine.AddNode(core.NodeOptions{
			Name: name, Topic: name, Timeout: nodeTimeout, MaxExtend: maxExtend, Serial: i == 1,
		})
		require.NoError(t, err)
	}
	return m
}

// Publish implements core.Bus.
func (m *machine) Publish(r *core.Request) error {
	i, err := strconv.Atoi(string(r.Value))
	if err != nil {
		m.t.Errorf("a request with value %s", r.Value)
		return err
	}
	if left := time.Until(r.Deadline); left != r.Timeout {
		m.t.Errorf("a request with %v left, deadline in %v", r.Timeout, left)
	}
	x := m.model.all[i]
	x.taken = append(x.taken, publication{time.Now(), r.Timeout})
	if x.serial {
		m.serial = append(m.serial, x)
	}
	if m.model.fails {
		return core.ErrNotSent
	}
	return nil
}

func (m *machine) step(op, arg byte) {
	switch op {
	case 0:
		m.begin(false, duration(arg))
	case 6:
		time.Sleep(duration(arg))
		synctest.Wait()
		m.model.expire(time.Now())
	case 7:
		m.close()
	case 8:
		m.begin(true, duration(arg))
	case 11:
		m.model.fails = !m.model.fails
	default:
		if len(m.model.all) > 0 {
			m.act(op, m.model.all[int(arg)%len(m.model.all)], duration(arg))
		}
	}
}

// act does something to a transaction that may be held or may have ended long ago.
func (m *machine) act(op byte, x *transaction, span time.Duration) {
	now := time.Now()
	switch op {
	case 1:
		m.sent(x)
	case 2:
		m.answer(x, `"value":1`, core.Answered, 0)
	case 3:
		m.answer(x, `"error":{"code":500,"message":"m"}`, core.ResponderError, 0)
	case 4:
		want := !x.sent && m.model.end(x, core.NotPublished, now)
		require.Equal(m.t, want, m.engine.Fail(x.id, core.ErrNotSent))
	case 5:
		require.Equal(m.t, m.model.end(x, core.NotPublished, now), m.engine.Fail(x.id, core.ErrRefused))
	case 9:
		require.Equal(m.t, m.model.end(x, core.Cancelled, now), m.engine.Cancel(x.id))
	case 10:
		m.answer(x, fmt.Sprintf(`"extend":%d`, span.Milliseconds()), 0, span)
	}
}

// sent is for what the bus has been given: it knows no other ids.
func (m *machine) sent(x *transaction) {
	if len(x.taken) == 0 {
		return
	}
	want := x.want == 0 && !x.sent && time.Now().Before(x.deadline)
	require.Equal(m.t, want, m.engine.Sent(x.id))
	x.sent = x.sent || want
}

func (m *machine) answer(x *transaction, rest string, outcome core.Outcome, more time.Duration) {
	kind := m.model.answer(x, outcome, more, time.Now())
	m.model.answers[index(x)][kind]++
	payload := fmt.Appendf(nil, `{"id":"%s",%s}`, x.id, rest)
	matched := m.engine.Resolve(core.Answer{Node: m.nodes[index(x)], Payload: payload})
	require.Equal(m.t, kind == core.Matched, matched)
}

func index(x *transaction) int {
	if x.serial {
		return 1
	}
	return 0
}

func (m *machine) begin(serial bool, limit time.Duration) {
	value := strconv.Itoa(len(m.model.all))
	x := m.model.begin(serial, limit)
	x.id = m.engine.Begin(&core.Call{Node: m.nodes[index(x)], Timeout: limit, Value: []byte(value)}, x)
	require.Equal(m.t, m.model.closed, x.id.IsZero())
}

func (m *machine) close() {
	require.NoError(m.t, m.engine.Close())
	m.model.close(time.Now())
}

// duration spreads a byte over 1 ms to 2 s, in whole ms: a few dozen advances reach beyond the
// minute for which ends are remembered. 0 is 0: no limit, no time.
func duration(arg byte) time.Duration {
	if arg == 0 {
		return 0
	}
	return time.Millisecond * time.Duration(1+int(arg&15)<<(arg>>4&7))
}

// check compares engine and model. It runs after every step, so it compares by hand.
func (m *machine) check() {
	for i, x := range m.model.all {
		if told := len(x.got); told > 1 || (told == 1) != (x.want != 0) || told == 1 && x.got[0] != x.want {
			m.t.Fatalf("transaction %d was told %v, want %v", i, x.got, x.want)
		}
		if !slices.Equal(x.published, x.taken) {
			m.t.Fatalf("transaction %d was published %v, want %v", i, x.taken, x.published)
		}
	}
	if !slices.Equal(m.model.serial, m.serial) {
		m.t.Fatalf("out of turn: %v, want %v", m.serial, m.model.serial)
	}
	held := 0
	for i, node := range m.nodes {
		held += m.checkNode(i, m.engine.Stats(node))
	}
	if m.engine.Held() != held {
		m.t.Fatalf("engine holds %d, model %d", m.engine.Held(), held)
	}
}

// checkNode compares the counters of a node, and returns how many it holds.
func (m *machine) checkNode(node int, s core.NodeStats) int {
	want := core.NodeStats{}
	for _, x := range m.model.all {
		if index(x) != node {
			continue
		}
		want.Begun++
		if x.want == 0 {
			want.Held++
		} else {
			want.Ended[x.want]++
		}
	}
	for kind, n := range m.model.answers[node] {
		want.Answers[kind] = n
	}
	if s != want {
		m.t.Fatalf("node %d: engine counts %+v, model %+v", node, s, want)
	}
	return int(want.Held)
}
