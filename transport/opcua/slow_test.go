package opcua_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// Responders that take their time, and clients that do.

// works is a tree with a node of each kind, below the Object Works. Each transaction's responder
// is a channel of requests.
type works struct {
	*house
	requests map[string]chan *mem.Request // by browse name
	marked   chan *mem.Request            // of Do
	received atomic.Int64                 // values that Note was given
}

func buildWorks(t *testing.T) *works {
	w := &works{requests: map[string]chan *mem.Request{}}
	w.house = build(t, func(h *house, o *opcua.Options) {
		o.Root = &opcua.Node{Class: opcua.Object, BrowseName: "Works", Children: w.children(h)}
	})
	for name, requests := range w.requests {
		w.respond(&opcua.Node{BrowseName: name}, func(r *mem.Request) { requests <- r })
	}
	w.marked = w.requests["Do"]
	return w
}

func (w *works) children(h *house) []*opcua.Node {
	scalar := func(name string) opcua.DataType { return typeOf(h.t, name) }
	list, err := opcua.ParseDataType("Int32", 1)
	require.NoError(h.t, err)
	held := func(n *opcua.Node, reads bool) *opcua.Node {
		n.Transaction = h.transaction(n, core.NodeOptions{})
		n.Transaction.Read = reads
		w.requests[n.BrowseName] = make(chan *mem.Request, 64)
		return n
	}
	return []*opcua.Node{
		held(&opcua.Node{Class: opcua.Variable, BrowseName: "Speed", DataType: scalar("Double"), Initial: []byte("1.5")}, false),
		held(&opcua.Node{Class: opcua.Variable, BrowseName: "List", DataType: list, Initial: []byte("[1,2,3]")}, false),
		held(&opcua.Node{Class: opcua.Variable, BrowseName: "Live", DataType: list}, true),
		{Class: opcua.Variable, BrowseName: "Fixed", DataType: scalar("Double"), Initial: []byte("2.5")},
		{Class: opcua.Variable, BrowseName: "Note", DataType: scalar("String"), Receive: func([]byte) error {
			w.received.Add(1)
			return nil
		}},
		held(&opcua.Node{
			Class: opcua.Method, BrowseName: "Start",
			Inputs:  []opcua.Argument{{Name: "order", DataType: scalar("String")}, {Name: "count", DataType: scalar("Int32")}},
			Outputs: []opcua.Argument{{Name: "id", DataType: scalar("Int64")}, {Name: "ok", DataType: scalar("Boolean")}},
		}, false),
		held(&opcua.Node{Class: opcua.Method, BrowseName: "One", Outputs: []opcua.Argument{{Name: "v", DataType: scalar("String")}}}, false),
		held(&opcua.Node{Class: opcua.Method, BrowseName: "Do"}, false),
	}
}

// at is the id of a node below Works.
func at(name string) *ua.NodeID { return ua.NewStringNodeID(1, "Works."+name) }

func write(name string, v any) *ua.WriteRequest {
	return &ua.WriteRequest{NodesToWrite: []*ua.WriteValue{{NodeID: at(name), AttributeID: ua.AttributeIDValue, Value: written(v)}}}
}

func read(name, indexRange string) *ua.ReadRequest {
	return &ua.ReadRequest{TimestampsToReturn: ua.TimestampsToReturnNeither, NodesToRead: []*ua.ReadValueID{{
		NodeID: at(name), AttributeID: ua.AttributeIDValue, IndexRange: indexRange, DataEncoding: &ua.QualifiedName{},
	}}}
}

// inbox are the responses that nobody waits for.
type inbox chan rawclient.Response

func (w *works) loginInbox() (*rawclient.Client, inbox) {
	in := make(inbox, 64)
	c := w.login(func(r rawclient.Response) { // the body is ours only during the call
		r.Body = append([]byte(nil), r.Body...)
		in <- r
	})
	return c, in
}

// send sends a request and waits until its transaction has reached the responder.
func (w *works) send(c *rawclient.Client, request ua.Request, node string) (id uint32, r *mem.Request) {
	w.t.Helper()
	id, err := c.Send(request)
	require.NoError(w.t, err)
	return id, next(w.house, w.requests[node], "a request of "+node)
}

