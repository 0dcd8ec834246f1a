package transporttest

import (
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// A request that nobody is subscribed to ends at once where the bus can tell, and its requester may
// ask again. As soon as somebody is subscribed it is answered.
func failFast(s *stage) {
	if !s.rig.Features().NoSubscriber {
		return
	}
	node := s.node(core.NodeOptions{QoS: 1, FailFast: true})
	s.start()
	for range 3 {
		result := s.ask(node, `1`).wait(core.NoSubscriber)
		require.True(s.t, result.RetrySafe())
		require.Contains(s.t, result.Message, node.RequestTopic())
	}
	s.respond(s.peer(), node, func(r *request) { r.echo(s.t) })
	for range 3 {
		s.ask(node, `2`).wait(core.Answered)
	}
	require.EqualValues(s.t, 3, s.engine.Stats(node).Ended[core.NoSubscriber])
}

// What comes before the bus is connected leaves in its order when it is, and says how much time is
// left then; what has expired until then does not leave.
func waitForStart(s *stage) {
	if !s.rig.Features().Wait {
		return
	}
	node := s.node(core.NodeOptions{Wait: true})
	requests := s.listen(s.peer(), node)
	const n = 50
	all := make([]*asked, n)
	for i := range all {
		all[i] = s.askCall(core.Call{Node: node, Value: fmt.Append(nil, i), Timeout: patience})
	}
	s.start()
	next := s.ask(node, fmt.Sprint(n))
	for i := range n + 1 {
		r := receive(s.t, requests, "a request that has waited")
		require.Equal(s.t, fmt.Sprint(i), string(r.value))
		if s.rig.Features().Properties && i < n {
			requireTimeLeft(s.t, r.Properties)
		}
		r.echo(s.t)
	}
	for _, a := range append(all, next) {
		a.wait(core.Answered)
		require.Equal(s.t, 1, s.tap.timesSent(a.id))
	}
}

// The broker goes away and comes back.
//
//  1. While it is away requests wait: until their deadline, if it comes first, and not until it
//     if they do not wait.
//  2. When it is back, the others leave, in their order, each once, before what comes after them.
func waitForBroker(s *stage) {
	breaker, ok := s.rig.(Breaker)
	if !ok || !s.rig.Features().Wait {
		return
	}
	node, hasty := s.node(core.NodeOptions{Wait: true}), s.node(core.NodeOptions{Name: "hasty"})
	s.start()
	s.respond(s.peer(), node, func(r *request) { r.echo(s.t) })
	s.ask(node, `"before"`).wait(core.Answered)
	require.NoError(s.t, breaker.Break())
	s.untilNotPublished(hasty)

	var all []core.ID
	var expired []*asked
	const brief = 200 * time.Millisecond
	for range 20 {
		expired = append(expired, s.askCall(core.Call{Node: node, Value: []byte(`"expires"`), Timeout: brief}))
		all = append(all, s.ask(node, `"waits"`).id)
	}
	for _, a := range expired {
		result := a.wait(core.NotPublished)
		require.False(s.t, result.Sent)
		require.GreaterOrEqual(s.t, result.Elapsed, brief)
	}
	require.NoError(s.t, breaker.Mend())
	require.NoError(s.t, breaker.Connected(s.ctx))
	s.respond(s.peer(), node, func(r *request) { r.echo(s.t) })
	last := s.ask(node, `"after"`)
	last.wait(core.Answered)
	all = append(all, last.id)
	handed := s.tap.handed()
	require.Equal(s.t, all, slices.DeleteFunc(handed, func(id core.ID) bool { return !slices.Contains(all, id) }))
	for _, id := range all {
		require.Equal(s.t, 1, s.tap.timesSent(id))
	}
}
