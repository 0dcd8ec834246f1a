package e2e

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/responder"
)

// reply is what a requester got.
type reply struct {
	status  int
	header  http.Header
	body    []byte
	took    time.Duration
	problem problem // if it was one
}

// problem is the document of a failure.
type problem struct {
	Title     string  `json:"title"`
	Detail    string  `json:"detail"`
	ID        string  `json:"id"`
	Outcome   string  `json:"outcome"`
	RetrySafe bool    `json:"retrySafe"`
	ElapsedMs float64 `json:"elapsedMs"`
}

// outcome is "answered" for success, else the outcome of the problem.
func (r *reply) outcome() string {
	if r.status < 300 {
		return "answered"
	}
	return r.problem.Outcome
}

// client uses so many connections at most; with 1 it keeps none.
func client(connections int) *http.Client {
	return &http.Client{
		Timeout: 2 * patience,
		Transport: &http.Transport{
			MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections, DisableKeepAlives: connections == 1,
		},
	}
}

// ask sends a request and requires a reply.
func ask(t testing.TB, c *http.Client, method, url, body string, headers ...string) *reply {
	t.Helper()
	r, err := try(c, method, url, body, headers...)
	require.NoError(t, err)
	return r
}

// try sends a request. A body is sent as JSON. Headers are name, value, name, value …
func try(c *http.Client, method, url, body string, headers ...string) (*reply, error) {
	return tryContext(context.Background(), c, method, url, body, headers...)
}

func tryContext(ctx context.Context, c *http.Client, method, url, body string, headers ...string) (*reply, error) {
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	began := time.Now()
	response, err := c.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	r := &reply{status: response.StatusCode, header: response.Header}
	r.body, err = io.ReadAll(response.Body)
	r.took = time.Since(began)
	if err == nil && response.Header.Get("Content-Type") == "application/problem+json" {
		err = json.Unmarshal(r.body, &r.problem)
	}
	return r, err
}

// respond answers on the broker until the test ends.
func respond(t testing.TB, o responder.Options) *responder.Responder {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	r, err := responder.Start(o)
	require.NoError(t, err)
	t.Cleanup(r.Close)
	require.NoError(t, r.Ready(deadline(t)))
	return r
}

// load asks n times over so many connections. body makes the n-th request; check says what is
// wrong with its reply, nil if nothing is.
type load struct {
	connections, n int
	url            string
	body           func(n int) string
	check          func(n int, r *reply) error
}

// run returns when all are answered. It reports the first few faults.
func (l *load) run(t testing.TB) {
	t.Helper()
	c := client(l.connections)
	defer c.CloseIdleConnections()
	var next, faults atomic.Int64
	var all sync.WaitGroup
	for range l.connections {
		all.Go(func() {
			for {
				n := int(next.Add(1) - 1)
				if n >= l.n || faults.Load() > 10 {
					return
				}
				r, err := try(c, "POST", l.url, l.body(n))
				if err == nil {
					err = l.check(n, r)
				}
				if !assert.NoError(t, err, "request %d", n) {
					faults.Add(1)
				}
			}
		})
	}
	all.Wait()
	require.Zero(t, faults.Load(), "lost or wrong")
}
