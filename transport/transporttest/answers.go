package transporttest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

func answered(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{})
	before := time.Now().UnixMilli()
	a := s.ask(node, `{"order":4711,"n":1.50,"text":"\u00e4 ä"}`)
	r := receive(s.t, requests, "the request")
	require.Equal(s.t, node.RequestTopic(), r.Topic)
	require.Equal(s.t, a.id, r.id)
	var timestamp int64
	_, err := fmt.Sscanf(string(r.Payload), `{"id":"`+a.id.String()+`","timestamp":%d,`, &timestamp)
	require.NoError(s.t, err, "payload %s", r.Payload)
	require.Contains(s.t, string(r.Payload), `,"value":{"order":4711,"n":1.50,"text":"\u00e4 ä"}}`)
	require.InDelta(s.t, before, timestamp, float64(patience.Milliseconds()))

	r.send(s.t, `{"id":"%s","timestamp":1,"value":{"release": true, "n":1.50}}`)
	result := a.wait(core.Answered)
	require.Equal(s.t, `{"release": true, "n":1.50}`, string(result.Value), "byte for byte")
	require.Equal(s.t, a.id, result.ID)
	require.True(s.t, result.Sent)
	require.EqualValues(s.t, 1, s.engine.Stats(node).Answers[core.Matched])
}

// The machine's request is published; its answer is there before Publish has returned.
func answeredBeforePublishReturns(s *stage) {
	node := s.node(core.NodeOptions{})
	s.start()
	s.respond(s.peer(), node, func(r *request) { r.echo(s.t) })
	var early *asked
	s.tap.after = func(*core.Request) {
		result := early.wait(core.Answered)
		early.results <- result // for the case, below
	}
	early = &asked{t: s.t, results: make(chan core.Result, 1)}
	s.engine.Begin(&core.Call{Node: node, Value: []byte(`"early"`)}, early)
	require.Equal(s.t, `"early"`, string(early.wait(core.Answered).Value))
}

func answeredQoS(s *stage) {
	nodes := []*core.Node{
		s.node(core.NodeOptions{Name: "zero", QoS: 0}),
		s.node(core.NodeOptions{Name: "one", QoS: 1}),
		s.node(core.NodeOptions{Name: "two", QoS: 2}),
	}
	s.start()
	peer := s.peer()
	for _, node := range nodes {
		s.respond(peer, node, func(r *request) { r.echo(s.t) })
	}
	var all []*asked
	for range 50 {
		for _, node := range nodes {
			all = append(all, s.ask(node, `"`+node.Name()+`"`))
		}
	}
	for i, a := range all {
		require.Equal(s.t, `"`+nodes[i%len(nodes)].Name()+`"`, string(a.wait(core.Answered).Value))
	}
	require.Empty(s.t, s.strays, "each request once, each answer once")
}

func errorAnswer(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{})
	a := s.ask(node, `1`)
	receive(s.t, requests, "the request").send(s.t, `{"id":"%s","timestamp":1,"error":{"code":503,"message":"no \u0022 material"}}`)
	result := a.wait(core.ResponderError)
	require.EqualValues(s.t, 503, result.Code)
	require.Equal(s.t, `no " material`, result.Message)
	require.Nil(s.t, result.Value)
}

// Nothing incomplete looks like success.
func unusableAnswer(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{})
	for _, answer := range []string{
		`{"id":"%s"}`,
		`{"id":"%s","timestamp":1}`,
		`{"id":"%s","value":1,"error":null}`,
		`{"id":"%s","error":"busy"}`,
		`{"id":"%s","error":{"message":"no code"}}`,
	} {
		a := s.ask(node, `1`)
		receive(s.t, requests, "the request").send(s.t, answer)
		require.NotEmpty(s.t, a.wait(core.BadResponse).Message, answer)
	}
}

func silence(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{Timeout: time.Second})
	a := s.ask(node, `1`)
	receive(s.t, requests, "the request")
	result := a.wait(core.Timeout)
	require.True(s.t, result.Sent)
	require.GreaterOrEqual(s.t, result.Elapsed, time.Second, "never early")
}

