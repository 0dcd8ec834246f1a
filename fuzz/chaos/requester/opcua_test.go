package requester_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/requester"
	"github.com/flowsync-go/flowsync/fuzz/chaos/script"
	"github.com/flowsync-go/flowsync/transport/mem"
)

var opcuaNodes = []requester.Node{
	{Name: "call", Door: history.OPCUA, Kind: requester.Method, Place: "Call", Share: 1, Timeout: 20 * time.Second},
	{Name: "quick", Door: history.OPCUA, Kind: requester.Method, Place: "Quick", Share: 1, Timeout: 30 * time.Millisecond},
	{Name: "keyed", Door: history.OPCUA, Kind: requester.Method, Place: "Keyed", Share: 1, Timeout: 20 * time.Second, Window: time.Minute},
	{Name: "text", Door: history.OPCUA, Kind: requester.Write, Place: "Text", Share: 1, Timeout: 20 * time.Second},
	{Name: "none", Door: history.OPCUA, Kind: requester.Method, Place: "None", Share: 1, Timeout: 20 * time.Second},
}

// respond answers with the request's marker, unless its script is another.
func respond(r *mem.Request) {
	marker := history.MarkerIn(r.Value)
	switch script.Of(marker) {
	case script.Silent:
	case script.Error:
		_ = r.Fail(500, "no luck")
	default:
		if strings.HasPrefix(string(r.Value), `"`) {
			_ = r.Answer(r.Value)
			return
		}
		_ = r.Answer(history.AppendValue(nil, marker, 0))
	}
}

func TestOPCUA(t *testing.T) {
	r := newRig(opcuaServer(t, respond), "")
	number := uint64(64)
	ask := func(node int, s script.Script, change func(*requester.Request)) requester.Request {
		number++
		q := requester.Request{Node: &opcuaNodes[node], Marker: script.Marker(number, s), Tries: 1}
		if change != nil {
			change(&q)
		}
		return q
	}
	requester.OPCUA(t.Context(), &r.options, line(
		ask(0, script.Echo, nil), ask(0, script.Echo, nil), ask(0, script.Error, nil), ask(3, script.Echo, nil),
		ask(1, script.Silent, nil),
		ask(0, script.Silent, func(q *requester.Request) { q.Limit = 60 * time.Millisecond }),
		ask(0, script.Silent, func(q *requester.Request) { q.Leave = 5 * time.Millisecond }),
		ask(2, script.Echo, func(q *requester.Request) {
			q.Key, q.Tries, q.Twin, q.Repeat, q.Clash = "a key", 3, true, true, script.Marker(99, script.Error)
		}),
	), 1, 20)
	require.Equal(t, map[string]uint64{"answered": 6, "responder_error": 2, "timeout": 2, "cancelled": 1}, r.of(history.OPCUA))
	require.Equal(t, uint64(11), r.tally.Asked())
	require.Equal(t, uint64(6), r.tally.Answered())
	require.Zero(t, r.tally.Open())
	require.Len(t, r.tally.TakeLate(), 2)
	require.Empty(t, r.tally.TakeLate())
	require.Empty(t, r.lost)
	require.Empty(t, r.check(opcuaNodes))
}

// What is refused is told, and so is a request that the session was closed for.
func TestOPCUARefusedAndClosed(t *testing.T) {
	r := newRig(opcuaServer(t, respond), "")
	requester.OPCUA(t.Context(), &r.options, line(
		requester.Request{Node: &opcuaNodes[4], Marker: script.Marker(1, script.Echo), Tries: 1},
		requester.Request{Node: &opcuaNodes[0], Marker: script.Marker(64, script.Silent), Tries: 1, Leave: 20 * time.Millisecond},
	), 1, 20)
	ends := r.of(history.OPCUA)
	require.Equal(t, uint64(2), r.tally.Asked())
	require.Equal(t, uint64(1), ends["cancelled"]+ends["left"], ends)
	require.Len(t, r.lost, 1)
	require.Contains(t, r.lost[0], "a request to none was refused with 0x80")
	require.Empty(t, r.check(opcuaNodes))
}

// Those who do not read do not keep those who do from getting their replies.
func TestSlowOPCUA(t *testing.T) {
	r := newRig(opcuaServer(t, respond), "")
	ctx, stop := withCancel(t)
	var written atomic.Uint64
	done := make(chan struct{})
	go func() {
		defer close(done)
		requester.Slow(ctx, &r.options, &requester.Planner{Nodes: opcuaNodes[:1]}, 0, 2, &written)
	}()
	require.Eventually(t, func() bool { return written.Load() > 1000 }, 20*time.Second, time.Millisecond)
	requester.OPCUA(t.Context(), &r.options, line(requester.Request{Node: &opcuaNodes[0], Marker: script.Marker(1, script.Echo), Tries: 1}), 1, 20)
	stop()
	<-done
	require.Equal(t, map[string]uint64{"answered": 1}, r.of(history.OPCUA))
}
