package gateway

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/mqtt"
)

const echo = `{"id": $.id, "timestamp": $.timestamp, "value": $.value}`

func TestMappingAnswers(t *testing.T) {
	r := open(t, node("ask", "")+mappingOf("m", "endpoint: !ref ask", "endpoint: !ref ask", echo))
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			value := fmt.Sprintf(`{"order":%d}`, i)
			status, body := r.ask("POST", "/ask", value)
			if status != 200 || body != value {
				t.Errorf("asked %s, got %d %s", value, status, body)
			}
		})
	}
	all.Wait()
}

func TestWildcardsNameNodes(t *testing.T) {
	r := open(t, node("a", "")+node("b", "")+
		mappingOf("m", "topic: services/test/+node/treq", `topic: "services/test/{node}/tres"`,
			`{"id": $.id, "timestamp": $.timestamp, "value": $context.vars.node & " of " & $context.topic}`))
	for _, id := range []string{"a", "b"} {
		status, body := r.ask("POST", "/"+id, "1")
		require.Equal(t, 200, status)
		require.Equal(t, fmt.Sprintf(`"%s of services/test/%s/treq"`, id, id), body)
	}
}

func TestRequestRules(t *testing.T) {
	r := open(t,
		node("change", `, rules: [{transform: {expression: '{"id": "x", "value": {"was": $.value, "path": $context.http.path}, "line": 7}'}}]`)+
			node("drop", `, rules: [{filter: {expression: '$.value > 5'}}]`)+
			node("scalar", `, rules: [{transform: {expression: '$.value'}}]`)+
			node("fails", `, rules: [{transform: {expression: '$number("x")'}}]`)+
			node("exact", `, rules: [{transform: {expression: '{"value": $.value + 0}'}}]`)+
			mappingOf("m", "topic: services/test/+node/treq", `topic: "services/test/{node}/tres"`,
				`{"id": $.id, "timestamp": $.timestamp, "value": {"got": $.value, "line": $.line}}`))
	for _, c := range []struct {
		path, value string
		status      int
		want        string
	}{
		{"/change", "1", 200, `{"got":{"path":"/data/change","was":1},"line":7}`},
		{"/drop", "9", 200, `{"got":9}`},
		{"/drop", "1", 500, "rule_failed"},
		{"/scalar", "1", 500, "rule_failed"},
		{"/fails", "1", 500, "rule_failed"},
		{"/exact", "9007199254740992", 200, `{"got":9007199254740992}`},
	} {
		status, body := r.ask("POST", c.path, c.value)
		require.Equal(t, c.status, status, "%s %s: %s", c.path, c.value, body)
		if status != 200 {
			body = outcome(body)
		}
		require.Equal(t, c.want, body, c.path)
	}
}

func TestResponseRules(t *testing.T) {
	transform := func(expression string) string {
		return `, transaction: {responseRules: [{transform: {expression: '` + expression + `'}}]}`
	}
	r := open(t,
		node("change", transform(`{"value": {"answer": $.value}}`))+
			node("status", transform(`{"value": $.value, "http": {"status": 201}}`))+
			node("error", transform(`{"error": {"code": 409, "message": "no"}}`))+
			node("neither", transform(`{"other": 1}`))+
			node("scalar", transform(`1`))+
			node("filter", `, transaction: {responseRules: [{filter: {expression: 'false'}}]}`)+
			mappingOf("m", "topic: services/test/+node/treq", `topic: "services/test/{node}/tres"`, echo))
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{"/change", 200, `{"answer":1}`},
		{"/status", 201, `1`},
		{"/error", 409, "responder_error"},
		{"/neither", 502, "bad_response"},
		{"/scalar", 500, "rule_failed"},
		{"/filter", 500, "rule_failed"},
	} {
		status, body := r.ask("POST", c.path, "1")
		require.Equal(t, c.status, status, "%s: %s", c.path, body)
		if status >= 400 {
			body = outcome(body)
		}
		require.Equal(t, c.want, body, c.path)
	}
}

// value is a node that receives, provides, or both.
func value(id, method, operation, more string) string {
	return "  " + id + ":\n    type: Cybus::Node::Http\n    properties: {parent: !ref http, method: " + method + ", route: /" + id +
		", operation: " + operation + more + "}\n"
}