func lateAnswer(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{})
	a := s.ask(node, `1`)
	r := receive(s.t, requests, "the request")
	require.True(s.t, s.engine.Cancel(a.id))
	a.wait(core.Cancelled)
	r.echo(s.t)
	stray := s.nextStray(core.Late)
	require.Equal(s.t, a.id, stray.ID)
	require.Equal(s.t, core.Cancelled, stray.Outcome)
	require.EqualValues(s.t, 1, s.engine.Stats(node).Answers[core.Late])
}

func duplicateAnswer(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{})
	a := s.ask(node, `1`)
	r := receive(s.t, requests, "the request")
	r.send(s.t, `{"id":"%s","value":"first"}`)
	r.send(s.t, `{"id":"%s","value":"second"}`)
	r.send(s.t, `{"id":"%s","error":{"code":500}}`)
	require.Equal(s.t, `"first"`, string(a.wait(core.Answered).Value))
	for range 2 {
		stray := s.nextStray(core.Duplicate)
		require.Equal(s.t, a.id, stray.ID)
		require.Equal(s.t, core.Answered, stray.Outcome)
	}
	require.EqualValues(s.t, 2, s.engine.Stats(node).Answers[core.Duplicate])
}

// sendAs answers a request under another id, which must complete nothing.
func (s *stage) sendAs(r *request, id string, want core.AnswerKind) {
	s.t.Helper()
	r.sendMessage(s.t, Message{Payload: []byte(`{"id":"` + id + `","value":"wrong"}`)})
	s.nextStray(want)
}

// requireUnharmed answers a request that must still be held.
func (s *stage) requireUnharmed(a *asked, r *request) {
	s.t.Helper()
	r.send(s.t, `{"id":"%s","value":"right"}`)
	require.Equal(s.t, `"right"`, string(a.wait(core.Answered).Value))
}

func unknownID(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{})
	a := s.ask(node, `1`)
	r := receive(s.t, requests, "the request")
	near := a.id
	near[15] ^= 1 // the slot is the same, the random bits differ
	s.sendAs(r, near.String(), core.Unknown)
	far := a.id
	far[0] ^= 0x80 // no such slot
	s.sendAs(r, far.String(), core.Unknown)
	s.sendAs(r, "17", core.Unknown)
	s.sendAs(r, "", core.Unknown)
	s.requireUnharmed(a, r)
}

func foreignID(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{})
	a := s.ask(node, `1`)
	r := receive(s.t, requests, "the request")
	foreign := a.id
	foreign[4] ^= 1 // the instance tag
	s.sendAs(r, foreign.String(), core.Foreign)
	s.requireUnharmed(a, r)
}

// An answer counts only on the topic of its own node.
func otherNode(s *stage) {
	other := s.node(core.NodeOptions{Name: "other"})
	node, peer, requests := s.begin(core.NodeOptions{})
	a := s.ask(node, `1`)
	r := receive(s.t, requests, "the request")
	require.NoError(s.t, peer.Publish(Message{Topic: other.AnswerTopic(), Payload: fmt.Appendf(nil, `{"id":"%s","value":"wrong"}`, a.id)}))
	s.nextStray(core.Unknown)
	require.EqualValues(s.t, 1, s.engine.Stats(other).Answers[core.Unknown])
	s.requireUnharmed(a, r)
}

func malformedAnswer(s *stage) {
	node, peer, requests := s.begin(core.NodeOptions{})
	a := s.ask(node, `1`)
	r := receive(s.t, requests, "the request")
	for _, payload := range []string{
		``, `{`, `[]`, `null`, `"` + a.id.String() + `"`, `{"value":1}x`, `{"id":17,"value":1}`, "\x00\xff\xfe",
		`{"id":"` + a.id.String() + `","value":1,}`, "{\"id\":\"" + a.id.String() + "\",\"value\":\"\xff\"}",
	} {
		require.NoError(s.t, peer.Publish(Message{Topic: node.AnswerTopic(), Payload: []byte(payload)}))
		stray := s.nextStray(core.Malformed)
		require.Equal(s.t, payload, string(stray.Payload))
		require.Error(s.t, stray.Err)
	}
	s.requireUnharmed(a, r)
}

// Nodes that do not allow prolonging ignore it.
func ignoredAnswer(s *stage) {
	node, _, requests := s.begin(core.NodeOptions{})
	a := s.ask(node, `1`)
	r := receive(s.t, requests, "the request")
	r.send(s.t, `{"id":"%s","extend":60000}`)
	s.nextStray(core.Ignored)
	s.requireUnharmed(a, r)
}
