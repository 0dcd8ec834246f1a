package http_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	nethttp "net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// FuzzRawRequest sends bytes, in pieces of any size, to a server whose engine echoes at once.
// Whatever they are, the connection ends, what comes back is a sequence of HTTP responses, what was
// begun is valid, and until the server closes the connection, net/http finds the same requests in
// the same bytes, with the same content.
func FuzzRawRequest(f *testing.F) {
	for i, seed := range rawRequests() {
		f.Add([]byte(seed), byte(0))
		f.Add([]byte(seed), byte(1+i))
	}
	seen := &seenEngine{}
	server, err := http.New(http.Options{Engine: seen, Logger: quiet()})
	require.NoError(f, err)
	n := node(f, core.NodeOptions{})
	for _, method := range []string{"GET", "POST"} {
		for _, path := range []string{"/x", "/p/{id}", "/p/q/{id}"} {
			route := transaction(method, path, n)
			route.NeedMeta, route.Transaction.Keys = true, path != "/x"
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
	f.Fuzz(func(t *testing.T, raw []byte, piece byte) {
		seen.reset()
		out := ln.exchangePieces(t, raw, int(piece))
		checkBegun(t, seen.begun)
		checkReplies(t, raw, out, seen.begun)
	})
}

// rawRequests are what requesters send, and what they should not.
func rawRequests() []string {
	chunked := func(path, body string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + body
	}
	return []string{
		get("/x"), post("/x", "application/json", `{"a":1}`), get("/x") + post("/x", "", "[1]"),
		chunked("/x", "2;a=b\r\n[1\r\n1\r\n]\r\n0\r\nX: y\r\n\r\n") + get("/x"), chunked("/x", "3\r\n[1]\r\n0\r\n\r\n") + get("/x"),
		chunked("/x", "3\r\n[1]\r\n0\r\nContent-Length: 5\r\n\r\n") + get("/x"), chunked("/none", "0003\r\n[1]\r\n0\r\n\r\n") + get("/x"),
		chunked("/x", "3 \r\n[1]\r\n0\r\n\r\n"), chunked("/x", "3\n[1]\r\n0\r\n\r\n"), chunked("/x", "3;\"\r\n\"\r\n[1]\r\n0\r\n\r\n"), chunked("/x", "80000000000000003\r\n[1]\r\n0\r\n\r\n"),
		"POST /x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n[1]" + get("/x"),
		"POST /x HTTP/1.0\r\nContent-Length: 1\r\n\r\n1", "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /x HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n1" + get("/x", "Connection: close") + get("/x"),
		get("/p/a%2Fb?x=1&apiToken=secret&x=%C3%BC"), get("/p/a%2+b") + get("/x"), get("/%") + "HEAD /x HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/x"), get("/p/\xff?\xfe"), "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", "\r\n" + get("http://localhost/x"),
		post("/x", "text/plain; charset=iso-8859-1", "gr\xfcn"), post("/x", "application/xml", "<?xml version='1.0' encoding='utf-16'?>"),
		get("/x", "Prefer: wait=1", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate: a=1"),
		get("/x", "Request-Timeout: 1500", "Prefer: respond-async, wait=\"2\";x"), get("/x", "Prefer: wait=", "Prefer: wait=3", "Request-Timeout: 0", "Request-Timeout: 99999999999"),
		get("/p/1", "Idempotency-Key: \"8e03978e-40d5-43dd-bc93-6894a57f9324\""), post("/p/q/1", "", "1", `Idempotency-Key: "a\"b\\, c"`), get("/p/1", "Idempotency-Key: abc") + get("/p/1", "Idempotency-Key: a", "Idempotency-Key: b"),
		get("/p/1", "Idempotency-Key:"), get("/p/1", "Idempotency-Key: "+strings.Repeat("k", 255)), get("/p/q/r", `Idempotency-Key: "`+strings.Repeat("k", 256)+`"`),
		get("/x", "Origin: null", "Sec-Fetch-Site: cross-site"), "GET /x HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", "GET /x HTTP/1.1\nHost: localhost\n\n",
		"HEAD /x HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/none") + "DELETE /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}" + get("/x"),
		post("/x", "image/png", "GET /x HTTP/1.1\r\n\r\n") + get("/x"), post("/x", "", strings.Repeat(" ", 300)+"1"),
	}
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
	answered, lost := 0, false
	for open := true; ; {
		if _, err := replies.Peek(1); err == io.EOF {
			break
		}
		require.True(t, open, "a reply after Connection: close: %q", out)
		request, body, readErr := nextRequest(requests)
		var target *url.Error
		lost = lost || errors.As(readErr, &target) // net/http reads no further than to a target that it does not like
		if request == nil && bytes.Contains(raw, []byte("HEAD")) {
			return // whether the reply has content cannot be told
		}
		response, content := nextResponse(t, replies, request)
		open = !response.Close
		if response.Close && response.StatusCode == 400 && request != nil && request.Method == "HEAD" {
			return // of a request that cannot be read the method is not known: its refusal has content
		}
		switch {
		case response.StatusCode < 300 && response.Header.Get("Allow") == "":
			require.Less(t, answered, len(all), "more was answered than begun: %q", out)
			if !lost {
				require.NoError(t, readErr, "answered, but no request to net/http")
				requireSame(t, request, body, all[answered])
			}
			answered++
		case open && !lost: // where the next request begins is as important as in one that is answered
			require.NoError(t, readErr, "refused, but the connection goes on: %q", out)
			fallthrough
		default:
			require.True(t, response.StatusCode == 204 || len(content) == 0 || json.Valid(content), "%q", content)
		}
	}
	require.Equal(t, len(all), answered, "more was begun than answered")
}

// nextRequest reads a request with net/http.
func nextRequest(from *bufio.Reader) (*nethttp.Request, []byte, error) {
	for {
		c, err := from.Peek(1)
		if err != nil || c[0] != '\r' && c[0] != '\n' {
			break
		}
		_, _ = from.Discard(1)
	}
	request, err := nethttp.ReadRequest(from)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(request.Body)
	return request, body, err
}

// nextResponse reads the response to a request, nil if that is none, and what may come before it.
func nextResponse(t *testing.T, from *bufio.Reader, to *nethttp.Request) (*nethttp.Response, []byte) {
	for {
		response, err := nethttp.ReadResponse(from, to)
		require.NoError(t, err)
		content, err := io.ReadAll(response.Body)
		if response.StatusCode == 100 {
			continue
		}
		require.True(t, err == nil || to == nil, "%v", err) // a reply to HEAD has a length and no content
		return response, content
	}
}

// requireSame says that what was begun is what net/http has read.
func requireSame(t *testing.T, request *nethttp.Request, body []byte, b *begun) {
	require.Equal(t, request.Method, b.Properties["http-method"])
	require.Equal(t, limitModel(request.Header), b.Timeout, "%q", request.Header)
	key, _ := keyModel(request.Header["Idempotency-Key"])
	if strings.HasPrefix(strings.ToLower(b.Meta.(*http.Meta).Path), "/x") {
		key = ""
	}
	require.Equal(t, key != "", b.Key != nil, "%q", request.Header)
	if b.Key != nil {
		require.Equal(t, key, b.Key.Text)
	}
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
	b := &begun{Value: string(call.Value), Timeout: call.Timeout, Properties: map[string]string{}, Meta: call.Meta, Key: call.Key}
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
