package opcua_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/core/idempotency"
	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// shop is a house whose Method Order has keys, with a real table of them.
type shop struct {
	*house
	requests chan *mem.Request
}

func openShop(t *testing.T, timeout time.Duration) *shop {
	t.Helper()
	s := &shop{requests: make(chan *mem.Request, 64)}
	var engine *core.Engine
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	s.house = build(t, func(h *house, o *opcua.Options) {
		table, err := idempotency.New(idempotency.Options{Logger: quiet()})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, table.Close()) })
		bus, err := mem.New(mem.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, bus.Close()) })
		engine, err = core.New(table.Bus(bus), core.Options{Observer: table})
		require.NoError(t, err)
		table.Use(engine)
		method := &opcua.Node{Class: opcua.Method, BrowseName: "Order",
			Inputs:  []opcua.Argument{{Name: "idempotencyKey", DataType: typeOf(t, "String")}, {Name: "count", DataType: typeOf(t, "Int32")}},
			Outputs: []opcua.Argument{{Name: "no", DataType: typeOf(t, "Int32")}},
		}
		n, err := engine.AddNode(core.NodeOptions{Name: "order", Topic: "order", Timeout: timeout, Inspect: table.Inspect(nil, opcua.Inspect(method))})
		require.NoError(t, err)
		require.NoError(t, table.AddNode(n, idempotency.NodeOptions{Protocol: opcua.Inspect(method)}))
		_, err = bus.Respond("order", func(r *mem.Request) { s.requests <- r })
		require.NoError(t, err)
		method.Transaction = &opcua.Transaction{Node: n, Keys: true}
		o.Engine = table
		o.Login = func(_, password string) bool { return password == "secret" }
		o.Root = &opcua.Node{Class: opcua.Object, BrowseName: "Works", Children: []*opcua.Node{method}}
	})
	return s
}

// order is a Call whose diagnostics are asked for.
func order(key string, count int) *ua.CallRequest {
	request := call("Works", "Works.Order", key, int32(count))
	request.SetHeader(&ua.RequestHeader{ReturnDiagnostics: ua.OperationLevelSymbolicID | ua.OperationLevelAdditionalInfo})
	return request
}

// ordered is what a Call ended with.
func (s *shop) ordered(response ua.Response) (status ua.StatusCode, output any, info string) {
	r, ok := response.(*ua.CallResponse)
	require.True(s.t, ok, "%T", response)
	if outputs := r.Results[0].OutputArguments; len(outputs) > 0 {
		output = outputs[0].Value()
	}
	if len(r.DiagnosticInfos) > 0 {
		info = r.DiagnosticInfos[0].AdditionalInfo
	}
	return r.Results[0].StatusCode, output, info
}

// What was answered is given again, also to another session of the same user, and is carried out once
// for each user.
func TestOrderIsSentAgain(t *testing.T) {
	s := openShop(t, time.Minute)
	in := make(inbox, 2)
	deliver := func(r rawclient.Response) {
		r.Body = append([]byte(nil), r.Body...)
		in <- r
	}
	for range 2 { // the second joins
		_, err := s.login(deliver).Send(order("a", 7))
		require.NoError(t, err)
	}
	r := next(s.house, s.requests, "the request")
	require.JSONEq(t, `{"idempotencyKey":"a","count":7}`, string(r.Value))
	require.NoError(t, r.Answer([]byte(`{"no":1}`)))
	c := s.login(nil)
	var responses []ua.Response
	for range 2 {
		response, err := next(s.house, in, "a response").Decode()
		require.NoError(t, err)
		responses = append(responses, response)
	}
	for _, response := range append(responses, ask[*ua.CallResponse](s.house, c, order("a", 7))) {
		status, output, _ := s.ordered(response)
		require.Equal(t, ua.StatusOK, status)
		require.Equal(t, int32(1), output)
	}
	status, _, info := s.ordered(ask[*ua.CallResponse](s.house, c, order("a", 8)))
	require.Equal(t, ua.StatusBadEntryExists, status)
	require.True(t, strings.HasPrefix(info, "idempotency_conflict (retrySafe false"), info)
	require.Empty(t, s.requests, "it was published once")

	bob := s.client(nil)
	_, err := bob.Login(s.ctx, rawclient.Identity{User: "bob", Password: "secret"}, time.Minute)
	require.NoError(t, err)
	_, err = bob.Send(order("a", 8)) // bob's key is another one
	require.NoError(t, err)
	require.NoError(t, next(s.house, s.requests, "bob's request").Answer([]byte(`{"no":2}`)))
}

// What was published and not answered is in doubt until the late answer comes.
func TestOrderInDoubt(t *testing.T) {
	s := openShop(t, 100*time.Millisecond)
	c := s.login(nil)
	for _, doubt := range []bool{false, true} {
		status, _, info := s.ordered(ask[*ua.CallResponse](s.house, c, order("a", 7)))
		require.Equal(t, ua.StatusBadTimeout, status)
		require.True(t, strings.HasPrefix(info, "timeout (id "), info)
		require.Contains(t, info, "retrySafe false")
		require.Equal(t, doubt, strings.Contains(info, "inDoubt true"), info)
	}
	r := next(s.house, s.requests, "the request")
	require.NoError(t, r.Fail(0x803C0000, "sold"))
	require.Eventually(t, func() bool {
		status, _, info := s.ordered(ask[*ua.CallResponse](s.house, c, order("a", 7)))
		return status == ua.StatusBadOutOfRange && strings.Contains(info, "replayed true")
	}, patience, time.Millisecond)
	require.Empty(t, s.requests, "it was published once")
}

// The end of a session, and Cancel, end what it has joined, and nothing of others.
func TestOrdererLeaves(t *testing.T) {
	s := openShop(t, time.Minute)
	in := make(inbox, 4)
	deliver := func(r rawclient.Response) {
		r.Body = append([]byte(nil), r.Body...)
		in <- r
	}
	first, second := s.login(deliver), s.login(deliver)
	id, err := first.Send(order("a", 7))
	require.NoError(t, err)
	r := next(s.house, s.requests, "the request")
	_, err = second.Send(order("a", 7))
	require.NoError(t, err)
	ask[*ua.ReadResponse](s.house, second, readState()) // it has joined
	require.EqualValues(t, 1, ask[*ua.CancelResponse](s.house, first, &ua.CancelRequest{RequestHandle: id}).CancelCount)
	_, err = next(s.house, in, "the fault").Decode()
	require.ErrorIs(t, err, ua.StatusBadRequestCancelledByClient)
	require.NoError(t, r.Answer([]byte(`{"no":1}`)))
	response, err := next(s.house, in, "the response").Decode()
	require.NoError(t, err)
	status, output, _ := s.ordered(response)
	require.Equal(t, ua.StatusOK, status)
	require.Equal(t, int32(1), output)
}
