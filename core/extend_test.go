package core

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestNeverPastTheLimit: whatever responders ask for, and however often, a deadline only moves
// later, never beyond what the node allows or the requester waits for, and fires when it has come.
func TestNeverPastTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard := &strays{}
		e, err := New(&discard{}, Options{Observer: heard, MaxLate: -1})
		require.NoError(t, err)
		const timeout, extend = 100 * time.Millisecond, 150 * time.Millisecond
		node, err := e.AddNode(NodeOptions{Name: "n", Topic: "n", Timeout: timeout, MaxExtend: extend})
		require.NoError(t, err)
		random := rand.New(rand.NewPCG(5, 6))
		for range 500 {
			limit := time.Duration(random.IntN(400)) * time.Millisecond // 0: none
			deadline, latest := timeout, timeout+extend
			if limit > 0 {
				deadline, latest = min(deadline, limit), min(latest, limit)
			}
			begun := time.Now()
			done := &completions{}
			id := e.Begin(&Call{Node: node, Timeout: limit}, done)
			for random.IntN(5) > 0 {
				time.Sleep(min(time.Duration(random.IntN(40))*time.Millisecond, time.Until(begun.Add(deadline))-1))
				by := time.Duration(random.IntN(100)) * time.Millisecond
				added := max(0, min(by, latest-deadline))
				deadline += added
				e.Resolve(Answer{Node: node, Payload: answerTo(id, fmt.Sprintf(`"extend":%d`, by.Milliseconds()))})
				require.Equal(t, added, heard.last.Added)
				require.Equal(t, map[bool]AnswerKind{true: Extended, false: Ignored}[added > 0], heard.last.Kind)
			}
			time.Sleep(time.Until(begun.Add(deadline + time.Millisecond)))
			synctest.Wait()
			require.EqualValues(t, 1, done.n.Load())
			late := done.last.Load().Elapsed - deadline
			require.True(t, 0 <= late && late <= time.Millisecond, "%v late", late)
		}
		for i := range e.shards {
			require.Empty(t, e.shards[i].limits)
			requireAgree(t, &e.shards[i])
		}
		require.NoError(t, e.Close())
	})
}

// TestExtend: what an answer with extend is called. The rest is in testdata/engine/extend.txt.
func TestExtend(t *testing.T) {
	for _, c := range []struct {
		name  string
		node  NodeOptions
		rest  string
		kind  AnswerKind // 0: it completes the transaction
		added time.Duration
		err   error
	}{
		{"not enabled", NodeOptions{}, `"extend":10`, Ignored, 0, errExtendOff},
		{"not enabled, and unusable", NodeOptions{}, `"extend":"x"`, Ignored, 0, errExtendOff},
		{"granted", NodeOptions{MaxExtend: time.Second}, `"extend":10`, Extended, 10 * time.Millisecond, nil},
		{"granted in part", NodeOptions{MaxExtend: time.Millisecond}, `"extend":2`, Extended, time.Millisecond, nil},
		{"less than a millisecond", NodeOptions{MaxExtend: 500}, `"extend":1`, Extended, 500, nil},
		{"the last one counts", NodeOptions{MaxExtend: time.Second}, `"extend":10,"extend":20`, Extended, 20 * time.Millisecond, nil},
		{"unusable", NodeOptions{MaxExtend: time.Second}, `"extend":{}`, Ignored, 0, errExtend},
		{"with a value", NodeOptions{MaxExtend: time.Second}, `"extend":10,"value":1`, 0, 0, nil},
		{"with an error", NodeOptions{MaxExtend: time.Second}, `"extend":10,"error":{"code":1}`, 0, 0, nil},
		{"with an unusable error", NodeOptions{MaxExtend: time.Second}, `"extend":10,"error":1`, 0, 0, nil},
		{"rules are not asked", NodeOptions{MaxExtend: time.Second, Inspect: func(*Reply) error { panic("asked") }}, `"extend":10`, Extended, 10 * time.Millisecond, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			heard := &strays{}
			e, err := New(&discard{}, Options{Observer: heard})
			require.NoError(t, err)
			defer e.Close()
			c.node.Name, c.node.Topic, c.node.Timeout = "n", "n", time.Hour
			node, err := e.AddNode(c.node)
			require.NoError(t, err)
			id := e.Begin(&Call{Node: node}, ignore{})
			answer := Answer{Node: node, Payload: answerTo(id, c.rest)}
			require.Equal(t, c.kind == 0, e.Resolve(answer))
			if c.kind == 0 {
				return
			}
			want := Stray{Kind: c.kind, ID: id, Added: c.added, Err: c.err, Payload: answer.Payload}
			require.Equal(t, want, heard.last)
			require.EqualValues(t, 1, e.Stats(node).Answers[c.kind])
			require.Equal(t, 1, e.Held())
		})
	}
}

// TestExtendElsewhere: an answer prolongs on its own node only.
func TestExtendElsewhere(t *testing.T) {
	heard := &strays{}
	e, err := New(&discard{}, Options{Observer: heard})
	require.NoError(t, err)
	defer e.Close()
	var nodes []*Node
	for _, name := range []string{"a", "b"} {
		node, err := e.AddNode(NodeOptions{Name: name, Topic: name, MaxExtend: time.Second})
		require.NoError(t, err)
		nodes = append(nodes, node)
	}
	id := e.Begin(&Call{Node: nodes[0]}, ignore{})
	e.Resolve(Answer{Node: nodes[1], Payload: answerTo(id, `"extend":10`)})
	require.Equal(t, Unknown, heard.last.Kind)
	require.NoError(t, heard.last.Err)
}

// TestInspectTakesEverything: an answer of which rules leave nothing is none that could be given.
func TestInspectTakesEverything(t *testing.T) {
	e, _, _ := newTestEngine(t, Options{})
	node, err := e.AddNode(NodeOptions{Name: "i", Topic: "i", MaxExtend: time.Second, Inspect: func(r *Reply) error {
		r.Value, r.Extend = nil, []byte("1000")
		return nil
	}})
	require.NoError(t, err)
	c := &completions{}
	id := e.Begin(&Call{Node: node}, c)
	require.True(t, e.Resolve(Answer{Node: node, Payload: answerTo(id, `"value":1`)}))
	require.Equal(t, BadResponse, c.last.Load().Outcome)
	require.Equal(t, errNothingInIt.Error(), c.last.Load().Message)
}
