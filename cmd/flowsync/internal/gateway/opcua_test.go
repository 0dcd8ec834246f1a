package gateway

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// opcuaHead is a server whose root is an Object.
const opcuaHead = `
  ua: {type: Cybus::Server::Opcua, properties: {securityModes: [None]}}
  press: {type: Cybus::Node::Opcua, properties: {parent: !ref ua, browseName: Press, nodeType: Object}}
`

// method is a Method from a String to a Boolean.
func method(id, more string) string {
	return "  " + id + ": {type: Cybus::Node::Opcua, properties: {parent: !ref press, browseName: " + id + ", nodeType: Method, operation: transaction, " +
		"inputArguments: [{name: order, dataType: String}], outputArguments: [{name: allowed, dataType: Boolean}]" + more + "}}\n"
}

// variable is a Variable.
func variable(id, dataType, operation, more string) string {
	return "  " + id + ": {type: Cybus::Node::Opcua, properties: {parent: !ref press, browseName: " + id + ", nodeType: Variable, dataType: " +
		dataType + ", operation: " + operation + more + "}}\n"
}

// machine is an OPC UA client.
type machine struct {
	*opcua.Client
	t   *testing.T
	ctx context.Context
}

func (r *rig) machine(t *testing.T) *machine {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	info := r.OPCUA()
	client, err := opcua.NewClient("opc.tcp://"+info.Addr+info.Path, opcua.SecurityMode(ua.MessageSecurityModeNone), opcua.AutoReconnect(false))
	require.NoError(t, err)
	require.NoError(t, client.Connect(ctx))
	t.Cleanup(func() { _ = client.Close(ctx) }) // the gateway may have gone
	return &machine{client, t, ctx}
}

// call calls a Method of the press.
func (m *machine) call(name string, arguments ...any) *ua.CallMethodResult {
	m.t.Helper()
	request := &ua.CallMethodRequest{ObjectID: nodeID("Press"), MethodID: nodeID("Press." + name)}
	for _, a := range arguments {
		request.InputArguments = append(request.InputArguments, ua.MustVariant(a))
	}
	result, err := m.Call(m.ctx, request)
	require.NoError(m.t, err)
	return result
}

func (m *machine) write(name string, value any) ua.StatusCode {
	m.t.Helper()
	response, err := m.Write(m.ctx, &ua.WriteRequest{NodesToWrite: []*ua.WriteValue{{
		NodeID: nodeID("Press." + name), AttributeID: ua.AttributeIDValue,
		Value: &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(value)},
	}}})
	require.NoError(m.t, err)
	return response.Results[0]
}

func (m *machine) read(name string) *ua.DataValue {
	m.t.Helper()
	response, err := m.Read(m.ctx, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: nodeID("Press." + name), AttributeID: ua.AttributeIDValue}}})
	require.NoError(m.t, err)
	return response.Results[0]
}

// state is what the server says of itself.
func (m *machine) state() ua.ServerState {
	m.t.Helper()
	response, err := m.Read(m.ctx, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{
		{NodeID: ua.NewNumericNodeID(0, id.Server_ServerStatus_State), AttributeID: ua.AttributeIDValue},
	}})
	require.NoError(m.t, err)
	return ua.ServerState(response.Results[0].Value.Int())
}

func nodeID(path string) *ua.NodeID { return ua.NewStringNodeID(1, path) }

// answer answers a request.
func (r *rig) answer(m mqtt.Message, rest string) {
	r.t.Helper()
	reply, err := core.DecodeAnswer(m.Payload)
	require.NoError(r.t, err)
	topic := strings.TrimSuffix(m.Topic, "/treq") + "/tres"
	require.NoError(r.t, r.link.PublishMessage(mqtt.Message{Topic: topic, Payload: fmt.Appendf(nil, `{"id":"%s",%s}`, reply.ID, rest)}))
}

// respond answers each request of a filter with what f makes of its value.
func (r *rig) respond(filter string, f func(value string) string) {
	r.t.Helper()
	require.NoError(r.t, r.link.Subscribe(filter, 1, func(m mqtt.Message) {
		reply, err := core.DecodeAnswer(m.Payload)
		if err != nil {
			r.t.Error(err)
			return
		}
		r.answer(m, f(string(reply.Value)))
	}))
}