// fault takes the next response, which must be a fault.
func (w *works) fault(in inbox, id uint32, status ua.StatusCode) {
	w.t.Helper()
	r := next(w.house, in, "a fault")
	response, err := r.Decode()
	require.IsType(w.t, &ua.ServiceFault{}, response)
	require.ErrorIs(w.t, err, status)
	require.Equal(w.t, id, r.ID)
}

// idle waits until the engine holds nothing.
func (w *works) idle() {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.engine.Held() == 0 }, patience, time.Millisecond, "something is held")
}

func TestCancelEndsWhatHasTheHandle(t *testing.T) {
	w := buildWorks(t)
	c, in := w.loginInbox()
	handled := func(handle uint32) (uint32, *mem.Request) {
		request := call("Works", "Works.One")
		request.SetHeader(&ua.RequestHeader{RequestHandle: handle})
		return w.send(c, request, "One")
	}
	first, _ := handled(7)
	other, request := handled(8)
	second, _ := handled(7)
	require.Zero(t, ask[*ua.CancelResponse](w.house, c, &ua.CancelRequest{RequestHandle: 9}).CancelCount)
	require.EqualValues(t, 2, ask[*ua.CancelResponse](w.house, c, &ua.CancelRequest{RequestHandle: 7}).CancelCount)
	ended := map[uint32]bool{}
	for range 2 {
		r := next(w.house, in, "a fault")
		_, err := r.Decode()
		require.ErrorIs(t, err, ua.StatusBadRequestCancelledByClient)
		ended[r.ID] = true
	}
	require.Equal(t, map[uint32]bool{first: true, second: true}, ended)
	require.Zero(t, ask[*ua.CancelResponse](w.house, c, &ua.CancelRequest{RequestHandle: 7}).CancelCount)
	require.NoError(t, request.Answer([]byte(`"late but welcome"`)))
	r := next(w.house, in, "the other response")
	response, err := r.Decode()
	require.NoError(t, err)
	require.Equal(t, other, r.ID)
	require.Equal(t, "late but welcome", response.(*ua.CallResponse).Results[0].OutputArguments[0].Value())
	w.idle()
}

func TestCancelDoesNotReachOtherSessions(t *testing.T) {
	w := buildWorks(t)
	c, in := w.loginInbox()
	stranger := w.login(nil)
	id, request := w.send(c, write("Speed", 3.5), "Speed")
	require.Zero(t, ask[*ua.CancelResponse](w.house, stranger, &ua.CancelRequest{RequestHandle: id}).CancelCount)
	require.NoError(t, request.Answer(nil))
	_, err := next(w.house, in, "the response").Decode()
	require.NoError(t, err)
}

func TestCloseSessionEndsWhatIsHeld(t *testing.T) {
	w := buildWorks(t)
	c, in := w.loginInbox()
	ids := map[uint32]bool{}
	for _, node := range []string{"One", "Speed", "Live"} {
		request := map[string]ua.Request{"One": call("Works", "Works.One"), "Speed": write("Speed", 1.0), "Live": read("Live", "")}[node]
		id, _ := w.send(c, request, node)
		ids[id] = true
	}
	require.NoError(t, c.CloseSession(w.ctx, true))
	for range 3 {
		r := next(w.house, in, "a fault")
		_, err := r.Decode()
		require.ErrorIs(t, err, ua.StatusBadSessionClosed)
		require.True(t, ids[r.ID])
		delete(ids, r.ID)
	}
	w.idle()
}

func TestLostConnectionsCancelWhatIsHeld(t *testing.T) {
	for name, end := range map[string]func(*rawclient.Client){
		"FIN": (*rawclient.Client).Abort, "RST": (*rawclient.Client).Reset, "CLO": (*rawclient.Client).Close,
		"FIN of the client's half": func(c *rawclient.Client) { _ = c.Conn().(*net.TCPConn).CloseWrite() },
		"a message that is none":   func(c *rawclient.Client) { _ = c.WriteRaw([]byte("GET / HTTP/1.1\r\n\r\n")) },
	} {
		t.Run(name, func(t *testing.T) {
			w := buildWorks(t)
			c, _ := w.loginInbox()
			w.send(c, call("Works", "Works.One"), "One")
			w.send(c, write("Speed", 1.0), "Speed")
			start := time.Now()
			end(c)
			w.idle()
			require.Less(t, time.Since(start), time.Second)
		})
	}
}

