package gateway

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/commission"
	"github.com/flowsync-go/flowsync/transport/mqtt"
	"github.com/flowsync-go/flowsync/transport/mqtt/embedded"
)

// TestMain knows the one goroutine that fasthttp starts for the process, for the Date header.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

// httpHead begins every commissioning file of the tests.
const httpHead = `
metadata: {name: test}
resources:
  http: {type: Cybus::Server::Http, properties: {basePath: /}}
`

// rig is a gateway over the broker inside the process, and a client of it.
type rig struct {
	*Gateway
	t      testing.TB
	client *nethttp.Client
	log    *logBuffer
}

func load(t testing.TB, file string) *commission.Model {
	t.Helper()
	model, problems := commission.Load([]commission.Source{{Name: "test.yaml", Data: []byte(file)}}, commission.LoadOptions{})
	require.NotNil(t, model, "%v", problems)
	return model
}

func settings(log io.Writer) Settings {
	return Settings{
		HTTP: "127.0.0.1:0", HTTPPrefix: "/data", OPCUA: "127.0.0.1:0", Embedded: embedded.Options{Addr: "127.0.0.1:0"},
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	}
}

func open(t testing.TB, file string) *rig {
	t.Helper()
	log := &logBuffer{}
	g, err := Open(context.Background(), load(t, httpHead+file), settings(log))
	require.NoError(t, err)
	r := &rig{Gateway: g, t: t, client: &nethttp.Client{Transport: &nethttp.Transport{}}, log: log}
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		require.NoError(t, g.Shutdown(ctx))
	})
	return r
}

// ask sends a request and returns status and body.
func (r *rig) ask(method, path, body string) (int, string) {
	r.t.Helper()
	request, err := nethttp.NewRequest(method, "http://"+r.HTTPAddr()+"/data"+path, strings.NewReader(body))
	require.NoError(r.t, err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	status, text, _ := r.do(request)
	return status, text
}

func (r *rig) do(request *nethttp.Request) (int, string, nethttp.Header) {
	r.t.Helper()
	reply, err := r.client.Do(request)
	require.NoError(r.t, err)
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	require.NoError(r.t, err)
	return reply.StatusCode, string(text), reply.Header
}

// outcome is the outcome of a problem document.
func outcome(body string) string {
	var problem struct{ Outcome string }
	if json.Unmarshal([]byte(body), &problem) != nil {
		return "no problem document: " + body
	}
	return problem.Outcome
}

// listen subscribes and returns what arrives.
func (r *rig) listen(filter string) <-chan mqtt.Message {
	messages := make(chan mqtt.Message, 1000)
	require.NoError(r.t, r.link.Subscribe(filter, 1, func(m mqtt.Message) {
		m.Payload = append([]byte(nil), m.Payload...)
		messages <- m
	}))
	return messages
}

func receive[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case m := <-from:
		return m
	case <-time.After(10 * time.Second):
		require.FailNow(t, "nothing arrived")
		panic("unreachable")
	}
}

// node is a transaction node.
func node(id, more string) string {
	return "  " + id + ":\n    type: Cybus::Node::Http\n    properties: {parent: !ref http, method: POST, route: /" + id +
		", operation: transaction" + more + "}\n"
}

// mappingOf is a mapping with one transform.
func mappingOf(id, subscribe, publish, expression string) string {
	return "  " + id + ":\n    type: Cybus::Mapping\n    properties:\n      mappings:\n        - subscribe: {" + subscribe + "}\n" +
		"          publish: {" + publish + "}\n          rules: [{transform: {expression: '" + expression + "'}}]\n"
}

type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
