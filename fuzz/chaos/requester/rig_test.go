package requester_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/requester"
	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is who asks, and what was recorded.
type rig struct {
	options requester.Options
	history *history.History
	tally   requester.Tally

	mu   sync.Mutex // guards what follows
	lost []string
}

func newRig(endpoint, address string) *rig {
	r := &rig{history: history.New(0)}
	r.history.Life(history.Life{Number: 1})
	r.options = requester.Options{
		History: r.history, Life: func() uint32 { return 1 }, Tally: &r.tally, Patience: 20 * time.Second,
		Endpoint: endpoint, Host: address,
		Connect: func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", address) },
		Lost: func(what string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.lost = append(r.lost, what)
		},
	}
	return r
}

// check returns the rules that the history breaks. Nobody has recorded what was published.
func (r *rig) check(nodes []requester.Node) (rules []string) {
	o := history.Options{Blind: true}
	for i := range nodes {
		o.Nodes = append(o.Nodes, nodes[i].Checked("plant"))
	}
	for _, v := range history.Check(r.history, o) {
		rules = append(rules, v.Rule+": "+v.Detail)
	}
	return rules
}

// of are the ends of one door, by word.
func (r *rig) of(door string) map[string]uint64 {
	ends := map[string]uint64{}
	for end, n := range r.tally.Ends() {
		if end.Door == door {
			ends[end.Word] += n
		}
	}
	return ends
}

// line hands out these requests and no more.
func line(all ...requester.Request) <-chan requester.Request {
	c := make(chan requester.Request, len(all))
	for _, q := range all {
		c <- q
	}
	close(c)
	return c
}

// opcuaServer starts a flowsync with the Methods Press.Call and Press.Quick, and the Variable Press.Text.
func opcuaServer(t *testing.T, respond func(*mem.Request)) (endpoint string) {
	t.Helper()
	bus, err := mem.New(mem.Options{})
	require.NoError(t, err)
	engine, err := core.New(bus, core.Options{})
	require.NoError(t, err)
	text, err := opcua.ParseDataType("String", -1)
	require.NoError(t, err)
	arguments := func(names string) (all []opcua.Argument) {
		for name := range strings.SplitSeq(names, " ") {
			all = append(all, opcua.Argument{Name: name, DataType: text})
		}
		return all
	}
	nodes := []*opcua.Node{
		{Class: opcua.Method, BrowseName: "Call", Inputs: arguments("marker"), Outputs: arguments("marker pad again")},
		{Class: opcua.Method, BrowseName: "Quick", Inputs: arguments("marker"), Outputs: arguments("marker pad again")},
		{Class: opcua.Method, BrowseName: "Keyed", Inputs: arguments("marker idempotencyKey"), Outputs: arguments("marker pad again")},
		{Class: opcua.Variable, BrowseName: "Text", DataType: text},
	}
	for _, n := range nodes {
		timeout := 20 * time.Second
		if n.BrowseName == "Quick" {
			timeout = 30 * time.Millisecond
		}
		node, err := engine.AddNode(core.NodeOptions{Name: n.BrowseName, Topic: "plant/" + n.BrowseName, Timeout: timeout, Inspect: opcua.Inspect(n)})
		require.NoError(t, err)
		n.Transaction = &opcua.Transaction{Node: node}
		_, err = bus.Respond("plant/"+n.BrowseName, respond)
		require.NoError(t, err)
	}
	server, err := opcua.New(opcua.Options{
		Engine: engine, Anonymous: true, Path: "/UA/Plant", Hosts: []string{"127.0.0.1"}, Logger: slog.New(slog.DiscardHandler),
		Security: []opcua.Security{{Policy: "None", Mode: "None"}},
		Root:     &opcua.Node{Class: opcua.Object, BrowseName: "Press", Children: nodes},
	})
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		<-served
		require.NoError(t, engine.Close())
		require.NoError(t, bus.Close())
	})
	return "opc.tcp://" + listener.Addr().String() + "/UA/Plant"
}