func TestShutdownEndsWhatIsHeld(t *testing.T) {
	w := buildWorks(t)
	c, in := w.loginInbox()
	w.send(c, call("Works", "Works.One"), "One")
	require.NoError(t, w.engine.Close())
	response, err := next(w.house, in, "the response").Decode()
	require.NoError(t, err)
	require.Equal(t, ua.StatusBadShutdown, response.(*ua.CallResponse).Results[0].StatusCode)
	require.Equal(t, []ua.StatusCode{ua.StatusBadShutdown}, ask[*ua.WriteResponse](w.house, c, write("Speed", 1.0)).Results)
	ask[*ua.ReadResponse](w.house, c, readState())
}

func TestDrainRefusesNewOnes(t *testing.T) {
	w := buildWorks(t)
	c, in := w.loginInbox()
	_, request := w.send(c, call("Works", "Works.One"), "One")
	drained := make(chan error, 1)
	go func() { drained <- w.engine.Drain(w.ctx) }()
	require.Eventually(t, func() bool {
		return ask[*ua.WriteResponse](w.house, c, write("Speed", 1.0)).Results[0] == ua.StatusBadShutdown
	}, patience, time.Millisecond)
	require.NoError(t, request.Answer([]byte(`"still"`)))
	response, err := next(w.house, in, "the response").Decode()
	require.NoError(t, err)
	require.Equal(t, "still", response.(*ua.CallResponse).Results[0].OutputArguments[0].Value())
	require.NoError(t, next(w.house, drained, "the end of draining"))
}

// A client that says how long it waits is answered before that, and the responder knows.
func TestTimeoutHint(t *testing.T) {
	w := buildWorks(t)
	c := w.login(nil)
	for _, hint := range []struct{ client, responder uint32 }{{200, 180}, {1000, 950}} {
		inTime := false
		for range 5 { // the machine may be busy with something else
			request := call("Works", "Works.One")
			request.SetHeader(&ua.RequestHeader{TimeoutHint: hint.client})
			start := time.Now()
			result := ask[*ua.CallResponse](w.house, c, request).Results[0]
			elapsed := time.Since(start)
			require.Equal(t, ua.StatusBadTimeout, result.StatusCode)
			told := next(w.house, w.requests["One"], "the request").Properties
			require.Contains(t, told, core.Property{Name: "flowsync-timeout-ms", Value: fmt.Sprint(hint.responder)})
			require.GreaterOrEqual(t, elapsed, time.Duration(hint.responder)*time.Millisecond)
			if inTime = elapsed < time.Duration(hint.client)*time.Millisecond; inTime {
				break
			}
		}
		require.True(t, inTime, "never answered before %d ms", hint.client)
	}
	short := call("Works", "Works.One") // shorter than any answer takes
	short.SetHeader(&ua.RequestHeader{TimeoutHint: 1})
	status := ask[*ua.CallResponse](w.house, c, short).Results[0].StatusCode
	require.Contains(t, []ua.StatusCode{ua.StatusBadTimeout, ua.StatusBadNotConnected}, status)
}

// Each item of a request has an end of its own; the response waits for the last one.
func TestItemsWithDifferentEnds(t *testing.T) {
	w := buildWorks(t)
	c, in := w.loginInbox()
	one := call("Works", "Works.One").MethodsToCall[0]
	request := &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{
		one, one, call("Works", "Works.None").MethodsToCall[0], one, one,
		call("Works", "Works.Start", "4711", int32(3)).MethodsToCall[0], call("Works", "Works.Start", "4711").MethodsToCall[0],
	}}
	_, err := c.Send(request)
	require.NoError(t, err)
	var held [4]*mem.Request
	for i := range held {
		held[i] = next(w.house, w.requests["One"], "a request")
	}
	start := next(w.house, w.requests["Start"], "a request")
	require.JSONEq(t, `{"order":"4711","count":3}`, string(start.Value))
	require.NoError(t, held[3].Answer([]byte(`{"v":"fourth"}`)))
	require.NoError(t, start.Answer([]byte(`{"ok":true,"id":"12"}`)))
	require.NoError(t, held[0].Answer([]byte(`"first"`)))
	require.NoError(t, held[1].Fail(int64(int32(-2136604672)), "the door is open")) // 0x80a60000
	require.NoError(t, held[2].Send([]byte(`{"id":"`+held[2].ID.String()+`"}`)))
	response, err := next(w.house, in, "the response").Decode()
	require.NoError(t, err)
	var got []any
	for _, r := range response.(*ua.CallResponse).Results {
		got = append(got, r.StatusCode)
		for _, v := range r.OutputArguments {
			got = append(got, v.Value())
		}
	}
	require.Equal(t, []any{
		ua.StatusOK, "first", ua.StatusCode(0x80a60000), ua.StatusBadMethodInvalid, ua.StatusBadUnknownResponse,
		ua.StatusOK, "fourth", ua.StatusOK, int64(12), true, ua.StatusBadArgumentsMissing,
	}, got)
}

