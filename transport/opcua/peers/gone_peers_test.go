//go:build peers

package peers

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

const heldByOne = 20

// holding has a client with calls that are held.
func holding(t *testing.T) (*plant, *client, []*sent) {
	t.Helper()
	p := newPlant(t)
	requests := p.hold("line.patient")
	c := p.connect(dial{})
	all := make([]*sent, heldByOne)
	for i := range all {
		all[i] = c.startCall("line.patient", int32s(i))
	}
	for range all {
		receive(t, requests)
	}
	return p, c, all
}

func (p *plant) allCancelled() {
	p.t.Helper()
	for range heldByOne {
		require.Equal(p.t, end{"line.patient", core.Cancelled}, receive(p.t, p.ended))
	}
	require.Zero(p.t, p.engine.Held())
}

// CloseSession ends what is held: the client hears of it, and so does the engine.
func TestSessionClosedWhileHeld(t *testing.T) {
	p, c, all := holding(t)
	require.Equal(t, "Good", c.status(request{Service: "CloseSession", Fields: map[string]any{"deleteSubscriptions": true}}))
	for _, s := range all {
		require.Equal(t, "BadSessionClosed", s.outcome())
	}
	p.allCancelled()
	c.cut() // node-opcua does not know that its session is closed
}

// outcome is what a Call ended with, whether the response says so for all of it or for its item.
func (s *sent) outcome() string {
	s.c.t.Helper()
	var raw rawResponse
	s.response(&raw)
	if result := raw.header(s.c.t).ServiceResult; result != "Good" {
		return result
	}
	var got struct{ Results []callResult }
	raw.into(s.c.t, &got)
	require.Len(s.c.t, got.Results, 1)
	return got.Results[0].StatusCode
}

func TestConnectionCutWhileHeld(t *testing.T) {
	p, c, all := holding(t)
	bystander := p.connect(dial{})
	c.cut()
	began := time.Now()
	p.allCancelled()
	require.Less(t, time.Since(began), time.Second)
	for _, s := range all {
		require.Error(t, c.d.finish(s.done, nil))
	}
	require.Equal(t, "Good", bystander.read("speed").StatusCode)
}

// Cancel ends one request, and only that.
func TestCancel(t *testing.T) {
	p, c, all := holding(t)
	var got struct{ CancelCount int }
	c.do("cancel", map[string]any{"of": all[3].id}, &got)
	require.Equal(t, 1, got.CancelCount)
	require.Equal(t, "BadRequestCancelledByClient", all[3].outcome())
	require.Equal(t, core.Cancelled, receive(t, p.ended).outcome)
	require.Equal(t, heldByOne-1, p.engine.Held())
	c.ask("Cancel", map[string]any{"requestHandle": 1 << 30}, &got)
	require.Zero(t, got.CancelCount, "nobody has that handle")
	require.Equal(t, heldByOne-1, p.engine.Held())
}

// A server that shuts down lets what is held end.
func TestShutdownWhileHeld(t *testing.T) {
	p := newPlant(t)
	requests := p.hold("line.patient")
	c := p.connect(dial{})
	held := c.startCall("line.patient", int32s(5))
	r := receive(t, requests)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	down := make(chan error, 1)
	go func() { down <- p.server.Shutdown(ctx) }()
	require.Eventually(t, func() bool {
		_, err := p.tryConnect(dial{ChannelOnly: true})
		return err != nil
	}, patience, 10*time.Millisecond, "it still accepts connections")
	require.NoError(t, r.Answer(r.Value))
	sameJSON(t, []variant{int32s(5)}, held.called()[0].OutputArguments)
	require.NoError(t, receive(t, down))
	c.cut()
}
