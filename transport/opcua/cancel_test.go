package opcua_test

import (
	"sync"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// late is an engine in which each transaction ends just before it would be cancelled, but for those
// that are named.
type late struct {
	mu     sync.Mutex
	begun  chan core.ID
	held   map[core.ID]core.Completer
	cancel map[core.ID]bool // they are cancelled
}

func (e *late) Begin(_ *core.Call, done core.Completer) core.ID {
	e.mu.Lock()
	id := core.ID{15: byte(len(e.held) + 1)}
	e.held[id] = done
	e.mu.Unlock()
	e.begun <- id
	return id
}

func (e *late) Cancel(id core.ID) bool {
	e.mu.Lock()
	done, cancelled := e.held[id], e.cancel[id]
	e.mu.Unlock()
	outcome := core.Timeout
	if cancelled {
		outcome = core.Cancelled
	}
	done.Complete(core.Result{ID: id, Outcome: outcome, Sent: true})
	return cancelled
}

// 1. The deadline of a Call ends it as timeout; 2. its client's Cancel arrives, before the response
// is sent. The client is told what the engine has counted: timeout. If another operation of the same
// request is cancelled, the request is.
func TestCancelComesTooLate(t *testing.T) {
	for name, c := range map[string]struct {
		cancelled core.ID // of two operations
		count     uint32
	}{
		"for all": {core.ID{}, 0},
		"for one": {core.ID{15: 2}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			engine := &late{begun: make(chan core.ID, 2), held: map[core.ID]core.Completer{}, cancel: map[core.ID]bool{c.cancelled: true}}
			h := build(t, func(h *house, o *opcua.Options) {
				echo(h, o)
				o.Engine = engine
			})
			in := make(inbox, 1)
			client := h.login(func(r rawclient.Response) {
				r.Body = append([]byte(nil), r.Body...)
				in <- r
			})
			request := call("Press", "Press.Ask", "4711")
			request.MethodsToCall = repeated(request.MethodsToCall[0], 2)
			request.SetHeader(&ua.RequestHeader{RequestHandle: 7})
			_, err := client.Send(request)
			require.NoError(t, err)
			for range 2 {
				next(h, engine.begun, "a transaction")
			}
			require.Equal(t, c.count, ask[*ua.CancelResponse](h, client, &ua.CancelRequest{RequestHandle: 7}).CancelCount)
			response, err := next(h, in, "the response").Decode()
			if c.count > 0 {
				require.ErrorIs(t, err, ua.StatusBadRequestCancelledByClient)
				return
			}
			require.NoError(t, err)
			for _, r := range response.(*ua.CallResponse).Results {
				require.Equal(t, ua.StatusBadTimeout, r.StatusCode)
			}
		})
	}
}