// A session that is taken up over another channel loses what it held over the old one.
func TestReboundSession(t *testing.T) {
	w := buildWorks(t)
	old, in := w.loginInbox()
	session, err := old.CreateSession(w.ctx, time.Minute)
	require.NoError(t, err)
	require.NoError(t, old.Activate(w.ctx, session, rawclient.Identity{}))
	id, request := w.send(old, call("Works", "Works.One"), "One")

	fresh, freshIn := w.loginInbox()
	require.NoError(t, fresh.Activate(w.ctx, session, rawclient.Identity{}))
	w.fault(in, id, ua.StatusBadSecureChannelClosed)
	w.idle()
	require.NoError(t, request.Answer([]byte(`"late"`)))
	_, err = old.Do(w.ctx, readState())
	require.ErrorIs(t, err, ua.StatusBadSecureChannelIDInvalid)

	_, request = w.send(fresh, call("Works", "Works.One"), "One")
	old.Abort() // does not concern the new one
	require.NoError(t, request.Answer([]byte(`"in time"`)))
	response, err := next(w.house, freshIn, "the response").Decode()
	require.NoError(t, err)
	require.Equal(t, "in time", response.(*ua.CallResponse).Results[0].OutputArguments[0].Value())
}

// value reads what a Variable holds.
func (w *works) value(c *rawclient.Client, name string) any {
	w.t.Helper()
	v := ask[*ua.ReadResponse](w.house, c, read(name, "")).Results[0]
	require.Equal(w.t, ua.StatusOK, v.Status)
	return v.Value.Value()
}

// Of two Writes at a time the one that began last holds, whichever is answered first, unless it
// fails.
func TestConcurrentWrites(t *testing.T) {
	answer := func(r *mem.Request) error { return r.Answer(nil) }
	fail := func(r *mem.Request) error { return r.Fail(0, "no") }
	for name, c := range map[string]struct {
		first, last func(*mem.Request) error
		inOrder     bool
		want        float64
	}{
		"both answered, in order":               {answer, answer, true, 20},
		"both answered, the first one last":     {answer, answer, false, 20},
		"the last one fails, in order":          {answer, fail, true, 10},
		"the last one fails, before the first":  {answer, fail, false, 10},
		"the first one fails":                   {fail, answer, true, 20},
		"both fail, so that the old one stands": {fail, fail, false, 1.5},
	} {
		t.Run(name, func(t *testing.T) {
			w := buildWorks(t)
			one, oneIn := w.loginInbox()
			two, twoIn := w.loginInbox()
			_, first := w.send(one, write("Speed", 10.0), "Speed")
			_, last := w.send(two, write("Speed", 20.0), "Speed")
			ends := []func(){
				func() { require.NoError(t, c.first(first)); next(w.house, oneIn, "a response") },
				func() { require.NoError(t, c.last(last)); next(w.house, twoIn, "a response") },
			}
			if !c.inOrder {
				ends[0], ends[1] = ends[1], ends[0]
			}
			ends[0]()
			ends[1]()
			require.Equal(t, c.want, w.value(one, "Speed"))
		})
	}
}

