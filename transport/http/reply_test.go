package http_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// Every outcome has its status, its document and its advice on repeating.
func TestOutcomes(t *testing.T) {
	var result core.Result
	engine := newFakeEngine(func(*begun) (core.Result, bool) { return result, true })
	n := node(t, core.NodeOptions{})
	r := serve(t, http.Options{Engine: engine}, transaction("GET", "/plain", n), http.Route{
		Method: "GET", Path: "/own", Transaction: &http.Transaction{Node: n, TimeoutCode: 408, TimeoutMessage: "the \"press\" is silent"}})
	type document = map[string]any
	for _, c := range []struct {
		path   string
		result core.Result
		status int
		retry  string
		want   document
	}{
		{"/plain", core.Result{Outcome: core.Timeout, Message: "no answer came in time", Sent: true, Elapsed: 2000600 * time.Microsecond}, 500, "",
			document{"outcome": "timeout", "retrySafe": false, "detail": "no answer came in time", "elapsedMs": 2000.0}},
		{"/own", core.Result{Outcome: core.Timeout, Message: "x", Sent: true}, 408, "",
			document{"outcome": "timeout", "detail": `the "press" is silent`}},
		{"/own", core.Result{Outcome: core.NotPublished, Message: "broker is away"}, 503, "1",
			document{"outcome": "not_published", "retrySafe": true, "detail": "broker is away"}},
		{"/own", core.Result{Outcome: core.NoSubscriber, Sent: true}, 503, "", document{"outcome": "no_subscriber", "retrySafe": true}},
		{"/own", core.Result{Outcome: core.Shed}, 429, "1", document{"outcome": "shed", "retrySafe": true}},
		{"/own", core.Result{Outcome: core.BadResponse, Sent: true}, 502, "", document{"outcome": "bad_response", "retrySafe": false}},
		{"/own", core.Result{Outcome: core.RuleFailed, Sent: true}, 500, "", document{"outcome": "rule_failed", "retrySafe": false}},
		{"/own", core.Result{Outcome: core.RuleFailed}, 500, "", document{"outcome": "rule_failed", "retrySafe": true}},
		{"/own", core.Result{Outcome: core.Shutdown}, 503, "", document{"outcome": "shutdown", "retrySafe": true}},
		{"/own", core.Result{Outcome: core.Cancelled, Sent: true}, 499, "", document{"outcome": "cancelled", "retrySafe": false}},
		{"/own", core.Result{Outcome: core.ResponderError, Code: 404, Message: "no such order"}, 404, "",
			document{"outcome": "responder_error", "retrySafe": false, "code": 404.0, "detail": "no such order"}},
		{"/own", core.Result{Outcome: core.ResponderError, Code: 17}, 502, "", document{"code": 17.0}},
		{"/own", core.Result{Outcome: core.ResponderError, Code: 200}, 502, "", document{"code": 200.0}},
		{"/own", core.Result{Outcome: core.ResponderError, CodeName: "BadOutOfRange"}, 502, "", document{"code": "BadOutOfRange"}},
		{"/own", core.Result{Outcome: core.ResponderError, Code: 599, Message: "a\xffb"}, 599, "", document{"detail": "a\ufffdb"}},
	} {
		t.Run(fmt.Sprint(c.result.Outcome, c.status), func(t *testing.T) {
			result = c.result
			got := r.do(t, get(c.path))
			require.Equal(t, c.status, got.StatusCode, got.Text)
			require.Equal(t, c.retry, got.Header.Get("Retry-After"))
			require.Equal(t, "no-store", got.Header.Get("Cache-Control"))
			require.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
			have := got.problem(t)
			for name, value := range c.want {
				require.Equal(t, value, have[name], name)
			}
			require.Equal(t, http.ProblemTypeBase+c.result.Outcome.String(), have["type"])
			require.Len(t, have["id"], core.IDTextLen)
		})
	}
}

