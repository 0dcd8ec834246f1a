package http_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// Requests that two parsers could read differently are refused, nothing of them is begun, and
// the connection is closed, so that what follows is not read as a request.
func TestSmuggling(t *testing.T) {
	engine := newFakeEngine(echo)
	r := serve(t, http.Options{Engine: engine}, transaction("POST", "/x", node(t, core.NodeOptions{})))
	const hidden = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
	post := func(fields, body string) string {
		return "POST /x HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n" + body
	}
	for _, c := range []struct {
		name, request string
		status        int
	}{
		{"length and coding", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+hidden), 400},
		{"coding and length", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n"+hidden), 400},
		{"length and coding, body too large", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "fffff\r\n"), 413},
		{"two lengths", post("Content-Length: 1\r\nContent-Length: 2\r\n", "11"), 400},
		{"one length twice", post("Content-Length: 1\r\nContent-Length: 1\r\n", "1"), 400},
		{"list of lengths", post("Content-Length: 1, 1\r\n", "1"), 400},
		{"length with plus", post("Content-Length: +1\r\n", "1"), 400},
		{"length with minus", post("Content-Length: -1\r\n", "1"), 400},
		{"length with space", post("Content-Length: 1 1\r\n", "11111111111"), 400},
		{"length in hex", post("Content-Length: 0x1\r\n", "1"), 400},
		{"no length", post("Content-Length:\r\n", "1"), 400},
		{"length too long", post("Content-Length: 0000000000000000001\r\n", "1"), 400},
		{"length overflows", post("Content-Length: 18446744073709551617\r\n", "1"), 400},
		{"identity", post("Transfer-Encoding: identity\r\n", hidden), 400},
		{"gzip", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 400},
		{"chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
		{"chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400},
		{"chunked and identity", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"), 400},
		{"quoted coding", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), 400},
		{"vertical tab before coding", post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"), 400},
		{"coding in HTTP/1.0", "POST /x HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"folded coding", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), 400},
		{"folded field", post("X-A: b\r\n c\r\nContent-Length: 1\r\n", "1"), 400},
		{"folded first", "POST /x HTTP/1.1\r\n X: y\r\nHost: localhost\r\n\r\n", 400},
		{"space before colon", post("Content-Length : 1\r\n", "1"), 400},
		{"space in name", post("Content Length: 1\r\n", "1"), 400},
		{"tab before colon", post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n"), 400},
		{"no colon", post("Content-Length\r\n", "1"), 400},
		{"no name", post(": 1\r\n", ""), 400},
		{"bare LF", post("Content-Length: 1\nX: y\r\n", "1"), 400},
		{"bare LF at the end", "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\n1\r\n\r\n", 400},
		{"bare CR", post("X: a\rContent-Length: 1\r\n", "1"), 400},
		{"NUL in value", post("X: a\x00b\r\nContent-Length: 1\r\n", "1"), 400},
		{"NUL in name", post("X\x00: a\r\nContent-Length: 1\r\n", "1"), 400},
		{"control in value", post("X: a\x01b\r\nContent-Length: 1\r\n", "1"), 400},
		{"no host", "POST /x HTTP/1.1\r\nContent-Length: 1\r\n\r\n1", 400},
		{"two hosts", post("Host: localhost\r\nContent-Length: 1\r\n", "1"), 400},
		{"two types", post("Content-Type: text/plain\r\nContent-Type: application/json\r\nContent-Length: 1\r\n", "1"), 400},
		{"version", "POST /x HTTP/2.0\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1", 505},
		{"small version", "POST /x HTTP/1.2\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1", 505},
		{"no version", "POST /x\r\nHost: localhost\r\n\r\n", 400},
		{"lower-case version", "POST /x http/1.1\r\nHost: localhost\r\n\r\n", 400},
		{"space in target", "POST /x y HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
		{"control in target", "POST /x\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
		{"chunk size negative", post("Transfer-Encoding: chunked\r\n", "-1\r\n"), 400},
		{"chunk size in words", post("Transfer-Encoding: chunked\r\n", "one\r\n1\r\n0\r\n\r\n"), 400},
		{"chunk size too large", post("Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\n"), 400},
		{"chunk without end", post("Transfer-Encoding: chunked\r\n", "1\r\n12\r\n0\r\n\r\n"), 400},
		{"chunk ends in LF", post("Transfer-Encoding: chunked\r\n", "1\n1\n0\n\n"), 400},
		{"length in trailer", post("Transfer-Encoding: chunked\r\n", "1\r\n1\r\n0\r\nContent-Length: 5\r\n\r\n"), 400},
		{"not HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, _, _ := engine.counts()
			client := r.dial(t)
			client.send(c.request)
			got := client.receive()
			require.Equal(t, c.status, got.StatusCode, got.Text)
			require.True(t, got.Close, "Connection: close is missing")
			require.NotEmpty(t, got.problem(t)["detail"])
			client.ended()
			after, _, _ := engine.counts()
			require.Equal(t, before, after, "something was begun")
		})
	}
	t.Run("what is valid", func(t *testing.T) {
		for _, fields := range []string{
			"Content-Length: 1\r\n", "content-length:1\r\n", "CONTENT-LENGTH: \t1 \r\n", "Content-Length: 01\r\n",
			"X-Empty:\r\nContent-Length: 1\r\n", "X-Raw: \xff\xfe\r\nContent-Length: 1\r\n", "Content-Length: 1\r\nConnection: close\r\n",
		} {
			got := r.do(t, post(fields, "1"))
			require.Equal(t, 200, got.StatusCode, "%q: %s", fields, got.Text)
		}
		require.Equal(t, 200, r.do(t, post("Transfer-Encoding: Chunked\r\n", "1\r\n1\r\n0\r\nX-T: y\r\n\r\n")).StatusCode)
		require.Equal(t, 200, r.do(t, "POST /x HTTP/1.0\r\nContent-Length: 1\r\n\r\n1").StatusCode)
		require.Equal(t, 200, r.do(t, "\r\n\r\n"+post("Content-Length: 1\r\n", "1")).StatusCode)
	})
}

func TestSizes(t *testing.T) {
	engine := newFakeEngine(echo)
	small := transaction("POST", "/small", node(t, core.NodeOptions{}))
	small.MaxBody = 10
	r := serve(t, http.Options{Engine: engine}, small, transaction("POST", "/default", node(t, core.NodeOptions{})))
	text := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }

	require.Equal(t, 200, r.do(t, post("/small", "", text(10))).StatusCode)
	require.Equal(t, 200, r.do(t, post("/default", "", text(100000))).StatusCode)
	const chunked = "POST /small HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + "8\r\n\"xxxxxxx\r\n3\r\nxx\"\r\n0\r\n\r\n"
	for _, c := range []struct {
		name, request string
		status        int
		detail        string
		end           bool // of the connection: the body was not read
	}{
		{"small", post("/small", "", text(11)), 413, "at most 10 bytes", false},
		{"small, chunked", chunked, 413, "at most 10 bytes", false},
		{"larger than any", post("/default", "", text(100001)), 413, "more than 100000 bytes", true},
		{"announced, no body", "POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 512001\r\n\r\n", 413, "more than 100000 bytes", true},
		{"no such route", post("/none", "", text(100)), 404, "nothing is served", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, _, _ := engine.counts()
			client := r.dial(t)
			client.send(c.request)
			got := client.receive()
			require.Equal(t, c.status, got.StatusCode, got.Text)
			require.Contains(t, got.problem(t)["detail"], c.detail)
			require.Equal(t, c.end, got.Close)
			if c.end {
				client.ended()
			} else {
				client.send(post("/small", "", "1"))
				require.Equal(t, "1", client.receive().Text)
				before++
			}
			after, _, _ := engine.counts()
			require.Equal(t, before, after)
		})
	}
	t.Run("much more than is read", func(t *testing.T) {
		c := r.dial(t)
		c.send("POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("x", 1000000))
		require.Equal(t, 413, c.receive().StatusCode, "the reply got lost")
		_, err := io.ReadAll(c.r)
		require.NoError(t, err, "the connection was reset, which may take the reply away")
	})
	t.Run("header", func(t *testing.T) {
		frame := len(get("/none", "X: "))
		require.Equal(t, 404, r.do(t, get("/none", "X: "+strings.Repeat("x", 16384-frame))).StatusCode)
		got := r.do(t, get("/none", "X: "+strings.Repeat("x", 16385-frame)))
		require.Equal(t, 431, got.StatusCode)
		require.Contains(t, got.problem(t)["detail"], "16384 bytes")
		require.Equal(t, 431, r.do(t, get("/none", "X: "+strings.Repeat("x", 1<<20))).StatusCode)
		require.Equal(t, 431, r.do(t, get("/"+strings.Repeat("x", 1<<20))).StatusCode)
	})
}

// A requester who asks first is told the final answer before he sends his body.
func TestExpect(t *testing.T) {
	engine := newFakeEngine(echo)
	route := transaction("POST", "/x", node(t, core.NodeOptions{}))
	route.MaxBody = 10
	r := serve(t, http.Options{Engine: engine, Token: "secret"}, route)
	const authorized = "Authorization: Bearer secret\r\n"
	head := func(path, fields string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n" + fields + "\r\n"
	}
	t.Run("continue", func(t *testing.T) {
		c := r.dial(t)
		for range 2 {
			c.send(head("/x", authorized+"Content-Length: 3\r\n"))
			require.Equal(t, 100, c.receive().StatusCode)
			c.send("[1]")
			got := c.receive()
			require.Equal(t, 200, got.StatusCode)
			require.Equal(t, "[1]", got.Text)
		}
	})
	t.Run("body at once", func(t *testing.T) {
		c := r.dial(t)
		c.send(head("/x", authorized+"Content-Length: 3\r\n") + "[1]")
		require.Equal(t, 100, c.receive().StatusCode)
		require.Equal(t, "[1]", c.receive().Text)
	})
	t.Run("chunked too large", func(t *testing.T) {
		c := r.dial(t)
		c.send(head("/x", authorized+"Transfer-Encoding: chunked\r\n"))
		require.Equal(t, 100, c.receive().StatusCode)
		c.send("fff\r\n")
		require.Equal(t, 413, c.receive().StatusCode)
		c.ended()
	})
	for _, c := range []struct {
		name, head string
		status     int
	}{
		{"too large", head("/x", authorized+"Content-Length: 11\r\n"), 413},
		{"type", head("/x", authorized+"Content-Length: 3\r\nContent-Type: image/png\r\n"), 415},
		{"path", head("/y", authorized+"Content-Length: 3\r\n"), 404},
		{"token", head("/x", "Content-Length: 3\r\n"), 401},
		{"browser", head("/x", "Content-Length: 3\r\nOrigin: http://evil.example\r\n"), 403},
		{"smuggling", head("/x", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := r.dial(t)
			client.send(c.head)
			got := client.receive()
			require.Equal(t, c.status, got.StatusCode)
			require.True(t, got.Close, "Connection: close is missing")
			got.problem(t)
			client.ended()
		})
	}
}

// Half a request and then silence ends after the read timeout, for many at once, while others
// are served; a held request is not concerned, and an idle connection ends after its own.
func TestSlowRequesters(t *testing.T) {
	engine := newFakeEngine(nil)
	r := serve(t, http.Options{Engine: engine, ReadTimeout: 400 * time.Millisecond, IdleTimeout: 300 * time.Millisecond},
		transaction("POST", "/x", node(t, core.NodeOptions{})))
	held := r.dial(t)
	held.send(post("/x", "", "1"))
	b := engine.next(t)

	halves := []string{"P", "POST /x HTTP/1.1\r\nHost: local", post("/x", "", "[1]")[:len(post("/x", "", "[1]"))-1]}
	var slow []*client
	for i := range 500 {
		c := r.dial(t)
		c.send(halves[i%len(halves)])
		slow = append(slow, c)
	}
	other := r.dial(t)
	other.send(post("/x", "", "2"))
	require.True(t, engine.end(engine.next(t).ID, answered("2")))
	require.Equal(t, "2", other.receive().Text)
	other.ended() // idle

	for _, c := range slow {
		got := c.receive()
		require.Equal(t, 408, got.StatusCode)
		require.Contains(t, got.problem(t)["detail"], "400ms")
		c.ended()
	}
	silent := r.dial(t)
	silent.ended()
	require.True(t, engine.end(b.ID, answered("1")), "the held request was harmed")
	require.Equal(t, "1", held.receive().Text)
}