func TestWhatAWriteIsAnsweredWith(t *testing.T) {
	w := buildWorks(t)
	c, in := w.loginInbox()
	for _, a := range []struct {
		name, answer string
		status       ua.StatusCode
		holds        float64
	}{
		{"another value", `"value":7.25`, ua.StatusOK, 7.25},
		{"null", `"value":null`, ua.StatusOK, 30},
		{"what does not fit", `"value":"fast"`, ua.StatusOK, 30},
		{"an array", `"value":[1]`, ua.StatusOK, 30},
		{"out of range", `"value":1e999`, ua.StatusOK, 30},
		{"nothing", `"other":1`, ua.StatusBadUnknownResponse, 1.5},
		{"an error without code", `"error":"no"`, ua.StatusBadUnknownResponse, 1.5},
		{"a number", `"error":{"code":2149974016,"message":"m"}`, 0x80260000, 1.5},
		{"a negative number", `"error":{"code":-2144993280,"message":"m"}`, 0x80260000, 1.5},
		{"a name", `"error":{"code":"BadOutOfService"}`, ua.StatusBadOutOfService, 1.5},
		{"a name as the specification spells it", `"error":{"code":"Bad_OutOfService"}`, ua.StatusBadOutOfService, 1.5},
		{"a name that there is not", `"error":{"code":"BadLuck"}`, ua.StatusBadUnknownResponse, 1.5},
		{"a code that is good", `"error":{"code":0}`, ua.StatusBadUnexpectedError, 1.5},
		{"the name of one that is good", `"error":{"code":"Good"}`, ua.StatusBadUnexpectedError, 1.5},
		{"the code of HTTP", `"error":{"code":404}`, ua.StatusBadUnexpectedError, 1.5},
	} {
		t.Run(a.name, func(t *testing.T) {
			_, reset := w.send(c, write("Speed", 1.5), "Speed")
			require.NoError(t, reset.Answer(nil))
			next(w.house, in, "the response")
			_, r := w.send(c, write("Speed", 30.0), "Speed")
			require.NoError(t, r.Send([]byte(`{"id":"`+r.ID.String()+`",`+a.answer+`}`)))
			response, err := next(w.house, in, "the response").Decode()
			require.NoError(t, err)
			require.Equal(t, []ua.StatusCode{a.status}, response.(*ua.WriteResponse).Results)
			require.Equal(t, a.holds, w.value(c, "Speed"))
		})
	}
}

// A Variable that is configured so asks its responder for each Read.
func TestHeldReads(t *testing.T) {
	w := buildWorks(t)
	c, in := w.loginInbox()
	for _, r := range []struct {
		indexRange, answer string
		status             ua.StatusCode
		value              any
	}{
		{"", `[10,20,30]`, ua.StatusOK, []int32{10, 20, 30}},
		{"1:2", `[10,20,30]`, ua.StatusOK, []int32{20, 30}},
		{"1", `[10,20,30]`, ua.StatusOK, []int32{20}},
		{"7:9", `[10,20,30]`, ua.StatusBadIndexRangeNoData, nil},
		{"", `null`, ua.StatusBadUnknownResponse, nil},
		{"", `"no list"`, ua.StatusBadUnknownResponse, nil},
		{"", `[]`, ua.StatusOK, []int32{}},
	} {
		_, request := w.send(c, read("Live", r.indexRange), "Live")
		require.JSONEq(t, "null", string(request.Value))
		require.NoError(t, request.Answer([]byte(r.answer)))
		response, err := next(w.house, in, "the response").Decode()
		require.NoError(t, err)
		got := response.(*ua.ReadResponse).Results[0]
		require.Equal(t, r.status, got.Status, r)
		require.Equal(t, r.value, got.Value.Value())
	}
	// What is wrong at once does not ask anybody, and other attributes do not.
	require.Equal(t, ua.StatusBadIndexRangeInvalid, ask[*ua.ReadResponse](w.house, c, read("Live", "2:1")).Results[0].Status)
	name := read("Live", "")
	name.NodesToRead[0].AttributeID = ua.AttributeIDBrowseName
	require.Equal(t, ua.StatusOK, ask[*ua.ReadResponse](w.house, c, name).Results[0].Status)
	require.Empty(t, w.requests["Live"])
}

