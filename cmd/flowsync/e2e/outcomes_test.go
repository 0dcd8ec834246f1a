package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// ending is an outcome, the node of testdata/ends.yaml where it happens, and how it shows.
type ending struct {
	node      string
	answer    string // what the responder says behind the id; empty: nothing
	outcome   string
	retrySafe bool
	http      int
	ua        ua.StatusCode
	refused   bool // before it had an id: responders cannot know of it
}

var endings = []ending{
	{node: "answered", answer: `,"value":"4711"`, outcome: "answered", http: 200, ua: ua.StatusOK},
	{node: "failed", answer: `,"error":{"code":409,"message":"it runs"}`, outcome: "responder_error", http: 409, ua: ua.StatusBadUnexpectedError},
	{node: "silent", outcome: "timeout", http: 500, ua: ua.StatusBadTimeout},
	{node: "nobody", outcome: "no_subscriber", retrySafe: true, http: 503, ua: ua.StatusBadNoCommunication},
	{node: "full", outcome: "shed", retrySafe: true, http: 429, ua: ua.StatusBadResourceUnavailable, refused: true},
	{node: "half", answer: `,"timestamp":1`, outcome: "bad_response", http: 502, ua: ua.StatusBadUnknownResponse},
	{node: "dropped", outcome: "rule_failed", retrySafe: true, http: 500, ua: ua.StatusBadInternalError},
}

// TestOutcomes: a request ends with one word, and that word, and whether it may be repeated, is the
// same in the reply, in the log, in the metrics and to the responder, whichever door it came through.
func TestOutcomes(t *testing.T) { outcomes(t) }

// outcomes is the test on a program with the broker of the arguments.
func outcomes(t *testing.T, args ...string) {
	r := startEnds(t, args...)
	for _, e := range endings {
		t.Run(e.node, func(t *testing.T) {
			r.askHTTP(t, e)
			r.askOPCUA(t, e)
		})
	}
	r.gateway.expect(t, map[string]int{
		"answered": 6, "responder_error": 2, "timeout": 2, "no_subscriber": 2, "shed": 2, "bad_response": 2, "rule_failed": 2,
	})
}

// ends is a gateway with testdata/ends.yaml, its responder and an OPC UA client.
type ends struct {
	*gateway
	mes    *mes
	client *rawclient.Client
}

func startEnds(t *testing.T, args ...string) *ends {
	g := start(t, append([]string{"testdata/ends.yaml", "--log-level", "debug", "--log-transactions", "all"}, args...)...)
	var listened []string
	for _, node := range []string{"answered", "failed", "silent", "full", "half", "held"} {
		listened = append(listened, node, methodNode(node))
	}
	return &ends{g, startMES(t, g.broker, "ends", listened...), g.login(deadline(t), nil)}
}

// methodNode is the resource of a Method.
func methodNode(name string) string { return "call" + strings.ToUpper(name[:1]) + name[1:] }

// fill holds a request of the node that is full with one; empty ends it again.
func (r *ends) fill(t *testing.T, e ending) (empty func()) {
	if e.node != "full" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = r.client.Do(ctx, call("Press.full", "1"))
	}()
	go try(client(1), "POST", "http://"+r.http+"/data/full", "1")
	first, second := r.mes.next(), r.mes.next()
	return func() {
		r.mes.say(first, `,"value":"1"`)
		r.mes.say(second, `,"value":"1"`)
		<-ended
		cancel()
		for range 2 {
			within(t, r.mes.ends, "it does not end")
		}
	}
}

func (r *ends) askHTTP(t *testing.T, e ending) {
	t.Helper()
	defer r.fill(t, e)()
	got := make(chan *reply, 1)
	go func() { // the log is read when it has ended
		reply, err := try(client(1), "POST", "http://"+r.http+"/data/"+e.node, `"4711"`)
		assert.NoError(t, err)
		got <- reply
	}()
	id := r.respond(t, e)
	reply := within(t, got, "no reply comes")
	require.Equal(t, e.http, reply.status, "%s", reply.body)
	require.Equal(t, e.outcome, reply.outcome())
	if e.outcome != "answered" {
		require.Equal(t, e.retrySafe, reply.problem.RetrySafe)
	}
	if id != "" && e.outcome != "answered" {
		require.Equal(t, id, reply.problem.ID)
	}
	r.sameElsewhere(t, e, "ends/"+e.node, id)
}