func TestCall(t *testing.T) {
	r := open(t, opcuaHead+method("MayStart", ", rules: [{transform: {expression: '{\"value\": {\"asked\": $.value.order, \"http\": $exists($context.http)}}'}}]")+
		method("Ruled", `, transaction: {responseRules: [{transform: {expression: '{"id": $.id, "value": {"allowed": $not($.value)}}'}}]}`)+
		method("Late", ", transaction: {timeout: 50, timeoutErrorCode: BadResourceUnavailable}"))
	asked := make(chan string, 1)
	r.respond("services/test/MayStart/treq", func(value string) string {
		asked <- value
		return `"value":{"allowed":true}`
	})
	r.respond("services/test/Ruled/treq", func(string) string { return `"value":true` })
	m := r.machine(t)
	result := m.call("MayStart", "4711")
	require.Equal(t, ua.StatusOK, result.StatusCode)
	require.Equal(t, true, result.OutputArguments[0].Value())
	require.JSONEq(t, `{"asked":"4711","http":false}`, receive(t, asked), "its rules have seen it, and no HTTP request")

	result = m.call("Ruled", "1")
	require.Equal(t, ua.StatusOK, result.StatusCode)
	require.Equal(t, false, result.OutputArguments[0].Value(), "the response rules come first, then the types")
	require.Equal(t, ua.StatusBadInvalidArgument, m.call("Ruled", int32(1)).StatusCode)
	require.Equal(t, ua.StatusBadResourceUnavailable, m.call("Late", "1").StatusCode)
}

// TestMappingAnswersCall: a Method under subscribe is its treq, and under publish its tres.
func TestMappingAnswersCall(t *testing.T) {
	r := open(t, opcuaHead+method("MayStart", "")+
		mappingOf("mes", "endpoint: !ref MayStart", "endpoint: !ref MayStart", `{"id": $.id, "value": {"allowed": $.value.order = "1"}}`))
	m := r.machine(t)
	require.Equal(t, true, m.call("MayStart", "1").OutputArguments[0].Value())
	require.Equal(t, false, m.call("MayStart", "2").OutputArguments[0].Value())
}

func TestWrite(t *testing.T) {
	r := open(t, opcuaHead+variable("Recipe", "String", "transaction", `, initialValue: old, transaction: {readTransaction: true}`)+
		variable("Speed", "Int32", "transaction", ""))
	r.respond("services/test/Speed/treq", func(string) string { return `"error":{"code":"BadOutOfRange","message":"too fast"}` })
	r.respond("services/test/Recipe/treq", func(value string) string {
		if value == `"new"` {
			return `"value":"NEW"`
		}
		return `"value":"read ` + strings.Trim(value, `"{}`) + `"`
	})
	require.True(t, r.OPCUA().Nodes[0].Reads)
	require.False(t, r.OPCUA().Nodes[1].Reads)
	m := r.machine(t)
	require.Equal(t, ua.StatusOK, m.write("Recipe", "new"))
	require.Equal(t, ua.StatusBadTypeMismatch, m.write("Recipe", 5.0))
	require.Contains(t, m.read("Recipe").Value.Value(), "read", "reads are transactions too")
	require.Equal(t, ua.StatusBadOutOfRange, m.write("Speed", int32(7)))
	require.Equal(t, int32(0), m.read("Speed").Value.Value(), "it keeps its value")
}

// TestReadWithResponseRules: rules do not hide that it was a Read, which needs a value that fits.
func TestReadWithResponseRules(t *testing.T) {
	r := open(t, opcuaHead+variable("Recipe", "String", "transaction",
		`, initialValue: old, transaction: {readTransaction: true, responseRules: [{transform: {expression: '{"id": $.id, "value": $.value.given}'}}]}`))
	answers := make(chan string, 1)
	r.respond("services/test/Recipe/treq", func(string) string { return `"value":{"given":` + <-answers + `}` })
	m := r.machine(t)
	answers <- `"new"`
	require.Equal(t, "new", m.read("Recipe").Value.Value())
	for _, wrong := range []string{"null", "5"} {
		answers <- wrong
		require.Equal(t, ua.StatusBadUnknownResponse, m.read("Recipe").Status, wrong)
	}
	stats := r.Engine().Stats(r.Engine().Nodes()[0])
	require.EqualValues(t, 2, stats.Ended[core.BadResponse], "what the client saw is what was counted")
	require.EqualValues(t, 1, stats.Ended[core.Answered])
}

