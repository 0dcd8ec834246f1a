package gateway

import (
	"context"
	nethttp "net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

// keyed asks with a key, and returns status, body and whether the reply was given before.
// Requesters may have a limit of their own, in ms.
func (r *rig) keyed(path, body, key string, limit ...string) (int, string, bool) {
	request, err := nethttp.NewRequest("POST", "http://"+r.HTTPAddr()+"/data"+path, strings.NewReader(body))
	require.NoError(r.t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	if len(limit) > 0 {
		request.Header.Set("Request-Timeout", limit[0])
	}
	status, text, header := r.do(request)
	return status, text, header.Get("Idempotency-Replayed") == "true"
}

// openIn is open with a folder for what has to be kept.
func openIn(t *testing.T, state, file string) *rig {
	t.Helper()
	log := &logBuffer{}
	set := settings(log)
	set.State = state
	g, err := Open(context.Background(), load(t, httpHead+file), set)
	require.NoError(t, err)
	return &rig{Gateway: g, t: t, client: newClient(t), log: log}
}

// TestKeysAndRules: what is kept of an answer is what the response rules made of it, also when it came
// late and after a restart; the protocol's check sees it each time it is given.
func TestKeysAndRules(t *testing.T) {
	const options = `, rules: [{transform: {expression: '{"value": $.value, "line": 7}'}}], transaction: {idempotency: true, ` +
		`timeout: TIME, responseRules: [{transform: {expression: '{"id": $.id, "value": {"allowed": $.value}}'}}]}`
	const soon, keyed = "200", "inputArguments: [{name: order, dataType: String}, {name: idempotencyKey, dataType: String}]"
	file := node("ask", strings.Replace(options, "TIME", "60000", 1)) + node("late", strings.Replace(options, "TIME", soon, 1)) + opcuaHead +
		strings.Replace(method("Ask", strings.Replace(options, "TIME", "60000", 1)), "inputArguments: [{name: order, dataType: String}]", keyed, 1)
	state := t.TempDir()
	r := openIn(t, state, file)
	require.Len(t, r.Keyed(), 3)
	requests := r.listen("services/test/late/treq")
	for _, topic := range []string{"ask", "Ask"} {
		r.respond("services/test/"+topic+"/treq", func(string) string { return `"value":true` })
	}
	status, body, again := r.keyed("/ask", "1", "k")
	require.Equal(t, []any{200, `{"allowed":true}`, false}, []any{status, body, again})
	require.Equal(t, true, r.machine(t).call("Ask", "1", "k").OutputArguments[0].Value())
	status, body, _ = r.keyed("/late", "1", "k")
	require.Equal(t, []any{500, "timeout"}, []any{status, outcome(body)})
	request := receive(t, requests)
	require.Contains(t, string(request.Payload), `"line":7`)
	require.NoError(t, r.Shutdown(context.Background()))

	r = openIn(t, state, file)
	defer func() { require.NoError(t, r.Shutdown(context.Background())) }()
	requests = r.listen("services/test/+/treq")
	r.answer(request, `"value":false`) // of the gateway before
	require.Eventually(t, func() bool {
		status, body, again = r.keyed("/late", "1", "k")
		return status == 200
	}, 5*time.Second, time.Millisecond)
	require.Equal(t, `{"allowed":false}`, body)
	status, body, again = r.keyed("/ask", "1", "k")
	require.Equal(t, []any{200, `{"allowed":true}`, true}, []any{status, body, again})
	m := r.machine(t)
	require.Equal(t, true, m.call("Ask", "1", "k").OutputArguments[0].Value())
	require.Equal(t, ua.StatusBadEntryExists, m.call("Ask", "2", "k").StatusCode)
	require.Empty(t, requests, "nothing went out again")
	require.Equal(t, 1, r.KeyStats(r.Keyed()[0]).Keys)
	require.NotNil(t, r.Journal())
}

// TestDrainWithKeys: who waits for a late answer is told at once that there is no waiting any more; who
// has joined a request that is held is answered with it.
func TestDrainWithKeys(t *testing.T) {
	r := open(t, node("ask", ", transaction: {idempotency: true, timeout: 60000}")+node("doubt", ", transaction: {idempotency: true, timeout: 60000}"))
	requests := r.listen("services/test/+/treq")
	status, body, _ := r.keyed("/doubt", "1", "k", "300")
	require.Equal(t, []any{500, "timeout"}, []any{status, outcome(body)})
	receive(t, requests)
	answers, doubts := make(chan string, 2), make(chan string, 1)
	for range 2 {
		go func() {
			_, body, _ := r.keyed("/ask", "1", "k")
			answers <- body
		}()
	}
	held := receive(t, requests)
	go func() {
		_, body, _ := r.keyed("/doubt", "1", "k")
		doubts <- body
	}()
	require.Eventually(t, func() bool { return r.KeyStats(r.Keyed()[0]).Waiting+r.KeyStats(r.Keyed()[1]).Waiting == 2 }, 5*time.Second, time.Millisecond)
	drained := make(chan error, 1)
	go func() { drained <- r.Shutdown(context.Background()) }()
	require.Equal(t, "shutdown", outcome(receive(t, doubts)))
	r.answer(held, `"value":7`)
	require.Equal(t, "7", receive(t, answers))
	require.Equal(t, "7", receive(t, answers))
	require.NoError(t, receive(t, drained))
	require.Empty(t, requests)
}

// TestStateFails: keys that were to be kept and cannot be are no start, and nothing is left running.
func TestStateFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	set := settings(&logBuffer{})
	set.State = file
	_, err := Open(context.Background(), load(t, httpHead+node("ask", ", transaction: {idempotency: true}")), set)
	require.ErrorContains(t, err, "--state: the idempotency keys cannot be kept: ")
	g, err := Open(context.Background(), load(t, httpHead+node("ask", "")), set)
	require.NoError(t, err, "nothing has to be kept")
	require.Nil(t, g.Journal())
	require.NoError(t, g.Shutdown(context.Background()))
}
