package http_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

func TestGuard(t *testing.T) {
	guard, err := http.NewGuard([]string{"https://Plant.example:8443"})
	require.NoError(t, err)
	for _, c := range []struct {
		host, origin, site string
		loopback, ok       bool
	}{
		{"plant:8080", "", "", false, true},
		{"plant:8080", "http://plant:8080", "same-origin", false, true},
		{"Plant:8080", "http://plant:8080", "", false, true},
		{"plant", "https://plant", "", false, true}, // TLS ends before us
		{"plant:8080", "http://plant:8081", "", false, false},
		{"plant:8080", "http://evil.example", "cross-site", false, false},
		{"plant:8080", "null", "", false, false},
		{"plant:8080", "", "cross-site", false, false},
		{"plant:8080", "", "Cross-Site", false, false},
		{"plant:8080", "", "none", false, true},
		{"plant:8080", "", "same-site", false, true},
		{"plant:8080", "https://plant.example:8443", "cross-site", false, true},
		{"plant:8080", "https://plant.example", "cross-site", false, false},
		{"", "http://", "", false, false},
		{"localhost:8080", "", "", true, true},
		{"LOCALHOST.", "", "", true, true},
		{"app.localhost", "", "", true, true},
		{"127.0.0.1:8080", "", "", true, true},
		{"127.1.2.3", "", "", true, true},
		{"[::1]:8080", "", "", true, true},
		{"[::1]", "", "", true, true},
		{"", "", "", true, true}, // HTTP/1.0; browsers always send one
		{"evil.example:8080", "", "", true, false},
		{"evil.example:8080", "http://evil.example:8080", "same-origin", true, false},
		{"localhost.evil.example", "", "", true, false},
		{"10.0.0.1", "", "", true, false},
		{"plant.example:8443", "", "", true, true}, // named by an allowed origin
	} {
		err := guard.Check(c.host, c.origin, c.site, c.loopback)
		if c.ok {
			require.NoError(t, err, "%+v", c)
			continue
		}
		var foreign *http.ForeignError
		require.ErrorAs(t, err, &foreign, "%+v", c)
		require.NotEmpty(t, foreign.Error())
	}
	all, err := http.NewGuard([]string{"*"})
	require.NoError(t, err)
	require.NoError(t, all.Check("plant", "http://evil.example", "cross-site", false))
	require.NoError(t, all.Check("plant", "", "cross-site", false))
	require.Error(t, all.Check("evil.example", "", "", true))
	for _, bad := range []string{"plant.example", "https://", "https://a/b", "https://u@a", "https://a?b", "://", "%"} {
		_, err := http.NewGuard([]string{bad})
		require.ErrorContains(t, err, "is not an origin", bad)
	}
}

// Web pages of others start nothing; allowed ones are told by CORS that they may.
func TestBrowsers(t *testing.T) {
	engine := newFakeEngine(echo)
	r := serve(t, http.Options{Engine: engine, AllowOrigins: []string{"https://plant.example"}, Token: "secret"},
		transaction("POST", "/x", node(t, core.NodeOptions{})))
	const token = "Authorization: Bearer secret"
	const form = "text/plain"

	for name, text := range map[string]string{
		"foreign origin":   post("/x", form, "order", token, "Origin: https://evil.example"),
		"opaque origin":    post("/x", form, "order", token, "Origin: null"),
		"cross-site":       post("/x", form, "order", token, "Sec-Fetch-Site: cross-site"),
		"rebinding":        "POST /x HTTP/1.1\r\nHost: evil.example\r\n" + token + "\r\nContent-Length: 1\r\n\r\n1",
		"rebinding by URL": "POST http://evil.example/x HTTP/1.1\r\nHost: localhost\r\n" + token + "\r\nContent-Length: 1\r\n\r\n1",
		"preflight":        request("OPTIONS", "/x", "", "Origin: https://evil.example", "Access-Control-Request-Method: POST"),
	} {
		got := r.do(t, text)
		require.Equal(t, 403, got.StatusCode, name)
		got.problem(t)
		require.Empty(t, got.Header.Get("Access-Control-Allow-Origin"))
	}
	total, _, _ := engine.counts()
	require.Zero(t, total)

	got := r.do(t, request("OPTIONS", "/x", "", "Origin: https://plant.example", "Access-Control-Request-Method: POST"))
	require.Equal(t, 204, got.StatusCode)
	require.Equal(t, "https://plant.example", got.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "POST, OPTIONS", got.Header.Get("Access-Control-Allow-Methods"))
	require.Contains(t, got.Header.Get("Access-Control-Allow-Headers"), "Content-Type")
	require.Equal(t, "Origin", got.Header.Get("Vary"))
	got = r.do(t, request("OPTIONS", "/y", "", "Origin: https://plant.example", "Access-Control-Request-Method: POST"))
	require.Equal(t, 401, got.StatusCode)

	got = r.do(t, post("/x", "", "1", token, "Origin: https://plant.example", "Sec-Fetch-Site: cross-site"))
	require.Equal(t, 200, got.StatusCode)
	require.Equal(t, "https://plant.example", got.Header.Get("Access-Control-Allow-Origin"))
	got = r.do(t, post("/x", "", "1", token, "Origin: http://localhost"))
	require.Equal(t, 200, got.StatusCode)
	require.Empty(t, got.Header.Get("Access-Control-Allow-Origin"))
}

func TestToken(t *testing.T) {
	engine := newFakeEngine(echo)
	r := serve(t, http.Options{Engine: engine, Token: "s3cret"}, transaction("GET", "/x", node(t, core.NodeOptions{})))
	for _, c := range []struct {
		authorization string
		status        int
		challenge     string
	}{
		{"", 401, `Bearer realm="flowsync"`},
		{"Bearer s3cret", 200, ""},
		{"bearer  s3cret ", 200, ""},
		{"Bearer s3cre", 401, `Bearer realm="flowsync", error="invalid_token"`},
		{"Bearer", 401, `Bearer realm="flowsync", error="invalid_token"`},
		{"Basic s3cret", 401, `Bearer realm="flowsync", error="invalid_token"`},
		{"s3cret", 401, `Bearer realm="flowsync", error="invalid_token"`},
	} {
		var headers []string
		if c.authorization != "" {
			headers = []string{"Authorization: " + c.authorization}
		}
		got := r.do(t, get("/x", headers...))
		require.Equal(t, c.status, got.StatusCode, c.authorization)
		require.Equal(t, c.challenge, got.Header.Get("WWW-Authenticate"))
		if c.status == 401 {
			require.NotContains(t, got.Text, "s3cre")
		}
	}
	require.Equal(t, 401, r.do(t, get("/nothing")).StatusCode, "paths are told to strangers")
	require.Equal(t, 401, r.do(t, get("/x?apiToken=s3cret")).StatusCode)
	require.Equal(t, 400, r.do(t, get("/x", "Authorization: Bearer s3cret", "Authorization: Bearer x")).StatusCode)
}

// elsewhere is a listener that says it is not on loopback.
type elsewhere struct{ net.Listener }

func (elsewhere) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80} }

// On another address than loopback any Host will do.
func TestHostBeyondLoopback(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := serveOn(t, elsewhere{ln}, http.Options{Engine: newFakeEngine(echo)}, transaction("GET", "/x", node(t, core.NodeOptions{})))
	r.address = ln.Addr().String()
	require.Equal(t, 200, r.do(t, "GET /x HTTP/1.1\r\nHost: plant.example\r\n\r\n").StatusCode)
}