// TestResponseRulesWithoutAnAnswer: what the rules leave may be no answer.
func TestResponseRulesWithoutAnAnswer(t *testing.T) {
	r := open(t, opcuaHead+method("Nothing", `, transaction: {responseRules: [{transform: {expression: '{"id": $.id}'}}]}`)+
		method("Later", `, transaction: {responseRules: [{transform: {expression: '{"id": $.id, "extend": 5}'}}]}`))
	r.respond("services/test/+/treq", func(string) string { return `"value":true` })
	m := r.machine(t)
	require.Equal(t, ua.StatusBadUnknownResponse, m.call("Nothing", "1").StatusCode)
	require.Equal(t, ua.StatusBadUnknownResponse, m.call("Later", "1").StatusCode)
}

// TestVariablesAndTopics: what comes in over MQTT can be read, and what is written goes out.
func TestVariablesAndTopics(t *testing.T) {
	r := open(t, opcuaHead+variable("Temperature", "Double", "serverProvides", `, rules: [{transform: {expression: '{"value": $.value / 2}'}}]`)+
		variable("Speed", "Int32", "serverReceives", "")+
		variable("Both", "Int32", "serverProvidesReceives", `, rules: [{transform: {expression: '{"value": $.value * 2}'}}]`)+
		"  Stop: {type: Cybus::Node::Opcua, properties: {parent: !ref press, browseName: Stop, nodeType: Method, operation: serverReceives}}\n")
	messages := r.listen("services/test/+")
	provide := func(topic, value string) {
		require.NoError(t, r.link.PublishMessage(mqtt.Message{Topic: "services/test/" + topic, Payload: []byte(`{"value":` + value + `}`)}))
		receive(t, messages) // by then it has been provided: subscribed earlier
	}
	m := r.machine(t)
	require.Equal(t, ua.StatusBadWaitingForInitialData, m.read("Temperature").Status)
	provide("Temperature", "43")
	require.Equal(t, 21.5, m.read("Temperature").Value.Value())
	provide("Both", `"many"`)
	require.Contains(t, r.log.String(), "message is not a value, the last one is kept")
	require.Equal(t, int32(0), m.read("Both").Value.Value())
	require.Equal(t, ua.StatusBadNotWritable, m.write("Temperature", 1.0))

	require.Equal(t, ua.StatusOK, m.write("Speed", int32(7)))
	require.Regexp(t, `^{"timestamp":\d+,"value":7}$`, string(receive(t, messages).Payload))
	require.Equal(t, int32(7), m.read("Speed").Value.Value())
	require.Equal(t, ua.StatusOK, m.write("Both", int32(4)))
	require.Equal(t, `{"value":8}`, string(receive(t, messages).Payload))
	require.Equal(t, ua.StatusOK, m.call("Stop").StatusCode)
	stop := receive(t, messages)
	require.Equal(t, "services/test/Stop", stop.Topic)
	require.Contains(t, string(stop.Payload), `"value":{}`)
}

// TestDrainOPCUA: while draining, what is held is answered, what is new is refused, and clients
// see why.
func TestDrainOPCUA(t *testing.T) {
	r := open(t, opcuaHead+method("MayStart", ", transaction: {timeout: 60000}")+variable("Speed", "Int32", "serverReceives", ""))
	requests := r.listen("services/test/MayStart/treq")
	m := r.machine(t)
	results := make(chan *ua.CallMethodResult, 1)
	go func() { results <- m.call("MayStart", "1") }()
	held := receive(t, requests)
	drained := make(chan error, 1)
	go func() { drained <- r.Shutdown(m.ctx) }()
	require.Eventually(t, func() bool { return len(r.Ready()) == 1 }, 5*time.Second, time.Millisecond)
	require.Equal(t, ua.StatusBadShutdown, m.write("Speed", int32(7)))
	require.Eventually(t, func() bool { return m.state() == ua.ServerStateShutdown }, 5*time.Second, time.Millisecond)
	_, err := net.Dial("tcp", r.OPCUA().Addr)
	require.ErrorContains(t, err, "refused")
	require.Eventually(t, func() bool { return m.call("MayStart", "2").StatusCode == ua.StatusBadShutdown }, 5*time.Second, time.Millisecond)
	r.answer(held, `"value":{"allowed":true}`)
	require.Equal(t, ua.StatusOK, receive(t, results).StatusCode)
	require.NoError(t, receive(t, drained))
}

