package http_test

import (
	"io"
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
// give up.
func TestReplyComesBeforeTheRequesterGivesUp(t *testing.T) {
	const requesters, limit = 1000, 2 * time.Second
	engine, n := realEngine(t, core.NodeOptions{Timeout: time.Minute})
	r := serve(t, http.Options{Engine: engine}, transaction("POST", "/x", n))
	clients := make([]*client, requesters)
	for i := range clients {
		clients[i] = r.dial(t)
	}
	took := make([]time.Duration, requesters)
	var all sync.WaitGroup
	for i, c := range clients {
		start := time.Now()
		_, err := io.WriteString(c.Conn, post("/x", "", "1", "Request-Timeout: 2000"))
		require.NoError(t, err)
		all.Go(func() {
			if _, err := c.r.Peek(1); err != nil {
				t.Error(err)
			}
			took[i] = time.Since(start)
		})
	}
	all.Wait()
	least, most := limit, time.Duration(0)
	for i, c := range clients {
		require.Equal(t, "timeout", c.receive().problem(t)["outcome"])
		least, most = min(least, took[i]), max(most, took[i])
	}
	t.Logf("%d held for %v: the replies came after %v to %v", requesters, limit, least, most)
	require.GreaterOrEqual(t, least, limit-limit/20)
	require.Less(t, most, limit)
}

// The limits on reading, writing and being idle say nothing of how long a request is held.
func TestHeldLongerThanAnyTimeout(t *testing.T) {
	const short = 100 * time.Millisecond
	engine := newFakeEngine(nil)
	r := serve(t, http.Options{Engine: engine, ReadTimeout: short, IdleTimeout: short, WriteTimeout: short},
		transaction("POST", "/x", node(t, core.NodeOptions{})))
	fast, slow := r.dial(t), r.dial(t)
	for range 2 { // the slow one comes over the same connection again
		fast.send(post("/x", "", "1"))
		slow.send(post("/x", "", "2"))
		first, second := engine.next(t), engine.next(t)
		held := time.NewTimer(2 * short) // not watched yet
		<-held.C
		require.True(t, engine.end(first.ID, answered(first.Value)))
		held.Reset(8 * short) // watched for long
		<-held.C
		require.True(t, engine.end(second.ID, answered(second.Value)))
		texts := []string{fast.receive().Text, slow.receive().Text}
		require.Equal(t, []string{"1", "2"}, texts)
		fast = r.dial(t)
	}
}