func TestWhatACallIsAnsweredWith(t *testing.T) {
	w := buildWorks(t)
	c, in := w.loginInbox()
	for _, a := range []struct {
		method, answer string
		status         ua.StatusCode
		outputs        []any
	}{
		{"Start", `{"id":"12","ok":true}`, ua.StatusOK, []any{int64(12), true}},
		{"Start", `{"ok":true,"id":"12","more":1}`, ua.StatusOK, []any{int64(12), true}},
		{"Start", `["12",true]`, ua.StatusOK, []any{int64(12), true}},
		{"Start", `{"id":"12"}`, ua.StatusBadUnknownResponse, nil},
		{"Start", `["12"]`, ua.StatusBadUnknownResponse, nil},
		{"Start", `["12",true,1]`, ua.StatusBadUnknownResponse, nil},
		{"Start", `{"id":"12","ok":"yes"}`, ua.StatusBadUnknownResponse, nil},
		{"Start", `"12"`, ua.StatusBadUnknownResponse, nil},
		{"Start", `null`, ua.StatusBadUnknownResponse, nil},
		{"One", `{"v":"a"}`, ua.StatusOK, []any{"a"}},
		{"One", `["a"]`, ua.StatusOK, []any{"a"}},
		{"One", `"a"`, ua.StatusOK, []any{"a"}},
		{"One", `{}`, ua.StatusBadUnknownResponse, nil},
		{"One", `1`, ua.StatusBadUnknownResponse, nil},
		{"Do", `null`, ua.StatusOK, nil},
		{"Do", `{"whatever":[1,2]}`, ua.StatusOK, nil},
	} {
		request := call("Works", "Works."+a.method)
		if a.method == "Start" {
			request = call("Works", "Works.Start", "4711", int32(3))
		}
		_, r := w.send(c, request, a.method)
		require.NoError(t, r.Answer([]byte(a.answer)))
		response, err := next(w.house, in, "the response").Decode()
		require.NoError(t, err)
		got := response.(*ua.CallResponse).Results[0]
		require.Equal(t, a.status, got.StatusCode, "%s answered with %s", a.method, a.answer)
		var outputs []any
		for _, v := range got.OutputArguments {
			outputs = append(outputs, v.Value())
		}
		require.Equal(t, a.outputs, outputs)
	}
}

// deaf is a client with a small receive buffer that takes no more responses once stop was called,
// until read is.
func (h *house) deaf() (c *rawclient.Client, stop, read func()) {
	h.t.Helper()
	var stopped atomic.Bool
	free := make(chan struct{})
	c, err := rawclient.Dial(h.ctx, rawclient.Options{
		Endpoint:      h.address,
		ReceiveBuffer: 8192,
		Connect: func(context.Context) (net.Conn, error) {
			conn := h.dial()
			return conn, conn.SetReadBuffer(8192)
		},
		Deliver: func(rawclient.Response) {
			if stopped.Load() {
				<-free
			}
		},
	})
	require.NoError(h.t, err)
	h.t.Cleanup(c.Abort)
	read = sync.OnceFunc(func() { close(free) })
	h.t.Cleanup(read)
	return c, func() { stopped.Store(true) }, read
}

// 2 000 Calls are answered with 10 kB each to a client that does not read: it is cut off after the
// write deadline, and nobody else waits.
func TestReaderThatStopsIsCutOff(t *testing.T) {
	var method *opcua.Node
	h := build(t, func(h *house, o *opcua.Options) {
		method = echo(h, o)
		o.WriteTimeout = 300 * time.Millisecond
	})
	requests := h.held(method)
	h.unharmed(func(h *house) {
		const n = 2000
		c, stop, _ := h.deaf()
		_, err := c.Login(h.ctx, rawclient.Identity{}, time.Minute)
		require.NoError(h.t, err)
		stop()
		held := make([]*mem.Request, n)
		for i := range held {
			_, err := c.Send(call("Press", "Press.Ask", fmt.Sprint(i)))
			require.NoError(h.t, err)
		}
		for i := range held {
			held[i] = next(h, requests, "a request")
		}
		answer := []byte(`{"v":"` + strings.Repeat("x", 10_000) + `"}`)
		start := time.Now()
		for _, r := range held[1:] {
			require.NoError(h.t, r.Answer(answer))
		}
		// The first is never answered: it ends with the connection.
		require.Eventually(h.t, func() bool { return h.engine.Held() == 0 }, patience, time.Millisecond)
		require.Less(h.t, time.Since(start), 2*time.Second)
	})
}

