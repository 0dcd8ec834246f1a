package load

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

const opcuaPatience = 20 * time.Second

// opcuaTypes are all types that can carry a number.
var opcuaTypes = []string{"String", "Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float", "Double"}

// opcuaServer starts a flowsync with a Method Press.All, that has an argument of each type each way;
// Press.Ask(order String, n Int32) → (allowed Boolean, order String, list Int32[]); Press.Tell(at
// DateTime); Press.Nothing(); and the Variables Press.Recipe (String) and Press.List (Int32[]).
func opcuaServer(t *testing.T, respond func(*mem.Request), change func(*opcua.Options)) (url string) {
	t.Helper()
	return opcuaServerWithin(t, opcuaPatience, respond, change)
}

// opcuaServerWithin is one whose transactions time out.
func opcuaServerWithin(t *testing.T, timeout time.Duration, respond func(*mem.Request), change func(*opcua.Options)) (url string) {
	t.Helper()
	bus, err := mem.New(mem.Options{})
	require.NoError(t, err)
	engine, err := core.New(bus, core.Options{})
	require.NoError(t, err)
	kind := func(name string, rank int) opcua.DataType {
		typ, err := opcua.ParseDataType(name, rank)
		require.NoError(t, err)
		return typ
	}
	var all []opcua.Argument
	for _, name := range opcuaTypes {
		all = append(all, opcua.Argument{Name: strings.ToLower(name), DataType: kind(name, -1)})
	}
	order := opcua.Argument{Name: "order", DataType: kind("String", -1)}
	nodes := []*opcua.Node{
		{Class: opcua.Method, BrowseName: "All", Inputs: all, Outputs: all},
		{
			Class: opcua.Method, BrowseName: "Ask", Inputs: []opcua.Argument{order, {Name: "n", DataType: kind("Int32", -1)}},
			Outputs: []opcua.Argument{{Name: "allowed", DataType: kind("Boolean", -1)}, order, {Name: "list", DataType: kind("Int32", 1)}},
		},
		{Class: opcua.Method, BrowseName: "Tell", Inputs: []opcua.Argument{{Name: "at", DataType: kind("DateTime", -1)}}},
		{Class: opcua.Method, BrowseName: "Nothing"},
		{Class: opcua.Variable, BrowseName: "Recipe", DataType: kind("String", -1)},
		{Class: opcua.Variable, BrowseName: "List", DataType: kind("Int32", 1)},
	}
	for _, n := range nodes {
		node, err := engine.AddNode(core.NodeOptions{Name: n.BrowseName, Topic: "load/" + n.BrowseName, Timeout: timeout, Inspect: opcua.Inspect(n)})
		require.NoError(t, err)
		n.Transaction = &opcua.Transaction{Node: node}
		_, err = bus.Respond("load/"+n.BrowseName, respond)
		require.NoError(t, err)
	}
	o := opcua.Options{
		Engine: engine, Anonymous: true, Path: "/UA/Load", Hosts: []string{"127.0.0.1"}, Logger: slog.New(slog.DiscardHandler),
		Security: []opcua.Security{{Policy: "None", Mode: "None"}},
		Root:     &opcua.Node{Class: opcua.Object, BrowseName: "Press", Children: nodes},
	}
	if change != nil {
		change(&o)
	}
	server, err := opcua.New(o)
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
	return "opc.tcp://" + listener.Addr().String() + "/UA/Load"
}

// echoOPCUA answers with what it was asked with, and with what else outputs there are.
func echoOPCUA(r *mem.Request) {
	value := r.Value
	if strings.HasPrefix(string(value), `{"order"`) {
		value = append(append([]byte(nil), value[:len(value)-1]...), `,"allowed":true,"list":[1,2]}`...)
	}
	_ = r.Answer(value)
}

func opcuaTarget(t *testing.T, o OPCUAOptions) *OPCUA {
	t.Helper()
	target, err := NewOPCUA(o)
	require.NoError(t, err)
	target.spacing = 10 * time.Millisecond
	return target
}

// opcuaLanes opens lanes that are closed with the test.
func opcuaLanes(t *testing.T, target *OPCUA, n int) []Lane {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), opcuaPatience)
	defer cancel()
	lanes, err := target.Open(ctx, n)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, closeAll(lanes)) })
	return lanes
}

