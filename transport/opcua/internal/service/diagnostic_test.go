package service

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// The line that integrators read has the outcome, the id and what may be done.
func TestDiagnostics(t *testing.T) {
	n := method()
	n.TimeoutMessage = "the MES is silent"
	some := core.ID{15: 7}
	for _, c := range []struct {
		result       core.Result
		word, detail string
		more         string
	}{
		{core.Result{Outcome: core.Timeout, Message: "no answer", ID: some, Sent: true, Elapsed: 2 * time.Second}, "timeout", "the MES is silent",
			"timeout (id 00000000-0000-0000-0000-000000000007, retrySafe false, elapsedMs 2000): the MES is silent"},
		{core.Result{Outcome: core.Shed, Message: "too many"}, "shed", "too many", "shed (retrySafe true, elapsedMs 0): too many"},
		{core.Result{Outcome: core.Shutdown, Message: "bye"}, "shutdown", "bye", "shutdown (retrySafe true, elapsedMs 0): bye"},
		{core.Result{Outcome: core.Shutdown, Message: "bye", Sent: true}, "shutdown", "bye", "shutdown (retrySafe false, elapsedMs 0): bye"},
		{core.Result{Outcome: core.Shutdown, Message: "bye", Repeat: core.InDoubt}, "shutdown", "bye", "shutdown (retrySafe false, inDoubt true, elapsedMs 0): bye"},
		{core.Result{Outcome: core.ResponderError, Message: "no", Repeat: core.Replayed}, "responder_error", "no",
			"responder_error (retrySafe false, replayed true, elapsedMs 0): no"},
		{core.Result{Repeat: core.Conflict, Message: "other value"}, "idempotency_conflict", "other value",
			"idempotency_conflict (retrySafe false, elapsedMs 0): other value"},
		{core.Result{Outcome: core.BadResponse, Message: "a\xffb"}, "bad_response", "ab", "bad_response (retrySafe false, elapsedMs 0): ab"},
	} {
		require.Equal(t, &diagnostic{word: c.word, detail: c.detail, more: c.more}, n.diagnosticOf(&c.result))
	}
	long := n.diagnosticOf(&core.Result{Outcome: core.Shed, Message: strings.Repeat("ü", 2500)})
	require.LessOrEqual(t, len(long.more), maxInfo)
	require.Len(t, long.detail, maxDetail)
	for _, o := range core.Outcomes() {
		require.LessOrEqual(t, len(o.String()), 32, "a symbolic id is no longer")
	}
}

// Each bit that a client sets gives its own part; the strings stand in the header, each once.
func TestInfosAsTheyAreAskedFor(t *testing.T) {
	results := []result{
		{status: ua.StatusBadTimeout, info: &diagnostic{"timeout", "silence", "all"}},
		{},
		{status: ua.StatusBadTimeout, info: &diagnostic{"timeout", "", "all"}},
	}
	for asked := range uint32(8) {
		_, v, err := ua.DecodeService(encodeResults(id.WriteResponse_Encoding_DefaultBinary, 1, asked<<operationLevel, results))
		require.NoError(t, err)
		w := v.(*ua.WriteResponse)
		table := w.ResponseHeader.StringTable
		if asked == 0 {
			require.Empty(t, w.DiagnosticInfos)
			require.Empty(t, table)
			continue
		}
		require.Len(t, w.DiagnosticInfos, 3)
		require.Zero(t, w.DiagnosticInfos[1].EncodingMask)
		for i, detail := range map[int]string{0: "silence", 2: ""} {
			got := w.DiagnosticInfos[i]
			require.Equal(t, asked&asksWord != 0, got.Has(ua.DiagnosticInfoSymbolicID|ua.DiagnosticInfoNamespaceURI))
			require.Equal(t, asked&asksDetail != 0 && detail != "", got.Has(ua.DiagnosticInfoLocalizedText|ua.DiagnosticInfoLocale))
			if asked&asksWord != 0 {
				require.Equal(t, "timeout", table[got.SymbolicID])
				require.Equal(t, infoNamespace, table[got.NamespaceURI])
			}
			if got.Has(ua.DiagnosticInfoLocalizedText) {
				require.Equal(t, detail, table[got.LocalizedText])
				require.Equal(t, "en", table[got.Locale])
			}
			require.Equal(t, map[bool]string{true: "all"}[asked&asksMore != 0], got.AdditionalInfo)
		}
		seen := map[string]bool{}
		for _, text := range table {
			require.False(t, seen[text], text)
			seen[text] = true
		}
	}
}

