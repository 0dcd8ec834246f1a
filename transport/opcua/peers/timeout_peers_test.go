//go:build peers

package peers

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// Two calls in one request: one is answered, the other is not, and one response tells of both.
func TestTwoCallsInOneRequest(t *testing.T) {
	p := newPlant(t)
	p.respond("line.mayStart", mayStart)
	p.hold("line.slow")
	c := p.connect(dial{})
	got := c.send(calls(methodCall("line.slow", int32s(1)), methodCall("line.mayStart", text("A"), int32s(1)), methodCall("line.own"))).called()
	require.Len(t, got, 3)
	require.Equal(t, "BadTimeout", got[0].StatusCode)
	require.Equal(t, "Good", got[1].StatusCode)
	require.Len(t, got[1].OutputArguments, 2)
	require.Equal(t, "BadRequestTimeout", got[2].StatusCode, "what the node is configured to say")
}

// The server answers before the client gives up, however long the node may take: node-opcua would
// report a timeout of its own, which says nothing.
func TestClientTimeoutIsHonoured(t *testing.T) {
	p := newPlant(t)
	p.hold("line.patient")
	c := p.connect(dial{})
	for _, hint := range []time.Duration{200 * time.Millisecond, time.Second} {
		began := time.Now()
		r := calls(methodCall("line.patient", int32s(1)))
		r.Hint = hint
		require.Equal(t, "BadTimeout", c.send(r).called()[0].StatusCode)
		require.GreaterOrEqual(t, time.Since(began), hint-max(20*time.Millisecond, hint/20))
	}
}

func TestHoldOf12SecondsWithTimeoutOf10(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	requests := p.hold("line.patient")
	c := p.connect(dial{Hint: 10 * time.Second})
	began := time.Now()
	require.Equal(t, "BadTimeout", c.call("line.patient", int32s(1)).StatusCode)
	require.GreaterOrEqual(t, time.Since(began), 9500*time.Millisecond)
	require.Equal(t, core.Timeout, receive(t, p.ended).outcome)
	// The answer that comes after 12 s finds nobody, and disturbs nobody.
	r := receive(t, requests)
	<-time.After(12*time.Second - time.Since(began))
	require.NoError(t, r.Answer([]byte("1")))
	require.Eventually(t, func() bool {
		return p.engine.Stats(p.nodes["line.patient"].Transaction.Node).Answers[core.Late] == 1
	}, patience, 10*time.Millisecond)
	require.Equal(t, "Good", c.read("fixed").StatusCode)
}
