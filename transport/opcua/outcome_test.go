package opcua_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

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
	s.engine.next(core.Result{Outcome: core.Answered, Value: []byte(`"misfit"`), ID: core.ID{1}}) // nobody has inspected it
	for kind, got := range s.do(ua.OperationLevelAdditionalInfo) {
		if kind == "Write" {
			require.Equal(t, ua.StatusOK, got.status)
			continue
		}
		require.Equal(t, ua.StatusBadUnknownResponse, got.status, kind)
		require.True(t, strings.HasPrefix(got.info.AdditionalInfo, "bad_response ("), got.info.AdditionalInfo)
	}
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
