package core

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestEngineTranscripts plays the golden transcripts under testdata/engine on an engine with
// invented time.
func TestEngineTranscripts(t *testing.T) {
	golden(t, "testdata/engine/*.txt", func(t *testing.T, script []line) {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			defer s.engine.Close()
			for _, l := range script {
				if l.words[0] == "node" {
					s.open(l.words[1:])
				} else {
					l.require(t, s.play(l.words))
				}
			}
			require.NoError(t, s.engine.Close())
			requireAddsUp(t, s.engine)
		})
	})
}

// stage is an engine with one node, its bus, and what has happened since the last command. A request
// is known by its value.
type stage struct {
	t      *testing.T
	engine *Engine
	node   *Node
	start  time.Time
	holds  atomic.Bool // the bus takes requests and does not send them

	mu     sync.Mutex // guards all below
	events []string
	ids    map[string]ID
	names  map[ID]string
}

func (s *stage) note(format string, args ...any) {
	s.mu.Lock()
	s.events = append(s.events, fmt.Sprintf(format, args...))
	s.mu.Unlock()
}

// call gives an id a name.
func (s *stage) call(id ID, name string) {
	s.mu.Lock()
	s.ids[name], s.names[id] = id, name
	s.mu.Unlock()
}

func (s *stage) nameOf(id ID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names[id]
}

func (s *stage) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := s.events
	s.events = nil
	return events
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t, start: time.Now(), ids: map[string]ID{}, names: map[ID]string{}}
	var err error
	s.engine, err = New(s, Options{Shards: 2, Observer: s, MaxLate: -1})
	require.NoError(t, err)
	return s
}

// open adds the node: timeout and maxExtend in ms, maxInFlight, and serial unless it is concurrent.
func (s *stage) open(words []string) {
	o := NodeOptions{Name: "n", Topic: "n", Serial: true}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "timeout":
			o.Timeout = time.Duration(milliseconds(value))
		case "maxExtend":
			o.MaxExtend = time.Duration(milliseconds(value))
		case "maxInFlight":
			o.MaxInFlight, _ = strconv.Atoi(value)
		case "concurrent":
			o.Serial = false
		}
	}
	var err error
	s.node, err = s.engine.AddNode(o)
	require.NoError(s.t, err)
}

func (s *stage) Publish(r *Request) error {
	name := string(r.Value)
	s.call(r.ID, name)
	require.Equal(s.t, r.Deadline, time.Now().Add(r.Timeout))
	word := "taken"
	if !s.holds.Load() {
		word = "published"
		require.True(s.t, s.engine.Sent(r.ID))
	}
	s.note("%s %s (%d)", name, word, r.Timeout.Milliseconds())
	return nil
}

func (s *stage) Ended(*Node, Result) {}

func (s *stage) Stray(_ *Node, x *Stray) {
	name := s.nameOf(x.ID)
	switch {
	case x.ID.IsZero():
		name = "nobody"
	case x.Err != nil:
		s.note("%s %v: %v", name, x.Kind, x.Err)
		return
	}
	text := name + " " + x.Kind.String()
	switch x.Kind {
	case Extended:
		text += fmt.Sprintf(" by %d", x.Added.Milliseconds())
	case Late:
		text += " for " + x.Outcome.String()
	case Duplicate:
		text += " of " + x.Outcome.String()
	}
	s.note("%s", text)
}

// ender notes how a transaction ends.
type ender struct {
	stage *stage
	name  string
}

func (e ender) Complete(r Result) {
	text := e.name + " " + r.Outcome.String()
	switch r.Outcome {
	case Answered, ResponderError, Timeout, Cancelled: // always the same, or the responder's
	default:
		text += ": " + r.Message
	}
	e.stage.note("%s", text)
	if r.Outcome == Shed {
		require.True(e.stage.t, r.RetrySafe() && !r.Sent)
	}
}

func (s *stage) play(words []string) string {
	if words[0] == "counts" {
		n := s.engine.Stats(s.node)
		return countsText(&n)
	}
	s.do(words)
	synctest.Wait()
	if events := s.take(); len(events) > 0 {
		slices.Sort(events) // what happens at one time has no order between shards
		return strings.Join(events, ", ")
	}
	return "nothing"
}

func (s *stage) do(words []string) {
	name := ""
	if len(words) > 1 {
		name = words[1]
	}
	s.mu.Lock()
	id := s.ids[name]
	s.mu.Unlock()
	switch words[0] {
	case "begin":
		s.begin(name, words[2:])
	case "answer":
		s.resolve(id, `"value":1`)
	case "error":
		s.resolve(id, `"error":{"code":500}`)
	case "bad":
		s.resolve(id, `"nothing":1`)
	case "extend":
		s.resolve(id, `"extend":`+words[2])
	case "cancel":
		s.engine.Cancel(id)
	case "drop":
		s.engine.Fail(id, ErrNotSent)
	case "refuse":
		s.engine.Fail(id, ErrRefused)
	case "advance":
		time.Sleep(time.Until(s.start.Add(time.Duration(milliseconds(name)))))
	case "hold":
		s.holds.Store(true)
	case "drain":
		now, cancel := context.WithCancel(context.Background())
		cancel()
		require.Error(s.t, s.engine.Drain(now))
	case "close":
		require.NoError(s.t, s.engine.Close())
	default:
		s.t.Fatalf("unknown command %s", words[0])
	}
}

func (s *stage) begin(name string, words []string) {
	call := &Call{Node: s.node, Value: []byte(name)}
	for _, word := range words {
		call.Timeout = time.Duration(milliseconds(strings.TrimPrefix(word, "timeout=")))
	}
	id := s.engine.Begin(call, ender{s, name})
	if !id.IsZero() {
		s.call(id, name)
	}
}

func (s *stage) resolve(id ID, rest string) {
	s.engine.Resolve(Answer{Node: s.node, Payload: answerTo(id, rest)})
}