func TestReceiveAndProvide(t *testing.T) {
	r := open(t,
		value("in", "POST", "serverReceives", "")+
			value("both", "PUT", "serverProvidesAndReceives", ", retain: true")+
			value("changed", "PUT", "serverReceives", `, rules: [{transform: {expression: '{"value": $.value * 2}'}}]`)+
			value("fails", "PUT", "serverReceives", `, rules: [{transform: {expression: '$number("x")'}}]`)+
			value("out", "GET", "serverProvides", `, rules: [{transform: {expression: '{"value": $.value + 1}'}}]`))
	messages := r.listen("services/test/#")

	status, body := r.ask("POST", "/in", `{"t":20.5}`)
	require.Equal(t, 204, status, body)
	require.Regexp(t, `^\{"timestamp":\d+,"value":\{"t":20\.5\}\}$`, string(receive(t, messages).Payload))

	status, _ = r.ask("GET", "/both", "")
	require.Equal(t, 404, status, "before the first value")
	status, _ = r.ask("PUT", "/both", `7`)
	require.Equal(t, 204, status)
	receive(t, messages)
	require.Eventually(t, func() bool {
		status, body = r.ask("GET", "/both", "")
		return status == 200 && body == "7"
	}, 5*time.Second, time.Millisecond)

	status, _ = r.ask("PUT", "/changed", `21`)
	require.Equal(t, 204, status)
	require.Equal(t, `{"value":42}`, string(receive(t, messages).Payload))
	status, body = r.ask("PUT", "/fails", `21`)
	require.Equal(t, 500, status)
	require.Equal(t, "rule_failed", outcome(body))

	require.NoError(t, r.link.PublishMessage(mqtt.Message{Topic: "services/test/out", Payload: []byte(`{"value":41}`)}))
	require.Eventually(t, func() bool {
		status, body = r.ask("GET", "/out", "")
		return status == 200 && body == "42"
	}, 5*time.Second, time.Millisecond)
	for _, bad := range []string{`nonsense`, `{"other":1}`, `{"value":"x"}`} { // none of them replaces it
		require.NoError(t, r.link.PublishMessage(mqtt.Message{Topic: "services/test/out", Payload: []byte(bad)}))
		require.NoError(t, r.link.PublishMessage(mqtt.Message{Topic: "services/test/both", Payload: []byte(bad)}))
	}
	require.Eventually(t, func() bool { return strings.Count(r.log.String(), "message is not a value") >= 2 }, 5*time.Second, time.Millisecond)
	_, body = r.ask("GET", "/out", "")
	require.Equal(t, "42", body)
}

// TestOpenFails: nothing is left running, which goleak sees.
func TestOpenFails(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	model := load(t, httpHead+node("ask", "")+value("both", "PUT", "serverProvidesAndReceives", "")+
		mappingOf("m", "endpoint: !ref ask", "endpoint: !ref ask", echo))
	for name, change := range map[string]func(*Settings){
		"--http":     func(s *Settings) { s.HTTP = busy.Addr().String() },
		"embedded":   func(s *Settings) { s.Embedded.Addr = busy.Addr().String() },
		"broker URL": func(s *Settings) { s.Broker = &mqtt.Options{URL: "http://x"} },
		"Shards":     func(s *Settings) { s.MaxInFlight = -1 },
	} {
		set := settings(&logBuffer{})
		change(&set)
		g, err := Open(context.Background(), model, set)
		require.Error(t, err, name)
		require.Nil(t, g)
	}
}

// TestBrokerIsAway: the gateway starts all the same, and says so to machines and operators.
func TestBrokerIsAway(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gone.Close()
	log := &logBuffer{}
	set := settings(log)
	set.Broker = &mqtt.Options{URL: "mqtt://" + gone.Addr().String(), Logger: set.Logger}
	g, err := Open(context.Background(), load(t, httpHead+node("ask", "")), set)
	require.NoError(t, err)
	r := &rig{Gateway: g, t: t, client: newClient(t), log: log}
	require.Equal(t, []string{"not connected to the broker"}, g.Ready())
	status, body := r.ask("POST", "/ask", "1")
	require.Equal(t, 503, status)
	require.Equal(t, "not_published", outcome(body))
	require.Contains(t, log.String(), "the broker is not there yet")
	_, external := g.ExternalStats()
	require.True(t, external)
	require.Zero(t, g.EmbeddedStats())
	require.Empty(t, g.EmbeddedAddr())
	require.NoError(t, g.Shutdown(context.Background()))

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Open(ctx, load(t, httpHead+node("ask", "")), set)
	require.ErrorIs(t, err, context.Canceled)
}

func TestOverview(t *testing.T) {
	r := open(t, node("ask", "")+value("both", "PUT", "serverProvidesAndReceives", ""))
	require.Equal(t, []string{"services/test/#"}, r.TopicFilters())
	var routes []string
	for _, route := range r.Routes() {
		routes = append(routes, route.Method+" "+route.Path+" "+string(route.Operation))
	}
	require.Equal(t, []string{
		"POST /data/ask transaction", "GET /data/both serverProvidesAndReceives", "PUT /data/both serverProvidesAndReceives",
	}, routes)
	_, external := r.ExternalStats()
	require.False(t, external)
	require.NotEmpty(t, r.EmbeddedAddr())
	require.NotNil(t, r.Failed())
}

// TestServerFails: a listener that breaks is reported, for the process to end.
func TestServerFails(t *testing.T) {
	r := open(t, node("ask", ""))
	r.doors[0].listener.Close()
	require.ErrorContains(t, receive(t, r.Failed()), "HTTP server on")
}

// TestWithoutServers: a file with mappings only opens no HTTP listener.
func TestWithoutServers(t *testing.T) {
	model := load(t, "metadata: {name: m}\nresources:\n"+mappingOf("m", "topic: in/#rest", `topic: "out/{rest}"`, `$.value`))
	g, err := Open(context.Background(), model, settings(&logBuffer{}))
	require.NoError(t, err)
	r := &rig{Gateway: g, t: t}
	require.Empty(t, g.HTTPAddr())
	out := r.listen("out/#")
	require.NoError(t, r.link.PublishMessage(mqtt.Message{Topic: "in/a/b", Payload: []byte(`{"value":5}`)}))
	m := receive(t, out)
	require.Equal(t, "out/a/b 5", m.Topic+" "+string(m.Payload))
	require.NoError(t, g.Shutdown(context.Background()))
}
