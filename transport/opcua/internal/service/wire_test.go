package service

import (
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func variants() []*ua.Variant {
	now := time.Date(2026, 11, 24, 15, 0, 0, 123456700, time.UTC)
	values := []any{
		true, false, int8(-1), byte(7), int16(-2), uint16(8), int32(-3), uint32(9), int64(-4), uint64(10),
		float32(1.5), -2.5, "", "text", now, ua.NewGUID("72962B91-FA75-4AE6-8D28-B404DC7DAF63"), []byte{1, 2}, ua.ByteArray{3, 4},
		ua.NewLocalizedText("text"), &ua.QualifiedName{NamespaceIndex: 1, Name: "name"}, []int32{1, 2, 3}, []string{"a", ""}, []float64{},
	}
	var list []*ua.Variant
	for _, v := range values {
		list = append(list, ua.MustVariant(v))
	}
	return list
}

// What is written by hand is what the codec would write, but for the empty String in a Variant,
// which the codec writes as null too.
func TestVariantsAsTheCodecWritesThem(t *testing.T) {
	for _, v := range variants() {
		want, err := v.Encode()
		require.NoError(t, err)
		got, err := value.AppendBinary([]byte("before"), v)
		require.NoError(t, err)
		require.Equal(t, append([]byte("before"), want...), got, "%v", v.Value())
	}
	got, err := value.AppendBinary(nil, nil)
	require.NoError(t, err)
	require.Equal(t, []byte{0}, got)
}

func TestDataValuesAsTheCodecWritesThem(t *testing.T) {
	d := &ua.DataValue{
		Value: ua.MustVariant("text"), Status: ua.StatusUncertain, SourceTimestamp: time.Unix(1, 0), SourcePicoseconds: 1,
		ServerTimestamp: time.Unix(2, 0), ServerPicoseconds: 2,
	}
	for mask := range byte(64) {
		d.EncodingMask = mask
		want, err := d.Encode()
		require.NoError(t, err)
		got, err := appendDataValue(nil, d)
		require.NoError(t, err)
		require.Equal(t, want, got, "mask %x", mask)
	}
}

// Also what the codec would write wrongly reaches a subscriber.
func TestNotifications(t *testing.T) {
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	n := &ua.DataChangeNotification{MonitoredItems: []*ua.MonitoredItemNotification{
		{ClientHandle: 7, Value: &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(int32(1))}},
		{ClientHandle: 8, Value: &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant([]time.Time{far})}},
	}}
	kept := &ua.NotificationMessage{SequenceNumber: 3, NotificationData: []*ua.ExtensionObject{ua.NewExtensionObject(n)}}
	for typeID, r := range map[uint16]ua.Response{
		id.PublishResponse_Encoding_DefaultBinary:   &ua.PublishResponse{NotificationMessage: kept},
		id.RepublishResponse_Encoding_DefaultBinary: &ua.RepublishResponse{NotificationMessage: kept},
	} {
		body, err := encodeResponse(typeID, 1, r)
		require.NoError(t, err)
		require.Same(t, n, kept.NotificationData[0].Value)
		_, decoded, err := ua.DecodeService(body)
		require.NoError(t, err)
		var m *ua.NotificationMessage
		switch r := decoded.(type) {
		case *ua.PublishResponse:
			m = r.NotificationMessage
		case *ua.RepublishResponse:
			m = r.NotificationMessage
		}
		got := m.NotificationData[0].Value.(*ua.DataChangeNotification)
		require.Len(t, got.MonitoredItems, 2)
		require.Equal(t, uint32(8), got.MonitoredItems[1].ClientHandle)
		require.Equal(t, int32(1), got.MonitoredItems[0].Value.Value.Value())
		meant := value.Type{Builtin: ua.TypeIDDateTime, Array: true}.Adapt(got.MonitoredItems[1].Value.Value)
		require.Equal(t, []time.Time{far}, meant.Value())
	}
	body, err := encodeResponse(id.PublishResponse_Encoding_DefaultBinary, 1, &ua.PublishResponse{})
	require.NoError(t, err)
	require.NotEmpty(t, body)
}

