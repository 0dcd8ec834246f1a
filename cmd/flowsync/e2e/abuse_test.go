package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/responder"
)

// raw sends bytes on a connection of its own and returns the status of the reply, 0 if the
// connection was closed without one.
func raw(t testing.TB, address, text string) int {
	t.Helper()
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	go io.Copy(c, strings.NewReader(text)) // the server may answer before it has read everything
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// What is wrong with a request is said to whoever sent it, and nothing is published.
func TestBadRequests(t *testing.T) {
	g := start(t, "testdata/order.yaml")
	mes := respond(t, responder.Options{Address: g.broker, Topics: []string{"services/#"}})
	post := func(head, body string) string {
		return "POST /data/order HTTP/1.1\r\nHost: " + g.http + "\r\n" + head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body
	}
	const asJSON = "Content-Type: application/json\r\n"
	for name, c := range map[string]struct {
		text   string
		status int
	}{
		"invalid JSON":          {post(asJSON, `{"a":`), 400},
		"two values":            {post(asJSON, `1 2`), 400},
		"not UTF-8":             {post(asJSON, "\"\xff\""), 400},
		"too deep":              {post(asJSON, strings.Repeat("[", 200)+strings.Repeat("]", 200)), 400},
		"oversized":             {post(asJSON, `"`+strings.Repeat("x", 200_000)+`"`), 413},
		"oversized, chunked":    {"POST /data/order HTTP/1.1\r\nHost: " + g.http + "\r\n" + asJSON + "Transfer-Encoding: chunked\r\n\r\n30000\r\n" + strings.Repeat("1", 0x30000) + "\r\n0\r\n\r\n", 413},
		"form":                  {post("Content-Type: application/x-www-form-urlencoded\r\n", "a=1"), 415},
		"unknown path":          {"GET /data/nothing HTTP/1.1\r\nHost: " + g.http + "\r\n\r\n", 404},
		"unknown method":        {"BREW /data/order HTTP/1.1\r\nHost: " + g.http + "\r\n\r\n", 405},
		"other method":          {"GET /data/order HTTP/1.1\r\nHost: " + g.http + "\r\n\r\n", 405},
		"not HTTP":              {"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400},
		"1 MB of header":        {"GET /data/order HTTP/1.1\r\nHost: " + g.http + "\r\nX-Big: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", 431},
		"1 MB of header fields": {"GET /data/order HTTP/1.1\r\nHost: " + g.http + "\r\n" + strings.Repeat("X-Many: x\r\n", 1<<17) + "\r\n", 431},
		"both lengths":          {"POST /data/order HTTP/1.1\r\nHost: " + g.http + "\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n", 400},
		"two lengths":           {"POST /data/order HTTP/1.1\r\nHost: " + g.http + "\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n11", 400},
		"foreign host":          {"POST /data/order HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1\r\n\r\n1", 403},
		"foreign page":          {post("Origin: https://evil.example\r\n", "1"), 403},
	} {
		assert.Equal(t, c.status, raw(t, g.http, c.text), name)
	}
	assert.Zero(t, mes.Report().Received, "nothing of it was published")
	g.addsUp(0)

	// A raw 0xFF in what travels with a request would make a broker drop the connection.
	head := "POST /data/order%s HTTP/1.1\r\nHost: " + g.http + "\r\n" + asJSON + "%sContent-Length: 1\r\n\r\n1"
	assert.Equal(t, 400, raw(t, g.http, fmt.Sprintf(head, "?a=\xff", "")))
	assert.Equal(t, 400, raw(t, g.http, fmt.Sprintf(head, "?a=%FF", "")))
	assert.Equal(t, 200, raw(t, g.http, fmt.Sprintf(head, "", "Traceparent: \xff\r\nX-Odd: \xff\r\n")))
	assert.Equal(t, uint64(1), mes.Report().Received)
}

// neighbour asks again and again while others misbehave, and is always answered.
type neighbour struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	asked  int
}

func newNeighbour(t *testing.T, g *gateway) *neighbour {
	ctx, cancel := context.WithCancel(context.Background())
	n := &neighbour{cancel: cancel}
	c := client(4)
	url := "http://" + g.http + "/data/order"
	require.Equal(t, 200, ask(t, c, "POST", url, "0").status)
	n.done.Go(func() {
		defer c.CloseIdleConnections()
		for ctx.Err() == nil {
			n.asked++
			r, err := try(c, "POST", url, fmt.Sprint(n.asked))
			if !assert.NoError(t, err) || !assert.Equal(t, 200, r.status, "%s", r.body) || !assert.Equal(t, fmt.Sprint(n.asked), string(r.body)) {
				return
			}
		}
	})
	t.Cleanup(func() { n.stop() })
	return n
}

func (n *neighbour) stop() int {
	n.cancel()
	n.done.Wait()
	return n.asked
}

// Requesters that begin to ask and then say nothing harm nobody, and are let go.
func TestHalfRequests(t *testing.T) {
	const half = 500
	g := start(t, "testdata/order.yaml")
	respond(t, responder.Options{Address: g.broker, Topics: []string{"services/e2e/order"}})
	warm(t, g)
	before := g.memory()
	n := newNeighbour(t, g)
	var silent []net.Conn
	for i := range half {
		c, err := net.Dial("tcp", g.http)
		require.NoError(t, err)
		defer c.Close()
		silent = append(silent, c)
		text := "POST /data/order HTTP/1.1\r\nHost: " + g.http + "\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n[1,"
		_, err = io.WriteString(c, text[:i%len(text)+1])
		require.NoError(t, err)
	}
	// The read timeout is 10 s. Whether a 408 comes before the end is the server's choice.
	for _, c := range silent {
		c.SetReadDeadline(time.Now().Add(patience))
		_, err := io.Copy(io.Discard, c)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "a requester that says nothing is not let go")
	}
	t.Logf("meanwhile a neighbour was answered %d times", n.stop())
	g.requireMemory(before)
	require.Zero(t, g.held())
}

// warm brings the program to the size that it has at work.
func warm(t *testing.T, g *gateway) {
	t.Helper()
	l := load{
		connections: connections, n: 3000, url: "http://" + g.http + "/data/order",
		body:  func(n int) string { return fmt.Sprint(n) },
		check: func(_ int, r *reply) error { return nil },
	}
	l.run(t)
}

// memory is the resident size in bytes; 0 where the metrics cannot tell.
func (g *gateway) memory() int { return g.count("process_resident_memory_bytes", "") }

// requireMemory requires that the program gets back to about the size it had.
func (g *gateway) requireMemory(before int) {
	g.t.Helper()
	if raceEnabled { // its bookkeeping is never given back
		return
	}
	limit := before*12/10 + 16<<20
	require.Eventually(g.t, func() bool { return g.memory() <= limit }, patience, 50*time.Millisecond, "it takes more than %d bytes, before it were %d", limit, before)
	g.t.Logf("resident: %d KiB before, %d KiB after", before>>10, g.memory()>>10)
}
