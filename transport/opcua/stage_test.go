package opcua_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// scripted is an engine that ends each transaction at once, as it was told.
type scripted struct {
	mu     sync.Mutex
	result core.Result
	pause  time.Duration // that each Begin takes
	calls  []core.Call
}

func (s *scripted) Begin(call *core.Call, done core.Completer) core.ID {
	s.mu.Lock()
	r, own := s.result, *call
	own.Value = slices.Clone(call.Value)
	s.calls = append(s.calls, own)
	r.ID = core.ID{0: 1, 15: byte(len(s.calls))}
	s.mu.Unlock()
	<-time.After(s.pause)
	done.Complete(r)
	return r.ID
}

func (s *scripted) Cancel(core.ID) bool { return false }

// next is how the next ones end.
func (s *scripted) next(r core.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result, s.calls = r, nil
}

func (s *scripted) begun() []core.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// stage is a house whose engine is scripted. Its tree has one node of each kind of operation.
type stage struct {
	*house
	engine *scripted
	client *rawclient.Client
}

// fallbacks are those of the nodes of a stage: Run, Set and Live.
type fallbacks struct{ run, set, live string }

func buildStage(t *testing.T, f fallbacks, who rawclient.Identity) *stage {
	t.Helper()
	s := &stage{engine: &scripted{}}
	s.house = build(t, func(h *house, o *opcua.Options) {
		number := typeOf(t, "Int32")
		held := func(n *opcua.Node, fallback string) *opcua.Node {
			n.Transaction = h.transaction(n, core.NodeOptions{})
			n.Transaction.TimeoutMessage = "silence"
			if fallback != "" {
				n.Transaction.Fallback = []byte(fallback)
			}
			return n
		}
		run := held(&opcua.Node{Class: opcua.Method, BrowseName: "Run",
			Inputs:  []opcua.Argument{{Name: "count", DataType: number}, {Name: "idempotencyKey", DataType: typeOf(t, "String")}},
			Outputs: []opcua.Argument{{Name: "id", DataType: number}},
		}, f.run)
		run.Transaction.Keys = true
		live := held(&opcua.Node{Class: opcua.Variable, BrowseName: "Live", DataType: number}, f.live)
		live.Transaction.Read = true
		o.Engine = s.engine
		o.Login = func(_, password string) bool { return password == "secret" }
		o.Root = &opcua.Node{Class: opcua.Object, BrowseName: "Works", Children: []*opcua.Node{
			run, live, held(&opcua.Node{Class: opcua.Variable, BrowseName: "Set", DataType: number, Initial: []byte("3")}, f.set),
		}}
	})
	s.client = s.house.client(nil)
	_, err := s.client.Login(s.ctx, who, time.Minute)
	require.NoError(t, err)
	return s
}

// ended is how an operation ended, as a client sees it.
type ended struct {
	status ua.StatusCode
	value  any // the output or the value read; nil: none
	info   *ua.DiagnosticInfo
	table  []string
}

// do carries out one operation of each kind, and asks for these diagnostics.
func (s *stage) do(asked uint32) map[string]ended {
	header := func() *ua.RequestHeader { return &ua.RequestHeader{ReturnDiagnostics: asked} }
	all := map[string]ended{}
	first := func(infos []*ua.DiagnosticInfo) *ua.DiagnosticInfo {
		if len(infos) == 0 {
			return &ua.DiagnosticInfo{}
		}
		return infos[0]
	}
	run := call("Works", "Works.Run", int32(1), "")
	run.SetHeader(header())
	called := ask[*ua.CallResponse](s.house, s.client, run)
	e := ended{status: called.Results[0].StatusCode, info: first(called.DiagnosticInfos), table: called.ResponseHeader.StringTable}
	if outputs := called.Results[0].OutputArguments; len(outputs) > 0 {
		e.value = outputs[0].Value()
	}
	all["Call"] = e
	set := write("Set", int32(7))
	set.SetHeader(header())
	w := ask[*ua.WriteResponse](s.house, s.client, set)
	all["Write"] = ended{status: w.Results[0], info: first(w.DiagnosticInfos), table: w.ResponseHeader.StringTable}
	live := read("Live", "")
	live.SetHeader(header())
	r := ask[*ua.ReadResponse](s.house, s.client, live)
	e = ended{status: r.Results[0].Status, info: first(r.DiagnosticInfos), table: r.ResponseHeader.StringTable}
	if r.Results[0].Has(ua.DataValueValue) {
		e.value = r.Results[0].Value.Value()
	}
	all["Read"] = e
	return all
}

// held is the value of the Variable that is written.
func (s *stage) held() any {
	return ask[*ua.ReadResponse](s.house, s.client, read("Set", "")).Results[0].Value.Value()
}
