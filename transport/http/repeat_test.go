package http_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/core/idempotency"
	"github.com/flowsync-go/flowsync/transport/http"
	"github.com/flowsync-go/flowsync/transport/mem"
)

// shop is a server on a real engine with a real table of keys; its responder is a channel.
type shop struct {
	*rig
	engine   *core.Engine
	requests chan *mem.Request
}

func openShop(t *testing.T, timeout time.Duration, fallback []byte) *shop {
	t.Helper()
	bus, err := mem.New(mem.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bus.Close()) })
	table, err := idempotency.New(idempotency.Options{Logger: quiet()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, table.Close()) })
	s := &shop{requests: make(chan *mem.Request, 64)}
	s.engine, err = core.New(table.Bus(bus), core.Options{Observer: table})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.engine.Close()) })
	table.Use(s.engine)
	n, err := s.engine.AddNode(core.NodeOptions{Name: "order", Topic: "order", Timeout: timeout, Inspect: table.Inspect(nil, http.Inspect)})
	require.NoError(t, err)
	require.NoError(t, table.AddNode(n, idempotency.NodeOptions{Protocol: http.Inspect}))
	_, err = bus.Respond("order", func(r *mem.Request) { s.requests <- r })
	require.NoError(t, err)
	s.rig = serve(t, http.Options{Engine: table}, http.Route{Method: "POST", Path: "/order",
		Transaction: &http.Transaction{Node: n, Keys: true, Fallback: fallback}})
	return s
}

func order(value, key string) string {
	return post("/order", "", value, "Idempotency-Key: "+key)
}

// published takes the next request that reached the responder.
func (s *shop) published(t *testing.T) *mem.Request {
	t.Helper()
	select {
	case r := <-s.requests:
		return r
	case <-time.After(patience):
		require.FailNow(t, "nothing was published")
		return nil
	}
}

// What was answered is given again with all that the answer said, and is carried out once.
func TestOrderIsSentAgain(t *testing.T) {
	s := openShop(t, time.Minute, nil)
	first, second := s.dial(t), s.dial(t)
	first.send(order("7", "a"))
	r := s.published(t)
	second.send(order("7", `"a"`)) // joins
	require.NoError(t, r.Send([]byte(`{"id":"`+r.ID.String()+`","value":{"no":1},"http":{"status":201,"headers":{"X-Line":"3"}}}`)))
	third := s.dial(t)
	for i, c := range []*client{first, second, third} {
		if c == third {
			c.send(order("7", "a"))
		}
		got := c.receive()
		require.Equal(t, 201, got.StatusCode, got.Text)
		require.Equal(t, `{"no":1}`, got.Text)
		require.Equal(t, "3", got.Header.Get("X-Line"))
		if i == 0 {
			require.Empty(t, got.Header.Get("Idempotency-Replayed"))
		}
		if c == third {
			require.Equal(t, "true", got.Header.Get("Idempotency-Replayed"))
		}
	}
	conflict := s.do(t, order("8", "a"))
	require.Equal(t, 422, conflict.StatusCode)
	require.Equal(t, false, conflict.problem(t)["retrySafe"])
	require.Empty(t, s.requests, "it was published once")
}

// An error of the responder's is a reply like any other.
func TestFailedOrderIsSentAgain(t *testing.T) {
	s := openShop(t, time.Minute, nil)
	c := s.dial(t)
	c.send(order("7", "a"))
	require.NoError(t, s.published(t).Fail(409, "sold"))
	for _, replayed := range []string{"", "true"} {
		if replayed != "" {
			c.send(order("7", "a"))
		}
		got := c.receive()
		require.Equal(t, 409, got.StatusCode)
		require.Equal(t, "sold", got.problem(t)["detail"])
		require.Equal(t, replayed, got.Header.Get("Idempotency-Replayed"))
	}
	require.Empty(t, s.requests)
}

// What was published and not answered is in doubt until the late answer comes, with and without a
// fallback.
func TestOrderInDoubt(t *testing.T) {
	for name, fallback := range map[string][]byte{"plain": nil, "with a fallback": []byte(`{"no":0}`)} {
		t.Run(name, func(t *testing.T) {
			s := openShop(t, 100*time.Millisecond, fallback)
			for i, doubt := range []bool{false, true} {
				got := s.do(t, order("7", "a"))
				if fallback != nil {
					require.Equal(t, 200, got.StatusCode)
					require.Equal(t, "timeout", got.Header.Get("Flowsync-Outcome"))
					require.Equal(t, map[bool]string{true: "true"}[doubt], got.Header.Get("Flowsync-In-Doubt"))
					continue
				}
				require.Equal(t, 500, got.StatusCode)
				have := got.problem(t)
				require.Equal(t, "timeout", have["outcome"])
				require.Equal(t, false, have["retrySafe"])
				require.Equal(t, map[bool]any{true: true}[doubt], have["inDoubt"], "of request %d", i)
			}
			r := s.published(t)
			require.Empty(t, s.requests, "it was published once")
			require.NoError(t, r.Answer([]byte(`{"no":1}`)))
			require.Eventually(t, func() bool {
				got := s.do(t, order("7", "a"))
				return got.Text == `{"no":1}` && got.Header.Get("Idempotency-Replayed") == "true"
			}, patience, time.Millisecond)
			require.Empty(t, s.requests)
		})
	}
}

// Who joined goes on waiting when the first one has left, and who leaves after him ends nothing.
func TestOrdererLeaves(t *testing.T) {
	s := openShop(t, time.Minute, nil)
	first, second := s.dial(t), s.dial(t)
	first.send(order("7", "a"))
	r := s.published(t)
	second.send(order("7", "a"))
	require.NoError(t, first.Close())
	require.NoError(t, r.Answer([]byte("1")))
	require.Equal(t, "1", second.receive().Text)
	require.Eventually(t, func() bool { return s.engine.Held() == 0 }, patience, time.Millisecond)
}
