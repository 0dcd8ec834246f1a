package http_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// silent is a bus that nobody answers on.
type silent struct{ sink core.Sink }

func (s *silent) Bind(sink core.Sink) { s.sink = sink }

func (s *silent) Publish(r *core.Request) error {
	if !s.sink.Sent(r.ID) {
		return core.ErrNotSent
	}
	return nil
}

// realEngine is an engine that nobody answers to, with one node.
func realEngine(t *testing.T, o core.NodeOptions) (*core.Engine, *core.Node) {
	t.Helper()
	engine, err := core.New(&silent{}, core.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	o.Name, o.Topic = "node", "topic"
	n, err := engine.AddNode(o)
	require.NoError(t, err)
	return engine, n
}

// A thousand requesters wait for the same time at once, and each hears how it ended before he would
// give up. The machine may be busy with something else for once.
func TestRepliesComeBeforeRequestersGiveUp(t *testing.T) {
	const requesters, limit = 1000, 4 * time.Second
	engine, n := realEngine(t, core.NodeOptions{Timeout: time.Minute})
	r := serve(t, http.Options{Engine: engine}, transaction("POST", "/x", n))
	clients := make([]*client, requesters)
	for i := range clients {
		clients[i] = r.dial(t)
	}
	for attempt := 1; ; attempt++ {
		took := askAtOnce(t, clients, post("/x", "", "1", "Request-Timeout: 4000"))
		least, most := slices.Min(took), slices.Max(took)
		t.Logf("%d held for %v: the replies came after %v to %v", requesters, limit, least, most)
		require.GreaterOrEqual(t, least, limit-limit/20)
		if most < limit {
			return
		}
		require.Less(t, attempt, 4, "never all of them before %v", limit)
	}
}

// askAtOnce sends the request on all connections, and says how long each took to time out.
func askAtOnce(t *testing.T, clients []*client, request string) []time.Duration {
	took := make([]time.Duration, len(clients))
	var all sync.WaitGroup
	for i, c := range clients {
		require.NoError(t, c.SetDeadline(time.Now().Add(2*patience)))
		start := time.Now()
		c.send(request)
		all.Go(func() {
			if _, err := c.r.Peek(1); err != nil {
				t.Error(err)
			}
			took[i] = time.Since(start)
		})
	}
	all.Wait()
	for _, c := range clients {
		require.Equal(t, "timeout", c.receive().problem(t)["outcome"])
	}
	return took
}

// The limits on reading, writing and being idle say nothing of how long a request is held.
func TestHeldLongerThanAnyTimeout(t *testing.T) {
	const short = 200 * time.Millisecond
	engine := newFakeEngine(nil)
	r := serve(t, http.Options{Engine: engine, ReadTimeout: short, IdleTimeout: short, WriteTimeout: short},
		transaction("POST", "/x", node(t, core.NodeOptions{})))
	for _, times := range []time.Duration{2, 6} { // not watched yet, and watched for long
		c := r.dial(t)
		for i := range 2 { // the second one comes over a connection that was held before
			c.send(post("/x", "", itoa(i)))
			b := engine.next(t)
			<-time.After(times * short)
			require.True(t, engine.end(b.ID, answered(b.Value)))
			require.Equal(t, itoa(i), c.receive().Text)
		}
	}
}
