//go:build peers

package peers

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

const (
	user     = "operator"
	password = "correct horse battery"
)

// plant is a server with all that is behind it.
type plant struct {
	t      *testing.T
	bus    *mem.Bus
	engine *core.Engine
	server *opcua.Server
	state  string
	port   string
	url    string
	nodes  map[string]*opcua.Node // by path
	ended  chan end
}

// end is how a transaction ended.
type end struct {
	path    string
	outcome core.Outcome
}

func (p *plant) Ended(n *core.Node, r core.Result) {
	select {
	case p.ended <- end{n.Name(), r.Outcome}:
	default: // nobody is interested in that many
	}
}

func (p *plant) Stray(*core.Node, *core.Stray) {}

// state is a folder that all plants share unless they say otherwise: a server's key costs a second.
var state = sync.OnceValue(func() string { return filepath.Join(scratch(), "server") })

// newPlant serves the tree of every test, without security and open to anonymous clients unless
// change says otherwise.
func newPlant(t *testing.T, change ...func(*opcua.Options)) *plant {
	t.Helper()
	return newPlantWith(t, tree(), change...)
}

func newPlantWith(t *testing.T, root *opcua.Node, change ...func(*opcua.Options)) *plant {
	t.Helper()
	p := &plant{t: t, nodes: map[string]*opcua.Node{}, ended: make(chan end, 8192)}
	var err error
	p.bus, err = mem.New(mem.Options{})
	require.NoError(t, err)
	p.engine, err = core.New(p.bus, core.Options{Observer: p})
	require.NoError(t, err)
	p.adopt(root, "")
	o := opcua.Options{
		Engine: p.engine, Root: root, State: state(), ApplicationURI: "urn:flowsync:test", Hosts: []string{"localhost", "127.0.0.1"},
		Path: "/UA/CybusOpcuaServer", Security: []opcua.Security{{Policy: "None", Mode: "None"}}, Anonymous: true,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, f := range change {
		f(&o)
	}
	p.state = o.State
	p.serve(o)
	return p
}

// adopt gives each node of the tree that starts transactions its node in the engine.
func (p *plant) adopt(n *opcua.Node, path string) {
	p.nodes[path] = n
	if n.Transaction != nil {
		var err error
		n.Transaction.Node, err = p.engine.AddNode(core.NodeOptions{Name: path, Topic: path, Timeout: timeouts[path], Inspect: opcua.Inspect(n)})
		require.NoError(p.t, err)
	}
	for _, child := range n.Children {
		p.adopt(child, strings.TrimPrefix(path+"."+child.BrowseName, "."))
	}
}

func (p *plant) serve(o opcua.Options) {
	p.t.Helper()
	var err error
	p.server, err = opcua.New(o)
	require.NoError(p.t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(p.t, err)
	_, p.port, err = net.SplitHostPort(ln.Addr().String())
	require.NoError(p.t, err)
	p.url = "opc.tcp://127.0.0.1:" + p.port + o.Path
	served := make(chan error, 1)
	go func() { served <- p.server.Serve(ln) }()
	p.t.Cleanup(func() {
		require.NoError(p.t, p.server.Close())
		require.NoError(p.t, <-served)
		require.Zero(p.t, p.engine.Held(), "something is held though all clients are gone")
		require.NoError(p.t, p.engine.Close())
		require.NoError(p.t, p.bus.Close())
		p.noFaults()
	})
}

// noFaults fails the test if node-opcua found something impossible.
func (p *plant) noFaults() {
	d := running.Load()
	if d == nil {
		return
	}
	d.mu.Lock()
	faults := d.faults
	d.faults = nil
	d.mu.Unlock()
	require.Empty(p.t, faults, "node-opcua complains")
}

// certificate is the server's.
func (p *plant) certificate() []byte {
	p.t.Helper()
	certificate, err := os.ReadFile(filepath.Join(p.state, "pki", "own", "certs", "flowsync.der"))
	require.NoError(p.t, err)
	return certificate
}

// trust makes the client's certificate if need be, and lays it into the folder of trusted ones.
func (p *plant) trust(pki string) {
	p.t.Helper()
	var file string
	require.NoError(p.t, theDriver(p.t).do("certificate", map[string]any{"pki": pki}, &file))
	certificate, err := os.ReadFile(file)
	require.NoError(p.t, err)
	trusted := filepath.Join(p.state, "pki", "trusted", "certs")
	require.NoError(p.t, os.MkdirAll(trusted, 0o700))
	require.NoError(p.t, os.WriteFile(filepath.Join(trusted, "peer.pem"), certificate, 0o600))
}

// respond makes f the responder of a node. It runs on the bus's goroutine and must not block.
func (p *plant) respond(path string, f func(*mem.Request)) {
	p.t.Helper()
	_, err := p.bus.Respond(path, f)
	require.NoError(p.t, err)
}

// echo answers with what was asked.
func echo(r *mem.Request) { r.Answer(r.Value) }

// hold collects the requests of a node, which nobody answers but the test.
func (p *plant) hold(path string) <-chan *mem.Request {
	p.t.Helper()
	requests := make(chan *mem.Request, 4096)
	p.respond(path, func(r *mem.Request) { requests <- r })
	return requests
}

// receive waits for what a channel brings.
func receive[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case x := <-from:
		return x
	case <-time.After(patience):
		require.FailNow(t, "nothing came", "%T in %v", *new(T), patience)
		panic("not reached")
	}
}

// begun is how many transactions have ever begun: what was refused before is not among them.
func (p *plant) begun() (sum uint64) {
	for _, n := range p.engine.Nodes() {
		sum += p.engine.Stats(n).Begun
	}
	return sum
}

func parent(path string) string {
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		return path[:i]
	}
	return ""
}
