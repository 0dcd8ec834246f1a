package http_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// Which route a request means.
func TestRouting(t *testing.T) {
	engine := newFakeEngine(func(b *begun) (core.Result, bool) { return answered(`"` + b.Node.Name() + `"`), true })
	routes := []struct{ method, path string }{
		{"GET", "/data/order/{id}"}, {"PUT", "/data/order/{nr}"}, {"GET", "/data/order/last"},
		{"GET", "/data/order/{id}/lines"}, {"GET", "/data/order/last/page"}, {"POST", "/data/a%20b/Größe"},
		{"DELETE", "/data/order/{id}/lines/{line}"}, {"PATCH", "/data/order/last"}, {"GET", "/"},
	}
	var all []http.Route
	for i, route := range routes {
		name := fmt.Sprint(i)
		all = append(all, transaction(route.method, route.path, node(t, core.NodeOptions{Name: name, Topic: name})))
	}
	r := serve(t, http.Options{Engine: engine}, all...)
	for _, c := range []struct {
		method, path string
		status       int
		want         string // node, or Allow
	}{
		{"GET", "/data/order/4711", 200, "0"},
		{"GET", "/DATA/Order/4711", 200, "0"},
		{"GET", "/data/order/4711/", 200, "0"},
		{"GET", "/data/order/4711//", 404, ""},
		{"GET", "/data//order/4711", 404, ""},
		{"GET", "/data/order/", 404, ""},
		{"GET", "/data/order/a%2Fb", 200, "0"},
		{"GET", "/data%2Forder/4711", 404, ""},
		{"PUT", "/data/order/4711", 200, "1"},
		{"GET", "/data/order/LAST", 200, "2"},
		{"GET", "/data/order/l%61st", 200, "2"},
		{"PUT", "/data/order/last", 405, "GET, PATCH, OPTIONS"},
		{"PATCH", "/data/order/last", 200, "7"},
		{"GET", "/data/order/last/lines", 200, "3"}, // the literal leads nowhere
		{"GET", "/data/order/last/page", 200, "4"},
		{"DELETE", "/data/order/last/lines/7", 200, "6"},
		{"POST", "/data/A%20B/gr%C3%B6%C3%9Fe", 200, "5"},
		{"POST", "/data/a%20b/GR\u00d6\u00dfE", 200, "5"},
		{"GET", "/", 200, "8"},
		{"GET", "http://localhost", 200, "8"},
		{"GET", "http://localhost/data/order/1?x", 200, "0"},
		{"GET", "/data/order/%", 400, ""},
		{"GET", "/data/order/%zz", 400, ""},
		{"GET", "/data/order/1?x=%4", 400, ""},
		{"GET", "/data/order/%ff", 400, ""},
		{"GET", "/data/order/\xff", 400, ""},
		{"GET", "/data/order/1?x=\xff", 400, ""},
		{"GET", "/data/order/1?x=%ff", 400, ""},
		{"GET", "/data/order/1#x", 400, ""},
		{"GET", "http://user@localhost/data/order/1", 400, ""},
		{"GET", "/data", 404, ""},
		{"GET", "/order/1", 404, ""},
		{"GET", "/data/order/last/page/more", 404, ""},
		{"HEAD", "/data/order/1", 405, "GET, PUT, OPTIONS"},
		{"BREW", "/data/order/1", 405, "GET, PUT, OPTIONS"},
		{"get", "/data/order/1", 405, "GET, PUT, OPTIONS"},
		{"OPTIONS", "/data/order/1", 204, "GET, PUT, OPTIONS"},
		{"OPTIONS", "*", 204, "GET, POST, PUT, PATCH, DELETE, OPTIONS"},
		{"OPTIONS", "/nothing", 404, ""},
		{"HEAD", "/nothing", 404, ""},
		{"CONNECT", "localhost:1", 400, ""},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			before, _, _ := engine.counts()
			got := r.do(t, request(c.method, c.path, ""))
			after, _, _ := engine.counts()
			require.Equal(t, c.status, got.StatusCode, got.Text)
			require.Equal(t, "no-store", got.Header.Get("Cache-Control"))
			require.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
			if c.status == 200 {
				require.Equal(t, `"`+c.want+`"`, got.Text)
				return
			}
			require.Equal(t, before, after, "something was begun")
			require.Equal(t, c.want, got.Header.Get("Allow"))
			if c.status == 204 {
				require.Empty(t, got.Text)
			} else if c.method != "HEAD" {
				require.NotEmpty(t, got.problem(t)["detail"])
			}
		})
	}
}

