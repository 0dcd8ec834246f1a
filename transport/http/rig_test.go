package http_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// patience is how long a test waits for something that must happen.
const patience = 10 * time.Second

type nowhere struct{}

func (nowhere) Publish(*core.Request) error { return nil }

// node makes a node of a real engine; the engine itself is not used.
func node(t testing.TB, options core.NodeOptions) *core.Node {
	engine, err := core.New(nowhere{}, core.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	if options.Name == "" {
		options.Name, options.Topic = "node", "topic"
	}
	n, err := engine.AddNode(options)
	require.NoError(t, err)
	return n
}

// rig is a server that listens.
type rig struct {
	*http.Server
	address string
	served  chan error
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// serve starts a server with these routes on a free loopback port.
func serve(t testing.TB, options http.Options, routes ...http.Route) *rig {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return serveOn(t, ln, options, routes...)
}

func serveOn(t testing.TB, ln net.Listener, options http.Options, routes ...http.Route) *rig {
	t.Helper()
	if options.Logger == nil {
		options.Logger = quiet()
	}
	server, err := http.New(options)
	require.NoError(t, err)
	for _, r := range routes {
		require.NoError(t, server.Add(r))
	}
	r := &rig{Server: server, address: ln.Addr().String(), served: make(chan error, 1)}
	go func() { r.served <- server.Serve(ln) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.NoError(t, <-r.served)
	})
	return r
}

func transaction(method, path string, n *core.Node) http.Route {
	return http.Route{Method: method, Path: path, Transaction: &http.Transaction{Node: n}}
}

// client is one raw connection.
type client struct {
	t testing.TB
	net.Conn
	r     *bufio.Reader
	start func() // of a staged connection
}

func (r *rig) dial(t testing.TB) *client {
	t.Helper()
	c, err := net.Dial("tcp", r.address)
	require.NoError(t, err)
	return newClient(t, c)
}

func newClient(t testing.TB, c net.Conn) *client {
	t.Helper()
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	t.Cleanup(func() { _ = c.Close() })
	return &client{t: t, Conn: c, r: bufio.NewReader(c)}
}

func (c *client) send(text string) {
	c.t.Helper()
	_, err := io.WriteString(c.Conn, text)
	require.NoError(c.t, err)
}

type reply struct {
	*nethttp.Response
	Text string
}

// problem is the reply's document.
func (r *reply) problem(t testing.TB) map[string]any {
	t.Helper()
	require.Equal(t, "application/problem+json", r.Header.Get("Content-Type"), "%d %s", r.StatusCode, r.Text)
	var document map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.Text), &document), r.Text)
	require.EqualValues(t, r.StatusCode, document["status"])
	require.NotEmpty(t, document["type"])
	require.NotEmpty(t, document["title"])
	return document
}

func (c *client) receive() *reply { c.t.Helper(); return c.receiveFor("GET") }

func (c *client) receiveFor(method string) *reply {
	c.t.Helper()
	response, err := nethttp.ReadResponse(c.r, &nethttp.Request{Method: method})
	require.NoError(c.t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	return &reply{response, string(body)}
}

// ended waits until the server has closed the connection, without another byte.
func (c *client) ended() {
	c.t.Helper()
	rest, err := io.ReadAll(c.r)
	if err != nil {
		require.NotErrorIs(c.t, err, context.DeadlineExceeded)
		require.False(c.t, isTimeout(err), "the connection is still open")
	}
	require.Empty(c.t, string(rest))
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

// do sends one request on a connection of its own.
func (r *rig) do(t testing.TB, text string) *reply {
	t.Helper()
	c := r.dial(t)
	defer c.Close()
	c.send(text)
	method, _, _ := strings.Cut(text, " ")
	return c.receiveFor(method)
}

func get(path string, headers ...string) string { return request("GET", path, "", headers...) }

func post(path, contentType, body string, headers ...string) string {
	if contentType != "" {
		headers = append(headers, "Content-Type: "+contentType)
	}
	return request("POST", path, body, headers...)
}

func request(method, path, body string, headers ...string) string {
	var b bytes.Buffer
	b.WriteString(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n")
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" {
		b.WriteString("Content-Length: " + itoa(len(body)) + "\r\n")
	}
	b.WriteString("\r\n" + body)
	return b.String()
}

func itoa(n int) string { text, _ := json.Marshal(n); return string(text) }
