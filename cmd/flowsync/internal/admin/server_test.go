package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serve runs a server on a free port until the test ends, and returns its address.
func serve(t *testing.T, options Options) string {
	server, err := New(options)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Shutdown(context.Background()))
		require.NoError(t, <-served)
	})
	return listener.Addr().String()
}

func get(t *testing.T, method, url string) (*http.Response, string) {
	request, err := http.NewRequest(method, url, nil)
	require.NoError(t, err)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

func TestReplies(t *testing.T) {
	b := newBench(t, "order")
	b.metrics.Watch(Sources{Engine: b.engine})
	b.busy()
	var reasons []string
	url := "http://" + serve(t, Options{
		Engine: b.engine, Metrics: b.metrics, Recent: b.recent, Title: "flowsync <1>",
		Ready: func() []string { return reasons },
	})
	for _, c := range []struct {
		reasons      []string
		method, path string
		status       int
		body, kind   string
	}{
		{nil, "GET", "/healthz", 200, "ok\n", "text/plain; charset=utf-8"},
		{[]string{"draining"}, "GET", "/healthz", 200, "ok\n", "text/plain; charset=utf-8"},
		{nil, "HEAD", "/healthz", 200, "", "text/plain; charset=utf-8"},
		{nil, "GET", "/readyz", 200, `{"ready":true,"reasons":[]}` + "\n", "application/json"},
		{[]string{"draining", "no broker"}, "GET", "/readyz", 503, `{"ready":false,"reasons":["draining","no broker"]}` + "\n", "application/json"},
		{nil, "GET", "/metrics", 200, `flowsync_transactions_total{node="order",outcome="answered"} 1`, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"},
		{nil, "GET", "/", 200, "<title>flowsync &lt;1&gt;</title>", "text/html; charset=utf-8"},
		{nil, "GET", "/", 200, "Ready.", "text/html; charset=utf-8"},
		{[]string{"draining", "no broker"}, "GET", "/", 200, "draining; no broker", "text/html; charset=utf-8"},
		{nil, "GET", "/", 200, `<td class="n">3</td><td class="n">1</td><td class="n">1</td><td class="n zero">0</td>`, "text/html; charset=utf-8"},
		{nil, "GET", "/", 200, "&lt;b&gt;2&lt;/b&gt;", "text/html; charset=utf-8"},
		{nil, "GET", "/", 200, "ended answered, ", "text/html; charset=utf-8"},
		{nil, "GET", "/", 200, "<code>not JSON</code>", "text/html; charset=utf-8"},
		{nil, "GET", "/", 200, `<a href="/api/late">`, "text/html; charset=utf-8"},
		{nil, "GET", "/api/late", 200, `{"total":2,"kept":2,"answers":[{`, "application/json"},
		{nil, "GET", "/api/late?kind=malformed&node=order", 200, `"kind":"malformed","payload":"not JSON","payloadBytes":8,"detail":`, "application/json"},
		{nil, "GET", "/api/late?kind=late", 200, `{"total":2,"kept":2,"answers":[]}` + "\n", "application/json"},
		{nil, "GET", "/api/late?kind=lat", 400, `there is no kind "lat" of these answers: want duplicate, late, unknown, malformed, stale, ignored` + "\n", "text/plain; charset=utf-8"},
		{nil, "GET", "/api/late?kind=matched", 400, `there is no kind "matched"`, "text/plain; charset=utf-8"},
		{nil, "GET", "/api/late?node=odrer", 400, `there is no node "odrer"` + "\n", "text/plain; charset=utf-8"},
		{nil, "GET", "/api/late?nodes=order", 400, `unknown parameter "nodes": want node or kind` + "\n", "text/plain; charset=utf-8"},
		{nil, "GET", "/api/late?kind=late&kind=stale", 400, "kind: give it once, with a value\n", "text/plain; charset=utf-8"},
		{nil, "GET", "/api/late?node=", 400, "node: give it once, with a value\n", "text/plain; charset=utf-8"},
		{nil, "GET", "/api/late?%zz", 400, "the query cannot be read", "text/plain; charset=utf-8"},
		{nil, "HEAD", "/api/late", 200, "", "application/json"},
		{nil, "POST", "/api/late", 405, "", "text/plain; charset=utf-8"},
		{nil, "POST", "/", 405, "", "text/plain; charset=utf-8"},
		{nil, "POST", "/metrics", 405, "", "text/plain; charset=utf-8"},
		{nil, "GET", "/nothing", 404, "", "text/plain; charset=utf-8"},
	} {
		reasons = c.reasons
		response, body := get(t, c.method, url+c.path)
		assert.Equal(t, c.status, response.StatusCode, c)
		assert.Contains(t, body, c.body)
		assert.Equal(t, c.kind, response.Header.Get("Content-Type"), c)
		assert.Equal(t, "no-store", response.Header.Get("Cache-Control"))
		assert.Equal(t, "nosniff", response.Header.Get("X-Content-Type-Options"))
		if strings.HasPrefix(c.kind, "text/html") {
			assert.Contains(t, response.Header.Get("Content-Security-Policy"), "default-src 'none'")
			assert.NotContains(t, body, "<script")
		}
	}
}

func TestGuardIsAskedForEveryPath(t *testing.T) {
	b := newBench(t)
	url := "http://" + serve(t, Options{
		Engine: b.engine, Metrics: b.metrics,
		Guard: func(r *http.Request) error {
			if r.Header.Get("Origin") != "" || !strings.HasPrefix(r.Host, "127.") {
				return errors.New("not from here")
			}
			return nil
		},
	})
	for _, path := range []string{"/", "/healthz", "/readyz", "/metrics", "/api/late", "/nothing"} {
		request, err := http.NewRequest("GET", url+path, nil)
		require.NoError(t, err)
		request.Close = true
		request.Header.Set("Origin", "https://elsewhere.example")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, 403, response.StatusCode, path)
		assert.Equal(t, "not from here\n", string(body))
	}
	response, _ := get(t, "GET", url+"/healthz")
	assert.Equal(t, 200, response.StatusCode)
}

func TestPageShowsSoManyNodes(t *testing.T) {
	names := make([]string, maxRows+7)
	for i := range names {
		names[i] = fmt.Sprint("n", i)
	}
	b := newBench(t, names...)
	_, body := get(t, "GET", "http://"+serve(t, Options{Engine: b.engine, Metrics: b.metrics}))
	assert.Equal(t, maxRows, strings.Count(body, "<tr><td>n"))
	assert.Contains(t, body, "7 more nodes")
}

func TestHeaderTooLarge(t *testing.T) {
	b := newBench(t)
	conn, err := net.Dial("tcp", serve(t, Options{Engine: b.engine, Metrics: b.metrics}))
	require.NoError(t, err)
	defer conn.Close()
	// net/http allows 4 KiB more than it was told
	_, err = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: %s\r\n\r\n", strings.Repeat("x", maxHeader+4<<10))
	require.NoError(t, err)
	reply := make([]byte, len("HTTP/1.1 431"))
	_, err = io.ReadFull(conn, reply)
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 431", string(reply))
}

func TestOptionsAndFailures(t *testing.T) {
	_, err := New(Options{})
	assert.EqualError(t, err, "admin: Engine and Metrics are required")

	b := newBench(t)
	server, err := New(Options{Engine: b.engine, Metrics: b.metrics})
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	assert.ErrorContains(t, server.Serve(listener), "admin: "+listener.Addr().String())
}

func TestShutdownClosesWhatDoesNotEnd(t *testing.T) {
	b := newBench(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	server, err := New(Options{Engine: b.engine, Metrics: b.metrics, Ready: func() []string {
		close(entered)
		<-leave
		return nil
	}})
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	<-entered
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, server.Shutdown(ctx), context.Canceled)
	require.NoError(t, <-served)
	_, err = conn.Read(make([]byte, 1))
	assert.Error(t, err, "the connection is closed")
	close(leave)
}

func TestLimit(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := limit(inner, 1)
	conns, errs := make(chan net.Conn, 2), make(chan error, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				errs <- err
				return
			}
			conns <- conn
		}
	}()
	for range 2 {
		client, err := net.Dial("tcp", inner.Addr().String())
		require.NoError(t, err)
		defer client.Close()
	}
	first := <-conns
	assert.Empty(t, conns, "the place is taken")
	require.NoError(t, first.Close())
	assert.Error(t, first.Close(), "a second Close frees no second place")
	second := <-conns
	defer second.Close()
	require.NoError(t, l.Close()) // while Accept waits for a place
	assert.ErrorIs(t, <-errs, net.ErrClosed)
}