// Everything that is wrong with a route is said when it is added.
func TestAddFaults(t *testing.T) {
	engine := newFakeEngine(echo)
	n := node(t, core.NodeOptions{})
	provide := func() ([]byte, bool) { return nil, false }
	for _, c := range []struct {
		name  string
		route http.Route
		want  []string
	}{
		{"method", transaction("FETCH", "/x", n), []string{"FETCH /x", "must be one of GET, POST"}},
		{"no kind", http.Route{Method: "GET", Path: "/x", Where: "a.yaml:3:1"}, []string{"a.yaml:3:1", "set one of"}},
		{"two kinds", http.Route{Method: "GET", Path: "/x", Transaction: &http.Transaction{Node: n}, Provide: provide}, []string{"not 2"}},
		{"no node", http.Route{Method: "GET", Path: "/x", Transaction: &http.Transaction{}}, []string{"needs a Node"}},
		{"code", http.Route{Method: "GET", Path: "/x", Transaction: &http.Transaction{Node: n, TimeoutCode: 399}}, []string{"400 to 599"}},
		{"body", http.Route{Method: "GET", Path: "/x", Provide: provide, MaxBody: 512001}, []string{"512001", "1 to 512000"}},
		{"half a parameter", transaction("GET", "/x/a{b}", n), []string{"whole segment"}},
		{"empty parameter", transaction("GET", "/x/{}", n), []string{"write {name}"}},
		{"twice", transaction("GET", "/x/{a}/{a}", n), []string{"{a} is there twice"}},
		{"query", transaction("GET", "/x?y", n), []string{"cannot be part of a path"}},
		{"escape", transaction("GET", "/x/%4", n), []string{"percent-escape"}},
		{"all at once", http.Route{Method: "", Path: "/x", MaxBody: -1}, []string{"must be one of", "1 to 512000", "set one of"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, err := http.New(http.Options{Engine: engine})
			require.NoError(t, err)
			err = server.Add(c.route)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	t.Run("without engine", func(t *testing.T) {
		server, err := http.New(http.Options{})
		require.NoError(t, err)
		require.ErrorContains(t, server.Add(transaction("GET", "/x", n)), "Options.Engine")
	})
	t.Run("the same twice", func(t *testing.T) {
		server, err := http.New(http.Options{Engine: engine})
		require.NoError(t, err)
		first := transaction("GET", "/data/Order/{id}", n)
		first.Where = "a.yaml:3:5"
		require.NoError(t, server.Add(first))
		second := transaction("GET", "/data/order/{nr}/", n)
		second.Where = "b.yaml:7:5"
		err = server.Add(second)
		require.ErrorContains(t, err, "a.yaml:3:5")
		require.ErrorContains(t, err, "b.yaml:7:5")
		second.Method = "PUT"
		require.NoError(t, server.Add(second))
	})
	t.Run("late", func(t *testing.T) {
		r := serve(t, http.Options{Engine: engine})
		r.do(t, get("/"))
		require.ErrorContains(t, r.Add(transaction("GET", "/x", n)), "before Serve")
		require.NoError(t, r.Close())
		require.ErrorIs(t, r.Add(transaction("GET", "/x", n)), http.ErrClosed)
	})
}

func TestOptionFaults(t *testing.T) {
	_, err := http.New(http.Options{ReadTimeout: -1, MaxConnections: -1, Token: "a b", AllowOrigins: []string{"plant.example"}})
	for _, want := range []string{"ReadTimeout", "MaxConnections", "Token", `"plant.example" is not an origin`} {
		require.ErrorContains(t, err, want)
	}
}

// serverReceives and serverProvides, on one path.
func TestReceiveAndProvide(t *testing.T) {
	var value string
	var meta *http.Meta
	var failure error
	r := serve(t, http.Options{},
		http.Route{Method: "POST", Path: "/data/v/{id}", NeedMeta: true, Receive: func(v []byte, m *http.Meta) error {
			value, meta = string(v), m
			return failure
		}},
		http.Route{Method: "PUT", Path: "/data/v/{id}", Receive: func(v []byte, m *http.Meta) error { meta = m; return nil }},
		http.Route{Method: "GET", Path: "/data/v/{id}", Provide: func() ([]byte, bool) { return []byte(value), value != "" }})

	require.Equal(t, 404, r.do(t, get("/data/v/1")).StatusCode)
	got := r.do(t, post("/data/v/1?x=2", "application/json", `{"a":1}`))
	require.Equal(t, 204, got.StatusCode)
	require.Empty(t, got.Text)
	require.Equal(t, `{"a":1}`, value)
	require.Equal(t, "1", meta.Params["id"])
	got = r.do(t, get("/data/v/1"))
	require.Equal(t, 200, got.StatusCode)
	require.Equal(t, `{"a":1}`, got.Text)
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Equal(t, 204, r.do(t, request("PUT", "/data/v/1", "")).StatusCode)
	require.Nil(t, meta, "made without need")
	require.Equal(t, 400, r.do(t, post("/data/v/1", "", `{`)).StatusCode)
	require.Equal(t, "GET, POST, PUT, OPTIONS", r.do(t, request("DELETE", "/data/v/1", "")).Header.Get("Allow"))

	for _, c := range []struct {
		err     error
		status  int
		outcome string
		retry   bool
	}{
		{core.ErrNotSent, 503, "not_published", true},
		{core.ErrRefused, 503, "not_published", true},
		{errors.New("broker is away"), 503, "not_published", true},
		{core.ErrNoSubscriber, 503, "no_subscriber", false},
		{core.ErrShed, 429, "shed", true},
		{core.ErrRuleFailed, 500, "rule_failed", false},
		{core.ErrBadResponse, 502, "bad_response", false},
		{core.ErrClosed, 503, "shutdown", false},
	} {
		failure = fmt.Errorf("here: %w", c.err)
		got := r.do(t, post("/data/v/1", "", `1`))
		require.Equal(t, c.status, got.StatusCode)
		document := got.problem(t)
		require.Equal(t, c.outcome, document["outcome"])
		require.True(t, strings.HasPrefix(document["detail"].(string), "here: "))
		require.Equal(t, c.retry, got.Header.Get("Retry-After") != "")
	}
}
