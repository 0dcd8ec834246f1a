package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// end is a message on a tend topic.
type end struct {
	ID        string
	Timestamp int64
	Outcome   string
	RetrySafe *bool
	ElapsedMs *int64
}

func endOf(t *testing.T, m mqtt.Message) end {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(m.Payload)))
	decoder.DisallowUnknownFields()
	var e end
	require.NoError(t, decoder.Decode(&e), "%s", m.Payload)
	require.InDelta(t, time.Now().UnixMilli(), e.Timestamp, 60_000)
	require.NotNil(t, e.RetrySafe)
	require.NotNil(t, e.ElapsedMs)
	return e
}

// TestEndsArePublished: whoever answered learns whether it arrived, from both doors.
func TestEndsArePublished(t *testing.T) {
	const outcomes = ", qos: 1, retain: false, transaction: {outcomes: true, timeout: 100}"
	r := open(t, node("ask", outcomes)+node("quiet", "")+opcuaHead+method("MayStart", outcomes)+
		node("dropped", `, rules: [{filter: {expression: 'false'}}], transaction: {outcomes: true}`))
	requests, ends := r.listen("services/test/+/treq"), r.listen("services/test/+/tend")
	m := r.machine(t)
	idOf := func(m mqtt.Message) string {
		reply, err := core.DecodeAnswer(m.Payload)
		require.NoError(t, err)
		return reply.ID.String()
	}
	go r.ask("POST", "/ask", "1")
	request := receive(t, requests)
	r.answer(request, `"value":1`)
	got := receive(t, ends)
	require.Equal(t, "services/test/ask/tend", got.Topic)
	require.False(t, got.Retain)
	e := endOf(t, got)
	require.Equal(t, "answered "+idOf(request), e.Outcome+" "+e.ID)
	require.False(t, *e.RetrySafe)

	require.Equal(t, ua.StatusBadTimeout, m.call("MayStart", "1").StatusCode)
	e = endOf(t, receive(t, ends))
	require.Equal(t, "timeout "+idOf(receive(t, requests)), e.Outcome+" "+e.ID)
	require.GreaterOrEqual(t, *e.ElapsedMs, int64(100))

	go r.ask("POST", "/quiet", "1")
	r.answer(receive(t, requests), `"value":1`)
	status, _ := r.ask("POST", "/dropped", "1")
	require.Equal(t, 500, status)
	e = endOf(t, receive(t, ends)) // and none of the node without outcomes before it
	require.Equal(t, "rule_failed", e.Outcome)
	require.True(t, *e.RetrySafe)
	require.Empty(t, ends)
	require.Zero(t, r.LostEnds())
}

// TestEndsOfTheDrain: what ends with the gateway is told before the link closes.
func TestEndsOfTheDrain(t *testing.T) {
	r := open(t, node("ask", ", transaction: {outcomes: true, timeout: 60000}"))
	requests, ends := r.listen("services/test/ask/treq"), r.listen("services/test/ask/tend")
	go r.ask("POST", "/ask", "1")
	receive(t, requests)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, r.Shutdown(over), ErrStillHeld)
	e := endOf(t, receive(t, ends))
	require.Equal(t, "shutdown", e.Outcome)
	require.False(t, *e.RetrySafe, "it had left")
}

// deafLink takes no message, and waits for the test before it says so.
type deafLink struct {
	link
	entered chan string
	proceed chan struct{}
}

func (l *deafLink) PublishMessage(m mqtt.Message) error {
	l.entered <- m.Topic
	<-l.proceed
	return errors.New("broken")
}

// TestEndsThatCannotBeTold: they hold up nobody, are bounded, and are counted.
func TestEndsThatCannotBeTold(t *testing.T) {
	engine, err := core.New(&heldLink{}, core.Options{})
	require.NoError(t, err)
	defer engine.Close()
	told, err := engine.AddNode(core.NodeOptions{Name: "told", Topic: "t"})
	require.NoError(t, err)
	untold, err := engine.AddNode(core.NodeOptions{Name: "untold", Topic: "u"})
	require.NoError(t, err)
	log := &logBuffer{}
	l := &deafLink{entered: make(chan string, 2*queueItems), proceed: make(chan struct{})}
	p := startEndsPublisher(l, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	p.add(told)
	p.Ended(untold, core.Result{ID: core.ID{1}, Outcome: core.Answered})
	p.Ended(told, core.Result{Outcome: core.Shed}) // it never had an id
	p.Stray(told, &core.Stray{})
	p.Ended(told, core.Result{ID: core.ID{1}, Outcome: core.Answered})
	require.Equal(t, "t/tend", receive(t, l.entered))
	for range queueItems + 10 {
		p.Ended(told, core.Result{ID: core.ID{1}, Outcome: core.Answered})
	}
	require.EqualValues(t, 10, p.lost.Load(), "what does not fit")
	close(l.proceed)
	p.close()
	require.EqualValues(t, queueItems+11, p.lost.Load())
	require.Contains(t, log.String(), "level=DEBUG")
	require.Less(t, strings.Count(log.String(), "could not be published"), 60, "at most one a second")
}
