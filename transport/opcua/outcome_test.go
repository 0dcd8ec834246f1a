package opcua_test

import (
	"fmt"
	"slices"
	"strings"
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

// ends is every end there is, with its status, its word and what may be done.
var ends = []struct {
	result core.Result
	status ua.StatusCode
	word   string
	safe   bool
}{
	{core.Result{Outcome: core.Timeout, Sent: true}, ua.StatusBadTimeout, "timeout", false},
	{core.Result{Outcome: core.Timeout, Sent: true, Repeat: core.InDoubt}, ua.StatusBadTimeout, "timeout", false},
	{core.Result{Outcome: core.NotPublished}, ua.StatusBadNotConnected, "not_published", true},
	{core.Result{Outcome: core.NoSubscriber, Sent: true}, ua.StatusBadNoCommunication, "no_subscriber", true},
	{core.Result{Outcome: core.Shed}, ua.StatusBadResourceUnavailable, "shed", true},
	{core.Result{Outcome: core.BadResponse, Sent: true}, ua.StatusBadUnknownResponse, "bad_response", false},
	{core.Result{Outcome: core.RuleFailed}, ua.StatusBadInternalError, "rule_failed", true},
	{core.Result{Outcome: core.RuleFailed, Sent: true}, ua.StatusBadInternalError, "rule_failed", false},
	{core.Result{Outcome: core.Cancelled, Sent: true}, ua.StatusBadRequestCancelledByClient, "cancelled", false},
	{core.Result{Outcome: core.Shutdown}, ua.StatusBadShutdown, "shutdown", true},
	{core.Result{Outcome: core.Shutdown, Sent: true}, ua.StatusBadShutdown, "shutdown", false},
	{core.Result{Outcome: core.ResponderError, CodeName: "BadOutOfRange"}, ua.StatusBadOutOfRange, "responder_error", false},
	{core.Result{Outcome: core.ResponderError, Code: 404, Repeat: core.Replayed}, ua.StatusBadUnexpectedError, "responder_error", false},
	{core.Result{Repeat: core.Conflict}, ua.StatusBadEntryExists, "idempotency_conflict", false},
}

// Every outcome has its status on every kind of operation, and tells its word and what may be done
// to who asks, as he asks.
func TestOutcomes(t *testing.T) {
	s := buildStage(t, fallbacks{}, rawclient.Identity{})
	for _, c := range ends {
		c.result.Message = "in detail"
		s.engine.next(c.result)
		detail := "in detail"
		if c.result.Outcome == core.Timeout {
			detail = "silence"
		}
		for kind, got := range s.do(ua.OperationLevelSymbolicID | ua.OperationLevelLocalizedText | ua.OperationLevelAdditionalInfo) {
			require.Equal(t, c.status, got.status, "%s %s", kind, c.word)
			require.Nil(t, got.value)
			require.Equal(t, c.word, got.table[got.info.SymbolicID])
			require.Equal(t, "https://github.com/flowsync-go/flowsync", got.table[got.info.NamespaceURI])
			require.Equal(t, detail, got.table[got.info.LocalizedText])
			require.Equal(t, "en", got.table[got.info.Locale])
			require.True(t, strings.HasPrefix(got.info.AdditionalInfo, c.word+" ("), got.info.AdditionalInfo)
			require.True(t, strings.HasSuffix(got.info.AdditionalInfo, "): "+detail), got.info.AdditionalInfo)
			require.Contains(t, got.info.AdditionalInfo, "id 01")
			require.Contains(t, got.info.AdditionalInfo, fmt.Sprintf("retrySafe %t", c.safe))
			require.Equal(t, c.result.Repeat == core.InDoubt, strings.Contains(got.info.AdditionalInfo, "inDoubt true"))
		}
		for asked, mask := range map[uint32]byte{
			0:                               0,
			ua.ServiceLevelAdditionalInfo:   0,
			ua.OperationLevelSymbolicID:     ua.DiagnosticInfoSymbolicID | ua.DiagnosticInfoNamespaceURI,
			ua.OperationLevelLocalizedText:  ua.DiagnosticInfoLocale | ua.DiagnosticInfoLocalizedText,
			ua.OperationLevelAdditionalInfo: ua.DiagnosticInfoAdditionalInfo,
		} {
			for kind, got := range s.do(asked) {
				require.Equal(t, mask, got.info.EncodingMask, "%s asked for %x", kind, asked)
			}
		}
	}
	require.Equal(t, int32(3), s.held(), "none of them has written anything")
	s.engine.next(core.Result{Outcome: core.Answered, Value: []byte("5")})
	for kind, got := range s.do(ua.OperationLevelAdditionalInfo) {
		require.Equal(t, ua.StatusOK, got.status, kind)
		require.Zero(t, got.info.EncodingMask)
		require.Equal(t, map[string]any{"Call": int32(5), "Read": int32(5), "Write": nil}[kind], got.value)
	}
	require.Equal(t, int32(5), s.held())
}

// The fallback takes the place of three outcomes, which the diagnostics do not hide, and of no other.
func TestFallback(t *testing.T) {
	s := buildStage(t, fallbacks{run: `{"id":-1}`, set: "null", live: "-2"}, rawclient.Identity{})
	for _, c := range ends {
		s.engine.next(c.result)
		replaced := slices.Contains([]core.Outcome{core.Timeout, core.Shed, core.NotPublished}, c.result.Outcome)
		for kind, got := range s.do(ua.OperationLevelSymbolicID | ua.OperationLevelAdditionalInfo) {
			require.Equal(t, c.word, got.table[got.info.SymbolicID])
			require.Equal(t, c.result.Repeat == core.InDoubt, strings.Contains(got.info.AdditionalInfo, "inDoubt true"))
			if !replaced {
				require.Equal(t, c.status, got.status, "%s %s", kind, c.word)
				continue
			}
			require.Equal(t, ua.StatusUncertainSubstituteValue, got.status, "%s %s", kind, c.word)
			require.Equal(t, map[string]any{"Call": int32(-1), "Read": int32(-2), "Write": nil}[kind], got.value)
		}
	}
	require.Equal(t, int32(3), s.held(), "the Variable keeps its value")
	part := ask[*ua.ReadResponse](s.house, s.client, read("Live", "0:1")).Results[0]
	require.NotEqual(t, ua.StatusUncertainSubstituteValue, part.Status, "a number has no range")
}

// What becomes a key, and what is refused before anything begins.
func TestKeys(t *testing.T) {
	for user, who := range map[string]rawclient.Identity{"": {}, "bob": {User: "bob", Password: "secret"}} {
		s := buildStage(t, fallbacks{}, who)
		s.engine.next(core.Result{Outcome: core.Answered, Value: []byte("1")})
		long := strings.Repeat("k", 255)
		for _, text := range []any{"", nil, "a", "a b, \"c\" ü", long} {
			request := call("Works", "Works.Run", int32(1))
			argument := &ua.Variant{}
			if text != nil {
				argument = ua.MustVariant(text)
			}
			request.MethodsToCall[0].InputArguments = append(request.MethodsToCall[0].InputArguments, argument)
			s.engine.next(s.engine.result)
			result := ask[*ua.CallResponse](s.house, s.client, request).Results[0]
			require.Equal(t, ua.StatusOK, result.StatusCode)
			begun := s.engine.begun()
			require.Len(t, begun, 1)
			if text == "" || text == nil {
				require.Nil(t, begun[0].Key)
				continue
			}
			require.Equal(t, &core.Key{Text: text.(string), User: user, Parameters: "ns=1;s=Works.Run"}, begun[0].Key)
		}
		s.engine.next(core.Result{})
		result := ask[*ua.CallResponse](s.house, s.client, call("Works", "Works.Run", int32(1), long+"k")).Results[0]
		require.Equal(t, ua.StatusBadInvalidArgument, result.StatusCode)
		require.Equal(t, []ua.StatusCode{ua.StatusOK, ua.StatusBadOutOfRange}, result.InputArgumentResults)
		require.Empty(t, s.engine.begun(), "nothing was begun")
	}
}

// All operations of a request have one deadline, whatever time the ones before took to begin.
func TestOneDeadline(t *testing.T) {
	s := buildStage(t, fallbacks{}, rawclient.Identity{})
	s.engine.next(core.Result{Outcome: core.Shed})
	s.engine.pause = 100 * time.Millisecond
	request := call("Works", "Works.Run", int32(1), "")
	request.MethodsToCall = repeated(request.MethodsToCall[0], 4)
	request.SetHeader(&ua.RequestHeader{TimeoutHint: 300})
	ask[*ua.CallResponse](s.house, s.client, request)
	begun := s.engine.begun()
	require.Len(t, begun, 4)
	for i, c := range begun {
		at := time.Duration(i) * s.engine.pause
		require.LessOrEqual(t, c.Timeout, max(time.Millisecond, 280*time.Millisecond-at), "of operation %d", i)
		require.Positive(t, c.Timeout)
	}
}
