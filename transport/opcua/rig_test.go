package opcua_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// house is an engine with a bus of Go functions, and a server on a port of its own.
type house struct {
	t       *testing.T
	ctx     context.Context
	bus     *mem.Bus
	engine  *core.Engine
	server  *opcua.Server
	address string
}

// build starts a house. prepare makes the tree; what it leaves unset in the options is filled in.
func build(t *testing.T, prepare func(*house, *opcua.Options)) *house {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	h := &house{t: t, ctx: ctx}
	var err error
	h.bus, err = mem.New(mem.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.bus.Close()) })
	h.engine, err = core.New(h.bus, core.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.engine.Close()) })
	options := opcua.Options{
		Engine: h.engine, Path: "/UA/Test", Anonymous: true,
		Security: []opcua.Security{{Policy: "None", Mode: "None"}}, Logger: quiet(),
	}
	prepare(h, &options)
	h.server, err = opcua.New(options)
	require.NoError(t, err)
	ln := listen(t)
	h.address = "opc.tcp://" + ln.Addr().String() + "/UA/Test"
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := h.server.Serve(ln); err != nil && !errors.Is(err, opcua.ErrClosed) { // a short test may end first
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		require.NoError(t, h.server.Close())
		serving.Wait()
	})
	return h
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return ln
}

// transaction makes a node's transaction.
func (h *house) transaction(n *opcua.Node, o core.NodeOptions) *opcua.Transaction {
	h.t.Helper()
	o.Name, o.Topic = n.BrowseName, "house/"+n.BrowseName
	if o.Timeout == 0 {
		o.Timeout = 3 * patience // the test ends it otherwise
	}
	o.Inspect = opcua.Inspect(n)
	node, err := h.engine.AddNode(o)
	require.NoError(h.t, err)
	return &opcua.Transaction{Node: node}
}

// respond makes f the responder of a node.
func (h *house) respond(n *opcua.Node, f func(*mem.Request)) {
	h.t.Helper()
	_, err := h.bus.Respond("house/"+n.BrowseName, f)
	require.NoError(h.t, err)
}

// held makes the responder of a node a channel of requests.
func (h *house) held(n *opcua.Node) chan *mem.Request {
	requests := make(chan *mem.Request, 16_384)
	h.respond(n, func(r *mem.Request) { requests <- r })
	return requests
}

// client connects without logging in.
func (h *house) client(deliver func(rawclient.Response)) *rawclient.Client {
	h.t.Helper()
	c, err := rawclient.Dial(h.ctx, rawclient.Options{Endpoint: h.address, Deliver: deliver})
	require.NoError(h.t, err)
	h.t.Cleanup(c.Close)
	return c
}

// login connects and logs in, nameless.
func (h *house) login(deliver func(rawclient.Response)) *rawclient.Client {
	h.t.Helper()
	c := h.client(deliver)
	_, err := c.Login(h.ctx, rawclient.Identity{}, time.Minute)
	require.NoError(h.t, err)
	return c
}

func typeOf(t *testing.T, name string) opcua.DataType {
	t.Helper()
	typ, err := opcua.ParseDataType(name, -1)
	require.NoError(t, err)
	return typ
}

// echo is a tree of one Method, Press.Ask(v String) -> v String.
func echo(h *house, o *opcua.Options) *opcua.Node {
	text := typeOf(h.t, "String")
	ask := &opcua.Node{
		Class: opcua.Method, BrowseName: "Ask",
		Inputs:  []opcua.Argument{{Name: "v", DataType: text}},
		Outputs: []opcua.Argument{{Name: "v", DataType: text}},
	}
	ask.Transaction = h.transaction(ask, core.NodeOptions{})
	o.Root = &opcua.Node{Class: opcua.Object, BrowseName: "Press", Children: []*opcua.Node{ask}}
	return ask
}

func call(object, method string, arguments ...any) *ua.CallRequest {
	c := &ua.CallMethodRequest{ObjectID: ua.NewStringNodeID(1, object), MethodID: ua.NewStringNodeID(1, method)}
	for _, a := range arguments {
		c.InputArguments = append(c.InputArguments, ua.MustVariant(a))
	}
	return &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{c}}
}

// ask does a request and returns its response, which must be of the type R.
func ask[R ua.Response](h *house, c *rawclient.Client, request ua.Request) R {
	h.t.Helper()
	response, err := c.Do(h.ctx, request)
	require.NoError(h.t, err)
	typed, ok := response.(R)
	require.Truef(h.t, ok, "%T: %v", response, response.Header().ServiceResult)
	return typed
}

// next takes what must come.
func next[T any](h *house, from <-chan T, what string) T {
	h.t.Helper()
	select {
	case v := <-from:
		return v
	case <-h.ctx.Done():
		require.FailNow(h.t, "nothing came", what)
		panic("unreachable")
	}
}