func (r *ends) askOPCUA(t *testing.T, e ending) {
	t.Helper()
	defer r.fill(t, e)()
	ask := call("Press."+e.node, "4711")
	ask.SetHeader(&ua.RequestHeader{ReturnDiagnostics: ua.OperationLevelAdditionalInfo})
	got := make(chan *ua.CallResponse, 1)
	go func() {
		response, err := r.client.Do(deadline(t), ask)
		assert.NoError(t, err)
		decoded, _ := response.(*ua.CallResponse)
		got <- decoded
	}()
	id := r.respond(t, e)
	response := within(t, got, "no response comes")
	require.Equal(t, e.ua, response.Results[0].StatusCode)
	if e.outcome != "answered" {
		require.Len(t, response.DiagnosticInfos, 1)
		said := response.DiagnosticInfos[0].AdditionalInfo
		require.Contains(t, said, e.outcome)
		require.Contains(t, said, fmt.Sprintf("retrySafe %t", e.retrySafe))
		require.Contains(t, said, id)
	}
	r.sameElsewhere(t, e, "ends/"+methodNode(e.node), id)
}

// respond answers as the ending has it, and returns the id of the request; empty: none came.
func (r *ends) respond(t *testing.T, e ending) string {
	if e.answer == "" && e.node != "silent" {
		return ""
	}
	asked := r.mes.next()
	if e.answer != "" {
		r.mes.say(asked, e.answer)
	}
	return asked.ID
}

// sameElsewhere requires that log and responder were told the same; id may be empty.
func (r *ends) sameElsewhere(t *testing.T, e ending, node, id string) {
	t.Helper()
	line := r.lineOf(t, node, e.outcome)
	require.Equal(t, e.retrySafe, line["retrySafe"])
	if e.refused {
		require.NotContains(t, line, "id")
		require.Empty(t, r.mes.ends)
		return
	}
	var told struct {
		ID, Outcome string
		RetrySafe   bool
	}
	end := within(t, r.mes.ends, "the responder is not told")
	require.NoError(t, json.Unmarshal(end.Payload, &told), "%s", end.Payload)
	require.Equal(t, "services/"+node+"/tend", end.Topic)
	require.Equal(t, e.outcome, told.Outcome)
	require.Equal(t, e.retrySafe, told.RetrySafe)
	require.Equal(t, line["id"], told.ID)
	if id != "" {
		require.Equal(t, id, told.ID)
	}
}

// lineOf is the latest line of the log about an end of a node.
func (g *gateway) lineOf(t *testing.T, node, outcome string) map[string]any {
	t.Helper()
	var found map[string]any
	require.Eventually(t, func() bool {
		for text := range strings.Lines(g.log.String()) {
			var line map[string]any
			if json.Unmarshal([]byte(text), &line) == nil && line["msg"] == "transaction ended" && line["node"] == node && line["outcome"] == outcome {
				found = line
			}
		}
		return found != nil
	}, patience, 10*time.Millisecond, "no line of %s says %s", node, outcome)
	return found
}

// expect requires outcomes in the metrics.
func (g *gateway) expect(t *testing.T, counts map[string]int) {
	t.Helper()
	for word, n := range counts {
		require.Equal(t, n, g.outcome(word), word)
	}
	safe := g.count("flowsync_transactions_retry_safe_total", "")
	require.Equal(t, counts["no_subscriber"]+counts["shed"]+counts["rule_failed"]+counts["not_published"], safe, "all of these had not left")
}

// TestNotPublished: without a broker nothing leaves, and that is what everybody is told.
func TestNotPublished(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	g := start(t, "testdata/ends.yaml", "--broker", "mqtt://"+l.Addr().String())
	reply := ask(t, client(1), "POST", "http://"+g.http+"/data/answered", `"4711"`)
	require.Equal(t, 503, reply.status)
	require.Equal(t, "not_published", reply.outcome())
	require.True(t, reply.problem.RetrySafe)
	require.NotEmpty(t, reply.header.Get("Retry-After"))
	line := g.lineOf(t, "ends/answered", "not_published")
	require.Equal(t, true, line["retrySafe"])

	response, err := g.login(deadline(t), nil).Do(deadline(t), call("Press.answered", "4711"))
	require.NoError(t, err)
	require.Equal(t, ua.StatusBadNotConnected, response.(*ua.CallResponse).Results[0].StatusCode)
	g.expect(t, map[string]int{"not_published": 2})
	require.Positive(t, g.count("flowsync_mqtt_connect_failures_total", ""))
}

// TestCancelled: requesters who leave end their requests, which responders are told.
func TestCancelled(t *testing.T) {
	r := startEnds(t)
	ctx, leave := context.WithCancel(context.Background())
	c := client(1)
	go func() { _, _ = tryContext(ctx, c, "POST", "http://"+r.http+"/data/held", "1") }()
	asked := r.mes.next()
	leave()
	e := ending{outcome: "cancelled"}
	r.sameElsewhere(t, e, "ends/held", asked.ID)

	other := r.login(deadline(t), nil)
	_, err := other.Send(call("Press.held", "1"))
	require.NoError(t, err)
	asked = r.mes.next()
	other.Abort()
	r.sameElsewhere(t, e, "ends/callHeld", asked.ID)
	r.expect(t, map[string]int{"cancelled": 2})

	r.mes.say(asked, `,"value":"1"`)
	require.Eventually(t, func() bool { return r.answers("late") == 1 }, patience, 10*time.Millisecond)
}
