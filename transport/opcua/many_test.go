package opcua_test

import (
	"fmt"
	"runtime"
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

// replies collects the responses to many Calls of Press.Ask, by request id.
type replies struct {
	mu  sync.Mutex
	got map[uint32]string
	all chan struct{} // closed when there are as many as wanted
	n   int
}

func newReplies(n int) *replies {
	return &replies{got: map[uint32]string{}, all: make(chan struct{}), n: n}
}

func (r *replies) deliver(response rawclient.Response) {
	text := ""
	if decoded, err := response.Decode(); err != nil {
		text = err.Error()
	} else if c, ok := decoded.(*ua.CallResponse); !ok {
		text = fmt.Sprint(decoded.Header().ServiceResult)
	} else if c.Results[0].StatusCode != ua.StatusOK {
		text = c.Results[0].StatusCode.Error()
	} else {
		text = c.Results[0].OutputArguments[0].Value().(string)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got[response.ID] = text
	if len(r.got) == r.n {
		close(r.all)
	}
}

// Ten thousand Calls are held on one session: what each takes, that there is no goroutine for
// any of them, and that Reads beside them are not delayed.
func TestTenThousandCallsAreHeld(t *testing.T) {
	const n, reads = 10_000, 500
	var method *opcua.Node
	h := build(t, func(h *house, o *opcua.Options) { method = echo(h, o) })
	requests := h.held(method)
	collected := newReplies(n)
	caller := h.login(collected.deliver)
	reader := h.login(nil)

	goroutines, heap := runtime.NumGoroutine(), heapInUse()
	sent := map[uint32]string{}
	for i := range n {
		text := fmt.Sprintf("order %d", i)
		id, err := caller.Send(call("Press", "Press.Ask", text))
		require.NoError(t, err)
		sent[id] = text
	}
	held := make([]*mem.Request, n)
	for i := range held {
		held[i] = next(h, requests, "a request")
	}
	each := (heapInUse() - heap) / n
	t.Logf("%d held: %d bytes of heap each, client and responder included; goroutines %d, before %d", n, each, runtime.NumGoroutine(), goroutines)
	require.LessOrEqual(t, runtime.NumGoroutine(), goroutines)
	require.LessOrEqual(t, each, int64(27<<10/10), "bytes of heap for each Call that is held")

	took := make([]time.Duration, reads)
	for i := range took {
		start := time.Now()
		read := ask[*ua.ReadResponse](h, reader, readState())
		took[i] = time.Since(start)
		require.Equal(t, int32(0), read.Results[0].Value.Value())
	}
	slices.Sort(took)
	t.Logf("%d Reads beside them: median %v, p99 %v, max %v", reads, took[reads/2], took[reads*99/100], took[reads-1])

	require.LessOrEqual(t, took[reads/2], 5*time.Millisecond)
	require.LessOrEqual(t, took[reads*99/100], 50*time.Millisecond)

	for _, r := range held {
		require.NoError(t, r.Answer(r.Value))
	}
	next(h, collected.all, "all responses")
	require.Equal(t, sent, collected.got)
}

// heapInUse is what the heap holds after a collection.
func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// readState reads Server_ServerStatus_State.
func readState() *ua.ReadRequest {
	return &ua.ReadRequest{
		TimestampsToReturn: ua.TimestampsToReturnBoth,
		NodesToRead: []*ua.ReadValueID{{
			NodeID: ua.NewNumericNodeID(0, 2259), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{},
		}},
	}
}
