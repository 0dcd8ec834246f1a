package http_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// keyed is a server whose routes ask for keys, and what its engine was given last.
func keyed(t *testing.T) (r *rig, last func() *begun) {
	var b *begun
	engine := newFakeEngine(func(given *begun) (core.Result, bool) { b = given; return echo(given) })
	n := node(t, core.NodeOptions{})
	r = serve(t, http.Options{Engine: engine},
		http.Route{Method: "POST", Path: "/order/{id}", Transaction: &http.Transaction{Node: n, Keys: true}},
		http.Route{Method: "PUT", Path: "/order/{id}", Transaction: &http.Transaction{Node: n, Keys: true}},
		transaction("POST", "/plain", n))
	return r, func() *begun { given := b; b = nil; return given }
}

// A key is the same with and without quotes, and what is none is refused before anything begins.
func TestKeys(t *testing.T) {
	r, last := keyed(t)
	long := strings.Repeat("k", 255)
	for field, want := range map[string]string{ // empty: refused
		`abc`:                "abc",
		`"abc"`:              "abc",
		`  abc  `:            "abc",
		`8e03978e-40d5-43dd`: "8e03978e-40d5-43dd",
		`a\b`:                `a\b`,
		`"a\\b"`:             `a\b`,
		`"a\"b"`:             `a"b`,
		`"a b, c"`:           "a b, c",
		long:                 long,
		`"` + long + `"`:     long,
		``:                   "",
		`""`:                 "",
		`"`:                  "",
		`"abc`:               "",
		`abc"`:               "",
		`"abc"d`:             "",
		`"abc";a=1`:          "",
		`"abc", "abc"`:       "",
		`abc, abc`:           "",
		`abc,abc`:            "",
		`a b`:                "",
		`"a\b"`:              "",
		`"a\`:                "",
		"schl\u00fcssel":     "",
		"\"schl\u00fcssel\"": "",
		"\"a\tb\"":           "",
		long + "k":           "",
		`"` + long + `k"`:    "",
	} {
		got := r.do(t, post("/order/7", "", "1", "Idempotency-Key: "+field))
		b := last()
		if want == "" {
			require.Equal(t, 400, got.StatusCode, "%q", field)
			require.Contains(t, got.problem(t)["detail"], "Idempotency-Key must be 1 to 255")
			require.Nil(t, b, "%q was begun", field)
			continue
		}
		require.Equal(t, 200, got.StatusCode, "%q: %s", field, got.Text)
		require.Equal(t, want, b.Key.Text)
		require.Empty(t, b.Key.User)
	}
}

func TestKeyTwice(t *testing.T) {
	r, last := keyed(t)
	c := r.dial(t)
	c.send(post("/order/7", "", "1", "Idempotency-Key: a", "Idempotency-Key: a"))
	got := c.receive()
	require.Equal(t, 400, got.StatusCode)
	require.Equal(t, "Idempotency-Key is there more than once", got.problem(t)["detail"])
	require.Nil(t, last())
	c.send(post("/order/7", "", "1", "Idempotency-Key: a")) // the connection is as good as before
	require.Equal(t, 200, c.receive().StatusCode)
}

// Without a key, and where none is asked for, it is a request like any other.
func TestNoKey(t *testing.T) {
	r, last := keyed(t)
	require.Equal(t, 200, r.do(t, post("/order/7", "", "1")).StatusCode)
	require.Nil(t, last().Key)
	for _, fields := range [][]string{{"Idempotency-Key: a"}, {"Idempotency-Key: a b"}, {"Idempotency-Key: a", "Idempotency-Key: b"}} {
		require.Equal(t, 200, r.do(t, post("/plain", "", "1", fields...)).StatusCode)
		require.Nil(t, last().Key)
	}
}

// A key belongs to what was asked: where, with which parameters. How the path was written, and who
// says with which credential, does not matter.
func TestIdentity(t *testing.T) {
	r, last := keyed(t)
	of := func(method, target string, headers ...string) string {
		t.Helper()
		require.Equal(t, 200, r.do(t, request(method, target, "1", append(headers, "Idempotency-Key: a")...)).StatusCode)
		return last().Key.Parameters
	}
	base := of("POST", "/order/7?a=1&b=2")
	for _, same := range []string{"/order/7?a=1&b=2", "/Order/7/?a=1&b=2", "/order/%37?a=1&b=2", "/order/7?apiToken=x&a=1&b=2", "/order/7?a=1&b=2&apitoken=y"} {
		require.Equal(t, base, of("POST", same), same)
	}
	seen := map[string]string{base: "the first"}
	for _, other := range []string{"/order/8?a=1&b=2", "/order/7", "/order/7?a=1", "/order/7?a=1&b=3", "/order/7%20?a=1", "/order/%22?a=1", "/order/7%3Fa=1&b=2"} {
		identity := of("POST", other)
		require.NotContains(t, seen, identity, other)
		seen[identity] = other
	}
	require.NotContains(t, seen, of("PUT", "/order/7?a=1&b=2"))
}

// What a request was to an earlier one with its key shows in the reply.
func TestRepeats(t *testing.T) {
	var result core.Result
	engine := newFakeEngine(func(*begun) (core.Result, bool) { return result, true })
	n := node(t, core.NodeOptions{})
	r := serve(t, http.Options{Engine: engine}, http.Route{Method: "GET", Path: "/x", Transaction: &http.Transaction{Node: n, Keys: true}})
	for _, c := range []struct {
		result   core.Result
		status   int
		replayed string
		want     map[string]any // nil: no problem document
	}{
		{core.Result{Outcome: core.Answered, Value: []byte("1"), Sent: true}, 200, "", nil},
		{core.Result{Outcome: core.Answered, Value: []byte("1"), Sent: true, Repeat: core.Joined}, 200, "", nil},
		{core.Result{Outcome: core.Answered, Value: []byte("1"), Sent: true, Repeat: core.Replayed}, 200, "true", nil},
		{core.Result{Outcome: core.Answered, Value: []byte("null"), Sent: true, Repeat: core.Replayed}, 204, "true", nil},
		{core.Result{Outcome: core.ResponderError, Code: 409, Sent: true, Repeat: core.Replayed}, 409, "true",
			map[string]any{"outcome": "responder_error", "retrySafe": false, "inDoubt": nil}},
		{core.Result{Outcome: core.Timeout, Sent: true, Repeat: core.Joined}, 500, "",
			map[string]any{"outcome": "timeout", "retrySafe": false, "inDoubt": nil}},
		{core.Result{Outcome: core.Timeout, Sent: true, Repeat: core.InDoubt, Message: "no answer until now"}, 500, "",
			map[string]any{"outcome": "timeout", "retrySafe": false, "inDoubt": true, "detail": "no answer until now"}},
		{core.Result{Outcome: core.Shutdown, Repeat: core.InDoubt}, 503, "",
			map[string]any{"outcome": "shutdown", "retrySafe": false, "inDoubt": true}},
		{core.Result{Repeat: core.Conflict, Message: "the key was used for another value", Elapsed: time.Second}, 422, "",
			map[string]any{"outcome": nil, "retrySafe": false, "inDoubt": nil, "detail": "the key was used for another value",
				"type": http.ProblemTypeConflict, "title": "The idempotency key was used for another request"}},
	} {
		t.Run(fmt.Sprint(c.result.Outcome, c.result.Repeat), func(t *testing.T) {
			result = c.result
			got := r.do(t, get("/x", "Idempotency-Key: a"))
			require.Equal(t, c.status, got.StatusCode, got.Text)
			require.Equal(t, c.replayed, got.Header.Get("Idempotency-Replayed"))
			require.Empty(t, got.Header.Get("Retry-After"))
			if c.want != nil {
				have := got.problem(t)
				for name, value := range c.want {
					require.Equal(t, value, have[name], name)
				}
			}
		})
	}
}