// smallBuffers makes the server's sockets hold little of what is not read.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		err = conn.(*net.TCPConn).SetWriteBuffer(8192)
	}
	return conn, err
}

// serveSmall has the server listen at an address with small buffers.
func (h *house) serveSmall() {
	h.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(h.t, err)
	h.address = "opc.tcp://" + ln.Addr().String() + "/UA/Test"
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := h.server.Serve(smallBuffers{ln}); err != nil {
			h.t.Error(err)
		}
	})
	h.t.Cleanup(func() {
		require.NoError(h.t, h.server.Close())
		serving.Wait()
	})
}

// Strangers that ask and ask and read nothing: what waits for them takes little memory, and others
// do not wait for it to be made.
func TestStrangersThatDoNotRead(t *testing.T) {
	h := build(t, func(h *house, o *opcua.Options) { echo(h, o) })
	h.serveSmall()
	h.unharmed(func(h *house) {
		const clients, requests = 30, 2000
		before := heapInUse()
		body, err := h.client(nil).Encode(&ua.GetEndpointsRequest{EndpointURL: "opc.tcp://" + strings.Repeat("x", 2000)})
		require.NoError(h.t, err)
		var asking sync.WaitGroup
		for range clients {
			conn, channel := h.rawChannel()
			require.NoError(h.t, conn.SetReadBuffer(8192))
			asking.Go(func() {
				_ = conn.SetWriteDeadline(time.Now().Add(time.Second)) // it takes no more by then
				for n := range uint32(requests) {
					if _, err := conn.Write(messageFrame(channel, 1, n+2, body)); err != nil {
						return
					}
				}
			})
		}
		asking.Wait()
		most := heapInUse() - before
		h.t.Logf("%d connections of clients that do not read: %d KiB", clients, most>>10)
		require.Less(h.t, most, int64(32<<20))
	})
}

// Cancel and CloseSession again and again while 10 000 Calls are held.
func TestCancelSpam(t *testing.T) {
	const n = 10_000
	var method *opcua.Node
	h := build(t, func(h *house, o *opcua.Options) { method = echo(h, o) })
	requests := h.held(method)
	caller := h.login(nil)
	template, err := caller.NewTemplate(call("Press", "Press.Ask", "4711"))
	require.NoError(t, err)
	for range n {
		_, err := caller.SendTemplate(template, nil)
		require.NoError(t, err)
	}
	for range n {
		next(h, requests, "a request")
	}
	h.unharmed(func(h *house) {
		spammer, stranger := h.login(nil), h.client(nil)
		for i := range uint32(500) {
			require.Zero(h.t, ask[*ua.CancelResponse](h, spammer, &ua.CancelRequest{RequestHandle: i}).CancelCount)
			_, err := stranger.Do(h.ctx, &ua.CancelRequest{RequestHandle: i})
			require.ErrorIs(h.t, err, ua.StatusBadSessionIDInvalid)
			_, err = stranger.Do(h.ctx, &ua.CloseSessionRequest{DeleteSubscriptions: true})
			require.ErrorIs(h.t, err, ua.StatusBadSessionIDInvalid)
			require.Zero(h.t, ask[*ua.CancelResponse](h, caller, &ua.CancelRequest{RequestHandle: math.MaxUint32}).CancelCount)
		}
		for range 300 {
			c, err := rawclient.Dial(h.ctx, rawclient.Options{Endpoint: h.address})
			require.NoError(h.t, err)
			c.Abort()
		}
		require.Equal(h.t, n, h.engine.Held())
	})
	require.NoError(t, caller.CloseSession(h.ctx, true))
	require.Eventually(t, func() bool { return h.engine.Held() == 0 }, patience, time.Millisecond)
	var status ua.StatusCode
	_, err = caller.Do(h.ctx, readState())
	require.True(t, errors.As(err, &status))
}

