package opcua_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// A thousand Calls of ten clients are held with the same TimeoutHint, and each is answered before its
// client would give up. The machine may be busy with something else for once.
func TestResponsesComeBeforeClientsGiveUp(t *testing.T) {
	const clients, each, hint = 10, 100, 4 * time.Second
	var method *opcua.Node
	h := build(t, func(h *house, o *opcua.Options) { method = echo(h, o) })
	h.respond(method, func(*mem.Request) {})
	request := call("Press", "Press.Ask", "4711")
	request.SetHeader(&ua.RequestHeader{TimeoutHint: uint32(hint.Milliseconds())})
	for attempt := 1; ; attempt++ {
		took := h.callAtOnce(clients, each, request)
		least, most := slices.Min(took), slices.Max(took)
		t.Logf("%d held with a hint of %v: the responses came after %v to %v", len(took), hint, least, most)
		require.Len(t, took, clients*each)
		require.GreaterOrEqual(t, least, hint-hint/20)
		if most < hint {
			return
		}
		require.Less(t, attempt, 4, "never all of them before %v", hint)
	}
}

// callAtOnce has many clients send a Call again and again, and says how long each took to time out.
func (h *house) callAtOnce(clients, each int, request *ua.CallRequest) (took []time.Duration) {
	var mu sync.Mutex
	all := make(chan struct{}, clients*each)
	for range clients {
		sent := map[uint32]time.Time{}
		c := h.login(func(r rawclient.Response) {
			now := time.Now()
			response, err := r.Decode()
			if err != nil || response.(*ua.CallResponse).Results[0].StatusCode != ua.StatusBadTimeout {
				h.t.Errorf("%T %v", response, err)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, now.Sub(sent[r.ID]))
			all <- struct{}{}
		})
		for range each {
			mu.Lock()
			start := time.Now()
			id, err := c.Send(request)
			sent[id] = start
			mu.Unlock()
			require.NoError(h.t, err)
		}
	}
	for range clients * each {
		next(h, all, "a response")
	}
	return took
}

// Who waits for an answer is not idle, neither while it is held nor from before it was: when the
// answer comes the session lasts as long again.
func TestHeldLongerThanTheSession(t *testing.T) {
	const timeout = time.Second
	var method *opcua.Node
	h := build(t, func(h *house, o *opcua.Options) { method = echo(h, o) })
	requests := h.held(method)
	for attempt := 1; ; attempt++ {
		in := make(inbox, 1)
		c := h.client(func(r rawclient.Response) { in <- r })
		session, err := c.Login(h.ctx, rawclient.Identity{}, timeout)
		require.NoError(t, err)
		require.Equal(t, timeout, session.Timeout)
		_, err = c.Send(call("Press", "Press.Ask", "4711"))
		require.NoError(t, err)
		r := next(h, requests, "the request")
		<-time.After(timeout + 900*time.Millisecond) // the session's timer comes again soon
		answered := time.Now()
		require.NoError(t, r.Answer([]byte(`"yes"`)))
		next(h, in, "the response")
		<-time.After(300 * time.Millisecond) // it has come
		response, err := c.Do(h.ctx, readState())
		if err == nil {
			require.IsType(t, &ua.ReadResponse{}, response)
			return
		}
		// Unless the machine was busy for so long that the session has been idle for its time.
		require.Greater(t, time.Since(answered), timeout*9/10, "%v", err)
		require.Less(t, attempt, 4)
	}
}

// The channel that a request came over may be renewed while it is held, and end without.
func TestHeldLongerThanTheChannel(t *testing.T) {
	const lifetime = 3 * time.Second // the least
	var method *opcua.Node
	h := build(t, func(h *house, o *opcua.Options) { method = echo(h, o) })
	requests := h.held(method)
	in := make(inbox, 1)
	c, err := rawclient.Dial(h.ctx, rawclient.Options{Endpoint: h.address, Lifetime: lifetime, Deliver: func(r rawclient.Response) { in <- r }})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	_, err = c.Login(h.ctx, rawclient.Identity{}, time.Second)
	require.NoError(t, err)
	_, err = c.Send(call("Press", "Press.Ask", "4711"))
	require.NoError(t, err)
	r := next(h, requests, "the request")
	for range 3 {
		<-time.After(lifetime / 2)
		require.NoError(t, c.Renew(h.ctx))
	}
	require.NoError(t, r.Answer([]byte(`"yes"`)))
	_, err = next(h, in, "the response").Decode()
	require.NoError(t, err)
}