// runOPCUA runs in a closed loop until something was counted: a machine that has much else to do may
// let a short time pass without anything.
func runOPCUA(t *testing.T, target *OPCUA, lanes int) Report {
	t.Helper()
	for deadline := soon(); ; {
		r, err := Run(t.Context(), Workload{Target: target, Lanes: lanes, Duration: 100 * time.Millisecond})
		require.NoError(t, err)
		if r.Requests > 0 || time.Now().After(deadline) {
			return r
		}
	}
}

func soon() time.Time { return time.Now().Add(opcuaPatience) }

// meddler stands between client and server, and passes on what is said, or something else.
type meddler struct {
	t        *testing.T
	listener net.Listener
	server   string
	running  sync.WaitGroup

	mu       sync.Mutex            // guards all below
	answers  func([]byte) [][]byte // what becomes of a response
	deaf     chan struct{}         // not nil: nothing is read of the client until it is closed
	conns    map[net.Conn]struct{} // open
	refusing bool                  // no new ones
	tried    chan struct{}         // a token for each connection that is refused
}

// meddle starts one before the server at url, and returns its URL.
func meddle(t *testing.T, url string) (*meddler, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address, path, _ := strings.Cut(strings.TrimPrefix(url, "opc.tcp://"), "/")
	m := &meddler{t: t, listener: listener, server: address, conns: map[net.Conn]struct{}{}, tried: make(chan struct{}, 1000)}
	m.running.Go(m.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		m.cut(true)
		m.running.Wait()
	})
	return m, "opc.tcp://" + listener.Addr().String() + "/" + path
}

func (m *meddler) accept() {
	for {
		client, err := m.listener.Accept()
		if err != nil {
			return
		}
		m.mu.Lock()
		refused := m.refusing
		m.mu.Unlock()
		if refused {
			_ = client.Close()
			m.tried <- struct{}{}
			continue
		}
		server, err := net.Dial("tcp", m.server)
		if err != nil {
			m.t.Error(err)
			return
		}
		m.mu.Lock()
		m.conns[client], m.conns[server] = struct{}{}, struct{}{}
		m.mu.Unlock()
		m.running.Go(func() { m.requests(client, server) })
		m.running.Go(func() { m.responses(server, client) })
	}
}

// cut ends all connections; refuse: and takes no new ones.
func (m *meddler) cut(refuse bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refusing = refuse
	for c := range m.conns {
		_ = c.Close()
	}
	clear(m.conns)
	if m.deaf != nil {
		close(m.deaf)
		m.deaf = nil
	}
}

// set changes what becomes of responses; of each response the result is sent instead.
func (m *meddler) set(answers func([]byte) [][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answers = answers
}

func (m *meddler) stopReading() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deaf = make(chan struct{})
}

func (m *meddler) requests(from, to net.Conn) {
	defer to.Close()
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		m.mu.Lock()
		deaf := m.deaf
		m.mu.Unlock()
		if deaf != nil {
			<-deaf
		}
		if _, errWrite := to.Write(b[:n]); err != nil || errWrite != nil {
			return
		}
	}
}

// responses numbers chunks anew, because there may be more or fewer of them.
func (m *meddler) responses(from, to net.Conn) {
	defer to.Close()
	in := bufio.NewReaderSize(from, 1<<17)
	shift := uint32(0)
	for {
		head, err := in.Peek(8)
		if err != nil {
			return
		}
		chunk := make([]byte, binary.LittleEndian.Uint32(head[4:]))
		if _, err := io.ReadFull(in, chunk); err != nil {
			return
		}
		m.mu.Lock()
		answers := m.answers
		m.mu.Unlock()
		out := [][]byte{chunk}
		if answers != nil && string(chunk[:3]) == "MSG" {
			out = answers(chunk)
		}
		for i, c := range out {
			if string(c[:3]) == "MSG" {
				number := binary.LittleEndian.Uint32(chunk[16:]) + shift + uint32(i)
				c = append([]byte(nil), c...)
				binary.LittleEndian.PutUint32(c[16:], number)
			}
			if _, err := to.Write(c); err != nil {
				return
			}
		}
		shift += uint32(len(out)) - 1
	}
}
