package transporttest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

func properties(s *stage) {
	if !s.rig.Features().Properties {
		return
	}
	node, _, requests := s.begin(core.NodeOptions{})
	given := []core.Property{{Name: "http-method", Value: "POST"}, {Name: "http-path", Value: "/data/ä"}}
	a := s.askCall(core.Call{Node: node, Value: []byte(`1`), Timeout: patience, Properties: append([]core.Property{}, given...)})
	r := receive(s.t, requests, "the request")
	require.Equal(s.t, a.id[:], r.CorrelationData)
	require.Equal(s.t, node.AnswerTopic(), r.ResponseTopic)
	require.Equal(s.t, "application/json", r.ContentType)
	requireTimeLeft(s.t, r.Properties)
	for _, p := range given {
		require.Contains(s.t, r.Properties, p)
	}
	require.Positive(s.t, r.Expiry)
	require.LessOrEqual(s.t, r.Expiry, patience)
	require.Zero(s.t, r.Expiry%time.Second)
	r.echo(s.t)
	a.wait(core.Answered)
}

// requireTimeLeft: the property says how much of the time is left when the request is published.
func requireTimeLeft(t testing.TB, properties []core.Property) {
	t.Helper()
	at := slices.IndexFunc(properties, func(p core.Property) bool { return p.Name == "flowsync-timeout-ms" })
	require.GreaterOrEqual(t, at, 0, "flowsync-timeout-ms is missing")
	left, err := strconv.ParseInt(properties[at].Value, 10, 64)
	require.NoError(t, err)
	require.LessOrEqual(t, left, patience.Milliseconds())
	require.Greater(t, left, patience.Milliseconds()/2)
}

// Without an id in the payload the Correlation Data finds the transaction; if both are there
// they must agree.
func correlationData(s *stage) {
	if !s.rig.Features().Properties {
		return
	}
	node, _, requests := s.begin(core.NodeOptions{})
	a := s.ask(node, `1`)
	r := receive(s.t, requests, "the request")
	other := a.id
	other[15] ^= 1
	withID := fmt.Appendf(nil, `{"id":"%s","value":"wrong"}`, a.id)
	for _, wrong := range []Message{
		{Payload: withID, CorrelationData: other[:]},
		{Payload: withID, CorrelationData: []byte("short")},
		{Payload: []byte(`{"value":"wrong"}`), CorrelationData: []byte("short")},
		{Payload: []byte(`{"value":"wrong"}`)},
	} {
		r.sendMessage(s.t, wrong)
		s.nextStray(core.Malformed)
	}
	r.sendMessage(s.t, Message{Payload: []byte(`{"value":"by correlation"}`), CorrelationData: a.id[:]})
	require.Equal(s.t, `"by correlation"`, string(a.wait(core.Answered).Value))

	b := s.ask(node, `2`)
	r = receive(s.t, requests, "the request")
	r.sendMessage(s.t, Message{Payload: fmt.Appendf(nil, `{"id":"%s","value":"both"}`, b.id), CorrelationData: b.id[:]})
	require.Equal(s.t, `"both"`, string(b.wait(core.Answered).Value))
}

// What was retained on the answer topic before the bus came is not looked at: it may not come
// at all, and if it does it is stale, whatever is in it.
func retainedBefore(s *stage) {
	if !s.rig.Features().Retain {
		return
	}
	topic := s.prefix + "n"
	peer := s.peer()
	kept := make(chan struct{}, 1)
	require.NoError(s.t, peer.Subscribe(topic+"/tres", func(m Message) {
		if strings.Contains(string(m.Payload), "old") {
			select {
			case kept <- struct{}{}:
			default:
			}
		}
	}))
	require.NoError(s.t, peer.Publish(Message{Topic: topic + "/tres", Payload: []byte(`{"value":"old"}`), Retain: true}))
	receive(s.t, kept, "the message to be retained")
	node, _, requests := s.begin(core.NodeOptions{})
	require.Equal(s.t, topic, node.Topic())
	a := s.ask(node, `1`)
	s.requireUnharmed(a, receive(s.t, requests, "the request"))
	stats := s.engine.Stats(node)
	require.Zero(s.t, stats.Answers[core.Malformed], "it was taken for a live answer")
	require.LessOrEqual(s.t, stats.Answers[core.Stale], uint64(1))
}

// A live answer is valid even if its sender wants it to be retained.
func retainedLive(s *stage) {
	if !s.rig.Features().Retain {
		return
	}
	node, peer, requests := s.begin(core.NodeOptions{})
	a := s.ask(node, `1`)
	r := receive(s.t, requests, "the request")
	r.sendMessage(s.t, Message{Payload: fmt.Appendf(nil, `{"id":"%s","value":"kept"}`, a.id), Retain: true})
	require.Equal(s.t, `"kept"`, string(a.wait(core.Answered).Value))
	require.Zero(s.t, s.engine.Stats(node).Answers[core.Stale])
	// An empty retained message removes it from the broker.
	require.NoError(s.t, peer.Publish(Message{Topic: node.AnswerTopic(), Retain: true}))
	s.nextStray(core.Malformed)
}