// What a client has asked to be told of, over a channel that is gone, it is told over the new one.
func TestPublishAfterRebound(t *testing.T) {
	w := buildWorks(t)
	old := w.client(nil)
	session, err := old.CreateSession(w.ctx, time.Minute)
	require.NoError(t, err)
	require.NoError(t, old.Activate(w.ctx, session, rawclient.Identity{}))
	subscription := ask[*ua.CreateSubscriptionResponse](w.house, old, &ua.CreateSubscriptionRequest{
		RequestedPublishingInterval: 10, RequestedLifetimeCount: 10_000, RequestedMaxKeepAliveCount: 3000, PublishingEnabled: true,
	})
	ask[*ua.PublishResponse](w.house, old, &ua.PublishRequest{}) // the first keep-alive
	for range 4 {                                                // they wait
		_, err := old.Send(&ua.PublishRequest{})
		require.NoError(t, err)
	}
	ask[*ua.ReadResponse](w.house, old, readState()) // the server has all of them
	fresh, in := w.loginInbox()
	require.NoError(t, fresh.Activate(w.ctx, session, rawclient.Identity{}))
	old.Abort()
	_, err = fresh.Send(&ua.PublishRequest{})
	require.NoError(t, err)
	ask[*ua.CreateMonitoredItemsResponse](w.house, fresh, &ua.CreateMonitoredItemsRequest{
		SubscriptionID: subscription.SubscriptionID, ItemsToCreate: []*ua.MonitoredItemCreateRequest{monitored(at("Note"), 0)},
	})
	response, err := next(w.house, in, "the first value").Decode()
	require.NoError(t, err)
	require.Len(t, response.(*ua.PublishResponse).NotificationMessage.NotificationData, 1)
}

// Requests that ask for much more than they are long are refused, or answered in parts.
func TestResponsesAreBounded(t *testing.T) {
	var children []*opcua.Node
	for i := range 2000 {
		children = append(children, &opcua.Node{Class: opcua.Object, BrowseName: fmt.Sprint(i)})
	}
	h := build(t, func(h *house, o *opcua.Options) {
		children = append(children, &opcua.Node{
			Class: opcua.Variable, BrowseName: "Note", DataType: typeOf(t, "String"), Receive: func([]byte) error { return nil },
		})
		o.Root = &opcua.Node{Class: opcua.Object, BrowseName: "Works", Children: children}
	})
	c := h.login(nil)
	long := strings.Repeat("x", 1<<20-100)
	require.Equal(t, []ua.StatusCode{ua.StatusOK}, ask[*ua.WriteResponse](h, c, write("Note", long)).Results)

	reads := read("Note", "")
	reads.NodesToRead = repeated(reads.NodesToRead[0], 100)
	values := ask[*ua.ReadResponse](h, c, reads).Results
	require.Equal(t, long, values[0].Value.Value())
	require.Equal(t, ua.StatusBadResponseTooLarge, values[99].Status)

	results := ask[*ua.BrowseResponse](h, c, &ua.BrowseRequest{
		View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)},
		NodesToBrowse: repeated(&ua.BrowseDescription{
			NodeID: ua.NewStringNodeID(1, "Works"), ReferenceTypeID: ua.NewTwoByteNodeID(0), ResultMask: 63,
		}, 100),
	}).Results
	references, points := 0, 0
	for _, r := range results {
		references += len(r.References)
		if len(r.ContinuationPoint) > 0 {
			points++
		}
		require.Truef(t, len(r.References) > 2000 || len(r.ContinuationPoint) > 0 || r.StatusCode == ua.StatusBadNoContinuationPoints, "%d: %v", len(r.References), r.StatusCode)
	}
	require.LessOrEqual(t, references, 10_100)
	require.Equal(t, 10, points)

	subscription := ask[*ua.CreateSubscriptionResponse](h, c, &ua.CreateSubscriptionRequest{
		RequestedPublishingInterval: 10, RequestedLifetimeCount: 10_000, RequestedMaxKeepAliveCount: 3000, PublishingEnabled: true,
	})
	const items = 24
	ask[*ua.CreateMonitoredItemsResponse](h, c, &ua.CreateMonitoredItemsRequest{
		SubscriptionID: subscription.SubscriptionID, ItemsToCreate: repeated(monitored(at("Note"), 0), items),
	})
	for got := 0; got < items; {
		response := ask[*ua.PublishResponse](h, c, &ua.PublishRequest{})
		require.NotEmpty(t, response.NotificationMessage.NotificationData)
		got += len(response.NotificationMessage.NotificationData[0].Value.(*ua.DataChangeNotification).MonitoredItems)
	}
}