func TestResultsAsTheCodecReadsThem(t *testing.T) {
	v := ua.MustVariant(int32(7))
	results := []result{
		{outputs: []*ua.Variant{v, ua.MustVariant("x")}},
		{status: ua.StatusBadInvalidArgument, inputs: []ua.StatusCode{ua.StatusOK, ua.StatusBadTypeMismatch}, info: &diagnostic{more: "why"}},
		{status: ua.StatusBadTimeout},
	}
	decoded := func(response uint16) any {
		_, v, err := ua.DecodeService(encodeResults(response, 42, ua.OperationLevelAdditionalInfo, results))
		require.NoError(t, err)
		require.Equal(t, uint32(42), v.(ua.Response).Header().RequestHandle)
		require.WithinDuration(t, time.Now(), v.(ua.Response).Header().Timestamp, time.Minute)
		return v
	}
	c := decoded(id.CallResponse_Encoding_DefaultBinary).(*ua.CallResponse)
	require.Len(t, c.Results, 3)
	require.Equal(t, "x", c.Results[0].OutputArguments[1].Value())
	require.Equal(t, results[1].inputs, c.Results[1].InputArgumentResults)
	require.Nil(t, c.Results[2].OutputArguments)
	require.Equal(t, []string{"", "why", ""}, []string{
		c.DiagnosticInfos[0].AdditionalInfo, c.DiagnosticInfos[1].AdditionalInfo, c.DiagnosticInfos[2].AdditionalInfo})
	w := decoded(id.WriteResponse_Encoding_DefaultBinary).(*ua.WriteResponse)
	require.Equal(t, []ua.StatusCode{ua.StatusOK, ua.StatusBadInvalidArgument, ua.StatusBadTimeout}, w.Results)
	results[0].value = &ua.DataValue{EncodingMask: ua.DataValueValue, Value: v}
	results[1].info = nil
	r := decoded(id.ReadResponse_Encoding_DefaultBinary).(*ua.ReadResponse)
	require.Equal(t, int32(7), r.Results[0].Value.Value())
	require.Equal(t, ua.StatusBadTimeout, r.Results[2].Status)
	require.Nil(t, r.DiagnosticInfos)
}

func TestTimes(t *testing.T) {
	for _, at := range []time.Time{{}, time.Unix(0, 0), time.Date(2026, 1, 2, 3, 4, 5, 678901200, time.UTC), time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC)} {
		b := ua.NewBuffer(value.AppendTime(nil, at))
		got := b.ReadTime()
		if at.Year() < 1601 { // the null DateTime
			require.True(t, got.IsZero() || got.Year() == 1601, got)
			continue
		}
		require.True(t, at.Equal(got), "%v %v", at, got)
	}
}

func TestHeadersAsTheCodecWritesThem(t *testing.T) {
	token := make([]byte, 32)
	token[5] = 9
	for _, c := range []struct {
		token *ua.NodeID
		want  []byte
	}{
		{ua.NewTwoByteNodeID(0), nil},
		{ua.NewFourByteNodeID(1, 2), nil},
		{ua.NewNumericNodeID(1, 70_000), nil},
		{ua.NewStringNodeID(1, "text"), nil},
		{ua.NewGUIDNodeID(1, "72962B91-FA75-4AE6-8D28-B404DC7DAF63"), nil},
		{ua.NewByteStringNodeID(0, token), token},
	} {
		for _, more := range []*ua.ExtensionObject{ua.NewExtensionObject(nil), ua.NewExtensionObject(&ua.AnonymousIdentityToken{PolicyID: "x"})} {
			v := &ua.CancelRequest{
				RequestHandle: 0xdeadbeef,
				RequestHeader: &ua.RequestHeader{
					AuthenticationToken: c.token, Timestamp: time.Now(), RequestHandle: 77, ReturnDiagnostics: 0x80,
					AuditEntryID: "audit", TimeoutHint: 1500, AdditionalHeader: more,
				},
			}
			encoded, err := ua.Encode(v)
			require.NoError(t, err)
			h, structure, rest := parseHeader(append([]byte{1, 0, 0xdf, 0x01}, encoded...))
			require.Equal(t, header{service: id.CancelRequest_Encoding_DefaultBinary, token: c.want, handle: 77, diagnostics: 0x80, timeout: 1500 * time.Millisecond}, h)
			require.Equal(t, encoded, structure)
			require.Equal(t, []byte{0xef, 0xbe, 0xad, 0xde}, rest)
		}
	}
}

// What the guard would not let through is read as nothing, without a panic.
func TestTruncatedHeaders(t *testing.T) {
	encoded, err := ua.Encode(&ua.CancelRequest{RequestHeader: &ua.RequestHeader{
		AuthenticationToken: ua.NewByteStringNodeID(0, make([]byte, 32)), AuditEntryID: "audit", AdditionalHeader: ua.NewExtensionObject(nil),
	}})
	require.NoError(t, err)
	body := append([]byte{1, 0, 0xdf, 0x01}, encoded...)
	for n := range body {
		_, _, rest := parseHeader(body[:n])
		require.LessOrEqual(t, len(rest), 4)
	}
}

// An item that does not fit loses its own result only.
func TestResultsThatDoNotFit(t *testing.T) {
	large := ua.MustVariant(string(make([]byte, MaxResponse)))
	_, v, err := ua.DecodeService(encodeResults(id.CallResponse_Encoding_DefaultBinary, 1, 0, []result{
		{outputs: []*ua.Variant{ua.MustVariant("first")}}, {outputs: []*ua.Variant{large}}, {outputs: []*ua.Variant{ua.MustVariant("last")}},
	}))
	require.NoError(t, err)
	results := v.(*ua.CallResponse).Results
	require.Equal(t, "first", results[0].OutputArguments[0].Value())
	require.Equal(t, ua.StatusBadResponseTooLarge, results[1].StatusCode)
	require.Equal(t, "last", results[2].OutputArguments[0].Value())
}
