package requester_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/requester"
	"github.com/flowsync-go/flowsync/fuzz/chaos/script"
)

func withCancel(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}

var httpNodes = []requester.Node{
	{Name: "plain", Door: history.HTTP, Kind: requester.Post, Place: "/plain", Share: 1, Timeout: time.Second},
	{Name: "query", Door: history.HTTP, Kind: requester.Get, Place: "/query/", Share: 1, Timeout: time.Second},
	{Name: "keyed", Door: history.HTTP, Kind: requester.Post, Place: "/keyed", Share: 1, Timeout: time.Second, Window: time.Minute},
	{Name: "substitute", Door: history.HTTP, Kind: requester.Post, Place: "/substitute", Share: 1, Timeout: time.Second},
}

// gateway answers as flowsync would, by what the script of the request says.
func gateway(seen *atomic.Pointer[http.Request]) http.HandlerFunc {
	var attempts atomic.Uint64
	return func(w http.ResponseWriter, r *http.Request) {
		if seen != nil {
			seen.Store(r)
		}
		body, _ := io.ReadAll(r.Body)
		marker := history.MarkerIn(append(body, r.URL.Path...))
		problem := func(status int, text string) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
		const id = `"id":"00000000-0000-4000-8000-000000000001"`
		switch script.Of(marker) {
		case script.Silent:
			<-r.Context().Done()
		case script.Late:
			problem(504, `{"outcome":"timeout","retrySafe":false,"inDoubt":true,`+id+`}`)
		case script.Error:
			problem(409, `{"outcome":"responder_error","retrySafe":false,"detail":"`+history.Text(marker)+`"}`)
		case script.Unusable:
			http.NotFound(w, r)
		case script.Malformed:
			problem(422, `{"title":"conflict"}`)
		case script.Big:
			problem(400, `{"title":"bad"}`)
		case script.Twice:
			w.Header().Set("Flowsync-Outcome", "shed")
			_, _ = io.WriteString(w, `{"substitute":true}`)
		case script.Again: // the first two are refused
			if attempts.Add(1) < 3 {
				problem(429, `{"outcome":"shed","retrySafe":true}`)
				return
			}
			w.Header().Set("Idempotency-Replayed", "true")
			_, _ = w.Write(history.AppendValue(nil, marker, 0))
		case script.Past: // the connection ends
			conn, _, _ := http.NewResponseController(w).Hijack()
			_ = conn.Close()
		default:
			_, _ = w.Write(history.AppendValue(nil, marker, 0))
		}
	}
}

func TestHTTP(t *testing.T) {
	var seen atomic.Pointer[http.Request]
	server := httptest.NewServer(gateway(&seen))
	defer server.Close()
	r := newRig("", server.Listener.Addr().String())
	number := uint64(0)
	ask := func(node int, s script.Script, change func(*requester.Request)) requester.Request {
		number++
		q := requester.Request{Node: &httpNodes[node], Marker: script.Marker(number, s), Tries: 1}
		if change != nil {
			change(&q)
		}
		return q
	}
	do := func(all ...requester.Request) { requester.HTTP(t.Context(), &r.options, line(all...), 1) }

	do(ask(0, script.Echo, nil), ask(1, script.Echo, nil), ask(0, script.Error, nil), ask(0, script.Late, nil), ask(0, script.Twice, nil))
	do(ask(0, script.Unusable, nil), ask(0, script.Malformed, nil), ask(0, script.Big, nil), ask(0, script.Past, nil))
	leave := func(q *requester.Request) { q.Leave = 2 * time.Millisecond }
	do(ask(0, script.Silent, leave), ask(0, script.Silent, leave))
	do(ask(2, script.Again, func(q *requester.Request) {
		q.Key, q.Tries, q.Twin, q.Repeat, q.Clash = "a key", 4, true, true, script.Marker(99, script.Malformed)
	}))
	require.Equal(t, "a key", seen.Load().Header.Get("Idempotency-Key"))
	do(ask(3, script.Echo, nil), ask(3, script.Echo, nil), ask(3, script.Echo, nil), ask(3, script.Echo, nil), ask(0, script.Echo, nil))
	require.Equal(t, map[string]uint64{
		"answered": 7, "responder_error": 1, "timeout, in doubt": 1, "shed, substituted": 1, "conflict": 2,
		"refused with 0x194": 1, "refused with 0x190": 1, "connection ended": 1, "left": 2, "shed": 2, "answered, replayed": 3,
	}, r.of(history.HTTP))
	require.Len(t, r.lost, 2)

	do(ask(0, script.Echo, func(q *requester.Request) { q.Limit = 300 * time.Millisecond }))
	require.Equal(t, "300", seen.Load().Header.Get("Request-Timeout"))
	do(ask(0, script.Echo, func(q *requester.Request) { q.Limit, q.Prefer = 2*time.Second, true }))
	require.Equal(t, "wait=2", seen.Load().Header.Get("Prefer"))

	rules := strings.Join(r.check(httpNodes), "\n")
	require.Contains(t, rules, "never-early: request", "a timeout that comes at once is found")
}

// A second reply to the same request is found, also where it comes after the first one.
func TestSecondReply(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(conn)
			for {
				request, err := http.ReadRequest(in)
				if err != nil {
					break
				}
				body, _ := io.ReadAll(request.Body)
				reply := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
				_, _ = io.WriteString(conn, reply+reply)
			}
			_ = conn.Close()
		}
	}()
	r := newRig("", listener.Addr().String())
	requester.HTTP(t.Context(), &r.options, line(
		requester.Request{Node: &httpNodes[0], Marker: script.Marker(1, script.Echo), Tries: 1},
		requester.Request{Node: &httpNodes[0], Marker: script.Marker(2, script.Echo), Tries: 1},
	), 1)
	require.Contains(t, strings.Join(r.check(httpNodes), "\n"), "has 2 replies")
}

func TestSlowHTTP(t *testing.T) {
	server := httptest.NewServer(gateway(nil))
	defer server.Close()
	r := newRig("", server.Listener.Addr().String())
	ctx, stop := withCancel(t)
	var written atomic.Uint64
	done := make(chan struct{})
	go func() {
		defer close(done)
		requester.Slow(ctx, &r.options, &requester.Planner{Nodes: httpNodes}, 2, 0, &written)
	}()
	require.Eventually(t, func() bool { return written.Load() > 1000 }, 20*time.Second, time.Millisecond)
	stop()
	<-done
}

// Nobody is there, and later there is.
func TestNobodyThere(t *testing.T) {
	r := newRig("opc.tcp://127.0.0.1:1/UA", "127.0.0.1:1")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	q := requester.Request{Node: &httpNodes[0], Marker: script.Marker(1, script.Echo), Tries: 1}
	keyed := requester.Request{Node: &httpNodes[2], Marker: script.Marker(2, script.Echo), Key: "k", Tries: 2, Twin: true}
	requester.HTTP(ctx, &r.options, line(q, keyed), 1)
	q.Node = &opcuaNodes[0]
	keyed.Node = &opcuaNodes[2]
	requester.OPCUA(ctx, &r.options, line(q, keyed), 1, 1)
	require.Zero(t, r.tally.Asked(), "what could not be sent was not asked")
}
