package core

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// ending gives f how transactions end.
type ending struct{ f func(Result) }

func (e *ending) Complete(r Result) { e.f(r) }

// TestReentry: completers, buses and Inspect may call the engine, which then works with what is not
// in use: each sees its own request and its own reply to the end.
func TestReentry(t *testing.T) {
	e, node, bus := newTestEngine(t, Options{})
	var ended []string
	note := &ending{func(r Result) { ended = append(ended, string(r.Value)) }}
	bus.publish = func(outer *Request) error {
		bus.publish = func(inner *Request) error {
			require.NotSame(t, outer, inner)
			require.Equal(t, `"inner"`, string(inner.Value))
			require.True(t, e.Resolve(Answer{Node: node, Payload: answerTo(inner.ID, `"value":1`)}))
			return nil
		}
		before := *outer
		e.Begin(&Call{Node: node, Value: []byte(`"inner"`)}, note)
		require.Equal(t, before, *outer)
		require.True(t, e.Resolve(Answer{Node: node, Payload: answerTo(outer.ID, `"value":2`)}))
		return nil
	}
	e.Begin(&Call{Node: node, Value: []byte(`"outer"`)}, note)
	require.Equal(t, []string{"1", "2"}, ended)

	var ids [2]ID
	inspecting, err := e.AddNode(NodeOptions{Name: "i", Topic: "i"})
	require.NoError(t, err)
	inspecting.options.Inspect = func(r *Reply) error {
		if r.ID == ids[0] {
			before := *r
			require.True(t, e.Resolve(Answer{Node: inspecting, Payload: answerTo(ids[1], `"value":4`)}))
			require.Equal(t, before, *r)
		}
		return nil
	}
	bus.publish = nil
	ended = nil
	for i := range ids {
		ids[i] = e.Begin(&Call{Node: inspecting}, note)
	}
	require.True(t, e.Resolve(Answer{Node: inspecting, Payload: answerTo(ids[0], `"value":3`)}))
	require.Equal(t, []string{"4", "3"}, ended)

	// One that is refused begins another, which ends at once, too.
	bus.publish = func(*Request) error { return ErrShed }
	again := 0
	retry := &ending{}
	retry.f = func(r Result) {
		require.Equal(t, Shed, r.Outcome)
		if again++; again < 10 {
			e.Begin(&Call{Node: node}, retry)
		}
	}
	e.Begin(&Call{Node: node}, retry)
	require.Equal(t, 10, again)
	require.Zero(t, e.Held())
	requireAddsUp(t, e)
}
