package http_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// Of two connections that were shed in the same second one is read again when it was told to come
// back, and not before.
func TestShedRests(t *testing.T) {
	engine := newFakeEngine(func(*begun) (core.Result, bool) {
		return core.Result{Outcome: core.Shed, Message: "too many requests are held"}, true
	})
	r := serve(t, http.Options{Engine: engine, FreeSheds: 1}, transaction("POST", "/full", node(t, core.NodeOptions{})))
	one, other := r.dial(t), r.dial(t)
	since := time.Now()
	for range 2 {
		one.refused()
		other.refused()
	}
	require.GreaterOrEqual(t, time.Since(since), time.Second)
	r.dial(t).refused() // no reply is held back
}

// A rest is no part of the time that a requester has for his next request.
func TestRestIsNotIdle(t *testing.T) {
	engine := newFakeEngine(func(*begun) (core.Result, bool) { return core.Result{Outcome: core.Shed}, true })
	r := serve(t, http.Options{Engine: engine, FreeSheds: 1, IdleTimeout: 500 * time.Millisecond}, transaction("POST", "/full", node(t, core.NodeOptions{})))
	c := r.dial(t)
	for range 3 {
		c.refused()
	}
}

func (c *client) refused() {
	c.t.Helper()
	c.send(post("/full", "application/json", "1"))
	got := c.receive()
	require.Equal(c.t, 429, got.StatusCode)
	require.Equal(c.t, "1", got.Header.Get("Retry-After"))
}
