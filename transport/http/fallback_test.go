package http_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

func fallback(n *core.Node, path, text string) http.Route {
	return http.Route{Method: "POST", Path: path, Where: "plant.yml:7:3", Transaction: &http.Transaction{
		Node: n, Fallback: []byte(text), TimeoutCode: 504, TimeoutMessage: "silence",
	}}
}

// The fallback takes the place of three outcomes, which the reply does not hide, and of no other.
func TestFallback(t *testing.T) {
	var result core.Result
	engine := newFakeEngine(func(*begun) (core.Result, bool) { return result, true })
	n := node(t, core.NodeOptions{})
	r := serve(t, http.Options{Engine: engine, FreeSheds: -1, AllowOrigins: []string{"https://plant.example"}},
		fallback(n, "/x", ` {"cached": true} `), fallback(n, "/null", "null"))
	for _, c := range []struct {
		path                        string
		result                      core.Result
		status                      int
		body, outcome, doubt, after string
	}{
		{"/x", core.Result{Outcome: core.Timeout, Sent: true}, 200, `{"cached": true}`, "timeout", "", ""},
		{"/x", core.Result{Outcome: core.Timeout, Sent: true, Repeat: core.InDoubt}, 200, `{"cached": true}`, "timeout", "true", ""},
		{"/x", core.Result{Outcome: core.Shed}, 200, `{"cached": true}`, "shed", "", "1"},
		{"/x", core.Result{Outcome: core.NotPublished}, 200, `{"cached": true}`, "not_published", "", "1"},
		{"/null", core.Result{Outcome: core.Timeout, Sent: true}, 204, "", "timeout", "", ""},
		{"/x", answered("7"), 200, "7", "", "", ""},
		{"/x", core.Result{Outcome: core.ResponderError, Code: 404}, 404, "", "", "", ""},
		{"/x", core.Result{Outcome: core.NoSubscriber}, 503, "", "", "", ""},
		{"/x", core.Result{Outcome: core.BadResponse, Sent: true}, 502, "", "", "", ""},
		{"/x", core.Result{Outcome: core.RuleFailed}, 500, "", "", "", ""},
		{"/x", core.Result{Outcome: core.Shutdown}, 503, "", "", "", ""},
		{"/x", core.Result{Repeat: core.Conflict}, 422, "", "", "", ""},
	} {
		result = c.result
		got := r.do(t, post(c.path, "", "1", "Origin: https://plant.example"))
		require.Equal(t, c.status, got.StatusCode, got.Text)
		require.Equal(t, c.outcome, got.Header.Get("Flowsync-Outcome"))
		require.Equal(t, c.doubt, got.Header.Get("Flowsync-In-Doubt"))
		require.Equal(t, c.after, got.Header.Get("Retry-After"))
		require.Equal(t, "no-store", got.Header.Get("Cache-Control"))
		for _, name := range []string{"Flowsync-Outcome", "Flowsync-In-Doubt", "Idempotency-Replayed"} {
			require.Contains(t, got.Header.Get("Access-Control-Expose-Headers"), name)
		}
		switch c.status {
		case 200:
			require.Equal(t, c.body, got.Text)
			require.Equal(t, "application/json", got.Header.Get("Content-Type"))
		case 204:
			require.Empty(t, got.Text)
			require.Empty(t, got.Header.Get("Content-Type"))
		default:
			got.problem(t)
		}
	}
}

// Who is shed rests, whatever he was given.
func TestFallbackRests(t *testing.T) {
	engine := newFakeEngine(func(*begun) (core.Result, bool) { return core.Result{Outcome: core.Shed}, true })
	r := serve(t, http.Options{Engine: engine, FreeSheds: 1}, fallback(node(t, core.NodeOptions{}), "/x", "1"))
	since := time.Now()
	c := r.dial(t)
	for range 3 {
		c.send(post("/x", "", "1"))
		require.Equal(t, 200, c.receive().StatusCode)
	}
	require.GreaterOrEqual(t, time.Since(since), time.Second)
}

func TestFallbackFaults(t *testing.T) {
	server, err := http.New(http.Options{Engine: newFakeEngine(nil), Logger: quiet()})
	require.NoError(t, err)
	n := node(t, core.NodeOptions{})
	for text, want := range map[string]string{
		"":                                 "not valid JSON at byte 0",
		`{"a":}`:                           "not valid JSON at byte 5",
		"{} {}":                            "not valid JSON at byte 3",
		"yes":                              "not valid JSON at byte 0",
		"\"" + "\xff\"":                    "not valid JSON at byte 1",
		strings.Repeat("[", 200):           "not valid JSON at byte",
		strings.Repeat(" ", 512_000) + "1": "512001 bytes, want at most 512000",
	} {
		err := server.Add(fallback(n, "/x", text))
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "route POST /x (plant.yml:7:3): the fallback")
	}
	require.NoError(t, server.Add(fallback(n, "/x", "null")))
}