// Ten thousand failures do not make a response that nobody can take.
func TestInfosAreBounded(t *testing.T) {
	results := make([]result, MaxRead)
	for i := range results {
		results[i] = result{status: ua.StatusBadTimeout, info: &diagnostic{"timeout", fmt.Sprint(i, strings.Repeat("d", 200)), strings.Repeat("m", 1000)}}
	}
	body := encodeResults(id.WriteResponse_Encoding_DefaultBinary, 1, asksAny<<operationLevel, results)
	require.Less(t, len(body), 2*maxInfos)
	_, v, err := ua.DecodeService(body)
	require.NoError(t, err)
	w := v.(*ua.WriteResponse)
	require.Len(t, w.Results, MaxRead)
	require.NotZero(t, w.DiagnosticInfos[0].EncodingMask)
	require.Zero(t, w.DiagnosticInfos[MaxRead-1].EncodingMask)
}

// A request that ended as a whole says so in the header, if it is asked of the service.
func TestInfosOfFaults(t *testing.T) {
	for asked, told := range map[uint32]bool{0: false, asksAny << operationLevel: false, asksAny: true} {
		_, v, err := ua.DecodeService(encodeCancelled(7, asked, ua.StatusBadRequestCancelledByClient))
		require.NoError(t, err)
		h := v.(*ua.ServiceFault).ResponseHeader
		require.Equal(t, ua.StatusBadRequestCancelledByClient, h.ServiceResult)
		require.Equal(t, told, h.ServiceDiagnostics.Has(ua.DiagnosticInfoSymbolicID))
		if told {
			require.Equal(t, "cancelled", h.StringTable[h.ServiceDiagnostics.SymbolicID])
			require.Contains(t, h.ServiceDiagnostics.AdditionalInfo, "cancelled (retrySafe false")
		}
	}
}

// A fallback must fit as an answer must.
func TestFallbacks(t *testing.T) {
	variable := func(reads bool) *Node {
		n := method()
		n.Space.Class, n.Type, n.ReadHeld = ua.NodeClassVariable, number, reads
		return n
	}
	two := method(Argument{Name: "ok", Type: number}, Argument{Name: "why", Type: text})
	for _, c := range []struct {
		node *Node
		text string
		want string // the fault; empty: none
	}{
		{variable(false), ` 7 `, ""},
		{variable(false), ` null `, ""},
		{variable(true), `7`, ""},
		{variable(true), `null`, "null is no value"},
		{variable(false), `"x"`, "Int32"},
		{variable(false), `7.5`, "7.5"},
		{variable(false), ``, "not JSON: at byte 0"},
		{method(), `null`, ""},
		{method(), `{"a":1}`, ""},
		{method(), `{"a":`, "not JSON: at byte 5"},
		{method(), ` `, "not JSON"},
		{two, ` {"ok":1,"why":"x"} `, ""},
		{two, `[1,"x"]`, ""},
		{two, `[1]`, "1 outputs, want 2"},
		{two, `{"ok":1}`, "output why is missing"},
		{two, `null`, "want an object of outputs"},
	} {
		fallback, err := c.node.ParseFallback([]byte(c.text))
		if c.want == "" {
			require.NoError(t, err, c.text)
			require.NotNil(t, fallback)
			continue
		}
		require.ErrorContains(t, err, c.want, c.text)
	}
	n := variable(false)
	for _, o := range core.Outcomes() {
		require.False(t, n.fallsBack(o), "it has none")
	}
}
