package http_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// FuzzRawRequest sends bytes to a server whose engine echoes at once. Whatever they are, the
// connection ends, what comes back is a sequence of HTTP responses, what was begun is valid, and
// as long as requests are answered, net/http reads the same requests in the same bytes.
func FuzzRawRequest(f *testing.F) {
	for _, seed := range []string{
		get("/x"), post("/x", "application/json", `{"a":1}`), get("/x") + post("/x", "", "[1]"),
		"POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n[1\r\n1\r\n]\r\n0\r\nX: y\r\n\r\n" + get("/x"),
		"POST /x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n[1]",
		"POST /x HTTP/1.0\r\nContent-Length: 1\r\n\r\n1", "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		get("/p/a%2Fb?x=1&apiToken=secret&x=%C3%BC"), get("/p/\xff?\xfe"), "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", "\r\n" + get("http://localhost/x"),
		post("/x", "text/plain; charset=iso-8859-1", "gr\xfcn"), post("/x", "application/xml", "<?xml version='1.0' encoding='utf-16'?>"),
		get("/x", "Prefer: wait=1", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate: a=1"),
		get("/x", "Origin: null", "Sec-Fetch-Site: cross-site"), "GET /x HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", "GET /x HTTP/1.1\nHost: localhost\n\n",
	} {
		f.Add([]byte(seed))
	}
	seen := &seenEngine{}
	server, err := http.New(http.Options{Engine: seen, Logger: quiet()})
	require.NoError(f, err)
	n := node(f, core.NodeOptions{})
	for _, method := range []string{"GET", "POST"} {
		for _, path := range []string{"/x", "/p/{id}"} {
			route := transaction(method, path, n)
			route.NeedMeta = true
			require.NoError(f, server.Add(route))
		}
	}
	ln := newMemoryListener()
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	f.Cleanup(func() {
		require.NoError(f, server.Close())
		require.NoError(f, <-served)
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		seen.reset()
		out := ln.exchange(t, raw)
		checkBegun(t, seen.begun)
		checkReplies(t, raw, out, seen.begun)
	})
}

func checkBegun(t *testing.T, all []*begun) {
	for _, b := range all {
		require.True(t, json.Valid([]byte(b.Value)), "%q", b.Value)
		require.True(t, utf8.ValidString(b.Value), "%q", b.Value)
		for name, value := range b.Properties {
			require.True(t, utf8.ValidString(value), "%s: %q", name, value)
			require.LessOrEqual(t, len(value), 1024)
			require.Equal(t, -1, strings.IndexFunc(value, func(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 }), "%s: %q", name, value)
		}
		meta := b.Meta.(*http.Meta)
		for name := range meta.Query {
			require.False(t, strings.EqualFold(name, "apiToken"))
		}
	}
}

func checkReplies(t *testing.T, raw, out []byte, all []*begun) {
	replies := bufio.NewReader(bytes.NewReader(out))
	requests := bufio.NewReaderSize(bytes.NewReader(raw), len(raw)+16)
	agree := true // net/http has read up to the same place
	answered := 0
	for {
		if _, err := replies.Peek(1); err == io.EOF {
			break
		}
		response, err := nethttp.ReadResponse(replies, nil)
		require.NoError(t, err, "%q", out)
		if response.StatusCode == 100 {
			continue
		}
		body, err := io.ReadAll(response.Body)
		if err != nil { // a reply to HEAD has a length and no body: what follows cannot be told apart
			require.Contains(t, string(raw), "HEAD")
			return
		}
		if response.StatusCode >= 300 || response.Header.Get("Allow") != "" { // refused
			require.True(t, response.StatusCode == 204 || json.Valid(body), "%q", body)
			agree = false
			continue
		}
		require.Less(t, answered, len(all), "more was answered than begun: %q", out)
		if agree {
			sameRequest(t, requests, all[answered])
		}
		answered++
	}
	require.Equal(t, len(all), answered, "more was begun than answered")
}

// sameRequest reads the next request with net/http, which must find what was begun.
func sameRequest(t *testing.T, requests *bufio.Reader, b *begun) {
	for {
		c, err := requests.Peek(1)
		if err != nil || c[0] != '\r' && c[0] != '\n' {
			break
		}
		_, _ = requests.Discard(1)
	}
	request, err := nethttp.ReadRequest(requests)
	require.NoError(t, err)
	body, err := io.ReadAll(request.Body)
	require.NoError(t, err)
	require.Equal(t, request.Method, b.Properties["http-method"])
	if contentType := request.Header.Get("Content-Type"); len(body) > 0 && (contentType == "" || contentType == "application/json") {
		require.Equal(t, string(bytes.TrimPrefix(body, []byte("\ufeff"))), b.Value)
	}
}

// seenEngine echoes at once and remembers.
type seenEngine struct {
	mu    sync.Mutex
	begun []*begun
}

func (e *seenEngine) reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begun = nil
}

func (e *seenEngine) Begin(call *core.Call, done core.Completer) core.ID {
	b := &begun{Value: string(call.Value), Properties: map[string]string{}, Meta: call.Meta}
	for _, p := range call.Properties {
		b.Properties[p.Name] = p.Value
	}
	e.mu.Lock()
	e.begun = append(e.begun, b)
	e.mu.Unlock()
	done.Complete(answered(b.Value))
	return core.ID{1}
}

func (e *seenEngine) Cancel(core.ID) bool { return false }

func (e *seenEngine) Crowded() bool { return false }