// TestDrainTimeIsOverOPCUA: what nobody answers ends as shutdown, and its response is written
// before the connection ends. The lean client reads what came before the end; gopcua's picks one
// of the two by chance when both are there before it waits.
func TestDrainTimeIsOverOPCUA(t *testing.T) {
	r := open(t, opcuaHead+method("MayStart", ", transaction: {timeout: 60000}"))
	requests := r.listen("services/test/MayStart/treq")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := rawclient.Dial(ctx, rawclient.Options{Endpoint: "opc.tcp://" + r.OPCUA().Addr + r.OPCUA().Path})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Login(ctx, rawclient.Identity{}, 0)
	require.NoError(t, err)
	responses := make(chan ua.Response, 1)
	go func() {
		response, err := c.Do(ctx, &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{{
			ObjectID: nodeID("Press"), MethodID: nodeID("Press.MayStart"), InputArguments: []*ua.Variant{ua.MustVariant("1")},
		}}})
		assert.NoError(t, err)
		responses <- response
	}()
	receive(t, requests)
	over, end := context.WithCancel(ctx)
	end()
	require.ErrorIs(t, r.Shutdown(over), ErrStillHeld)
	response, ok := receive(t, responses).(*ua.CallResponse)
	require.True(t, ok)
	require.Equal(t, ua.StatusBadShutdown, response.Results[0].StatusCode)
}

func TestOPCUAInfo(t *testing.T) {
	r := open(t, opcuaHead+method("MayStart", "")+variable("Speed", "Int32", "serverReceives", "")+
		"  fixed: {type: Cybus::Node::Opcua, properties: {parent: !ref press, browseName: Fixed, nodeType: Variable, dataType: String, initialValue: A7}}\n")
	info := r.OPCUA()
	require.True(t, info.Anonymous)
	require.Equal(t, "/UA/CybusOpcuaServer", info.Path)
	require.Len(t, info.Security, 1)
	require.Len(t, info.Nodes, 2, "those that do something")
	require.Equal(t, "ns=1;s=Press.MayStart transaction 2s", fmt.Sprint(info.Nodes[0].NodeID, " ", info.Nodes[0].Operation, " ", info.Nodes[0].Timeout))
	require.False(t, info.Nodes[0].Reads)
	require.Equal(t, []string{"services/test/#"}, r.TopicFilters())
	require.Equal(t, "A7", r.machine(t).read("Fixed").Value.Value())
	require.NoError(t, r.Shutdown(context.Background()))
	require.NotContains(t, r.log.String(), "level=WARN")
}

// TestOPCUAServerFails: what cannot be opened is an error that says where, and leaves nothing.
func TestOPCUAServerFails(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	_, port, err := net.SplitHostPort(busy.Addr().String())
	require.NoError(t, err)
	for want, change := range map[string]func(*Settings){
		"test.yaml:6:3: listen tcp 127.0.0.1:" + port: func(s *Settings) { s.OPCUA = "" },
		"--opcua: listen tcp 127.0.0.1:" + port:       func(s *Settings) { s.OPCUA = busy.Addr().String() },
		"State is missing":                            func(*Settings) {},
	} {
		head := strings.Replace(opcuaHead, "securityModes: [None]", "port: "+port, 1)
		s := settings(&logBuffer{})
		change(&s)
		_, err := Open(context.Background(), load(t, httpHead+head), s)
		require.ErrorContains(t, err, want)
	}
	r := open(t, opcuaHead)
	r.doors[1].listener.Close()
	require.ErrorContains(t, receive(t, r.Failed()), "OPC UA server on")
}