// The answer's value is the body, null is none, and its http member shapes the reply.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name, value, member string
		status              int
		body                string
		headers             map[string]string
	}{
		{"verbatim", `{ "b":1.0 }`, ``, 200, `{ "b":1.0 }`, map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}},
		{"null", `null`, ``, 204, ``, map[string]string{"Content-Type": "", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}},
		{"string", `"null"`, ``, 200, `"null"`, nil},
		{"http null", `1`, `null`, 200, `1`, nil},
		{"http empty", `1`, `{}`, 200, `1`, nil},
		{"created", `1`, `{"status":201,"headers":{"location":"/data/order/1","etag":"\"7\"","X-Line":"a b","Retry-After":"5"}}`, 201, `1`,
			map[string]string{"Location": "/data/order/1", "Etag": `"7"`, "X-Line": "a b", "Retry-After": "5", "Content-Type": "application/json"}},
		{"its own type", `"x"`, `{"headers":{"Content-Type":"application/vnd.plant+json"}}`, 200, `"x"`, map[string]string{"Content-Type": "application/vnd.plant+json"}},
		{"redirect", `null`, `{"status":303,"headers":{"Location":"/elsewhere"}}`, 303, ``, map[string]string{"Location": "/elsewhere"}},
		{"null with status", `null`, `{"status":202}`, 202, ``, nil},
		{"no content", `null`, `{"status":204}`, 204, ``, nil},
		{"ours stay", `1`, `{"headers":{"X-Content-Type-Options":"sniff"}}`, 200, `1`, map[string]string{"X-Content-Type-Options": "nosniff"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := core.Reply{Value: []byte(c.value), HTTP: []byte(c.member)}
			if c.member == "" {
				answer.HTTP = nil
			}
			require.NoError(t, http.Inspect(&answer))
			engine := newFakeEngine(func(*begun) (core.Result, bool) {
				r := answered(c.value)
				r.Extra = answer.Extra
				return r, true
			})
			r := serve(t, http.Options{Engine: engine}, transaction("GET", "/x", node(t, core.NodeOptions{})))
			got := r.do(t, get("/x"))
			require.Equal(t, c.status, got.StatusCode)
			require.Equal(t, c.body, got.Text)
			for name, value := range c.headers {
				require.Equal(t, value, got.Header.Get(name), name)
			}
			require.Len(t, got.Header.Values("X-Content-Type-Options"), 1)
		})
	}
}

func TestInspectFaults(t *testing.T) {
	many := map[string]string{}
	for i := range 33 {
		many[fmt.Sprintf("X-%d", i)] = "v"
	}
	tooMany, err := json.Marshal(map[string]any{"headers": many})
	require.NoError(t, err)
	for _, c := range []struct{ member, value, want string }{
		{`[]`, `1`, "want status"},
		{`7`, `1`, "want status"},
		{`{"status":"200"}`, `1`, "want status"},
		{`{"status":200.5}`, `1`, "want status"},
		{`{"status":404}`, `1`, "report failures with an error member"},
		{`{"status":199}`, `1`, "200 to 399"},
		{`{"status":204}`, `1`, "allows no value"},
		{`{"status":304}`, `"x"`, "allows no value"},
		{`{"body":1}`, `1`, "unknown field"},
		{`{"headers":{"X-A":1}}`, `1`, "an object of strings"},
		{`{"headers":{"Set-Cookie":"a=b"}}`, `1`, `"Set-Cookie" is not allowed`},
		{`{"headers":{"X-":"b"}}`, `1`, "is not allowed"},
		{`{"headers":{"Content-Length":"1"}}`, `1`, "is not allowed"},
		{`{"headers":{"X A":"b"}}`, `1`, "not a header name"},
		{`{"headers":{"":"b"}}`, `1`, "not a header name"},
		{`{"headers":{"X-` + strings.Repeat("a", 63) + `":"b"}}`, `1`, "at most 64 bytes"},
		{`{"headers":{"X-A":"b\r\nSet-Cookie: c"}}`, `1`, "printable ASCII"},
		{`{"headers":{"X-A":"\u0000"}}`, `1`, "printable ASCII"},
		{`{"headers":{"X-A":"ü"}}`, `1`, "printable ASCII"},
		{`{"headers":{"X-A":"` + strings.Repeat("a", 1025) + `"}}`, `1`, "at most 1024 bytes"},
		{`{"headers":{"x-a":"1","X-A":"2"}}`, `1`, "twice"},
		{string(tooMany), `1`, "33 headers"},
	} {
		r := core.Reply{Value: []byte(c.value), HTTP: []byte(c.member)}
		err := http.Inspect(&r)
		require.ErrorIs(t, err, core.ErrBadResponse, c.member)
		require.ErrorContains(t, err, c.want)
		require.Nil(t, r.Extra)
	}
}

// TestInspectErrors: an error has a status of its own, so an http member beside it does not
// matter; its code must be a number.
func TestInspectErrors(t *testing.T) {
	r := core.Reply{Error: &core.ReplyError{Code: 409, Message: "running"}, HTTP: []byte(`{"status":409}`)}
	require.NoError(t, http.Inspect(&r))
	require.Nil(t, r.Extra)
	r = core.Reply{Error: &core.ReplyError{CodeName: "BadTimeout"}}
	require.ErrorIs(t, http.Inspect(&r), core.ErrBadResponse)
}
