package guard_test

import (
	"reflect"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/guard"
)

// requests are one empty value of each service that is let through.
func requests() []any {
	return []any{
		new(ua.GetEndpointsRequest), new(ua.FindServersRequest), new(ua.OpenSecureChannelRequest), new(ua.CloseSecureChannelRequest),
		new(ua.CreateSessionRequest), new(ua.ActivateSessionRequest), new(ua.CloseSessionRequest), new(ua.CancelRequest),
		new(ua.ReadRequest), new(ua.WriteRequest), new(ua.CallRequest), new(ua.BrowseRequest), new(ua.BrowseNextRequest),
		new(ua.TranslateBrowsePathsToNodeIDsRequest), new(ua.RegisterNodesRequest), new(ua.UnregisterNodesRequest),
		new(ua.CreateSubscriptionRequest), new(ua.ModifySubscriptionRequest), new(ua.DeleteSubscriptionsRequest),
		new(ua.SetPublishingModeRequest), new(ua.PublishRequest), new(ua.RepublishRequest), new(ua.TransferSubscriptionsRequest),
		new(ua.CreateMonitoredItemsRequest), new(ua.ModifyMonitoredItemsRequest), new(ua.DeleteMonitoredItemsRequest),
		new(ua.SetMonitoringModeRequest),
	}
}

// nameOf is the name of the type that v points to.
func nameOf(v any) string { return reflect.TypeOf(v).Elem().Name() }

// encode makes the body of a message.
func encode(t testing.TB, request any) []byte {
	t.Helper()
	b := ua.NewBuffer(nil)
	b.WriteStruct(ua.NewFourByteExpandedNodeID(0, ua.ServiceTypeID(request)))
	b.WriteStruct(request)
	require.NoError(t, b.Error())
	return b.Bytes()
}

const testHandle = 0x01020304

// header is a request header with nothing special in it.
func header() *ua.RequestHeader {
	return &ua.RequestHeader{
		AuthenticationToken: ua.NewByteStringNodeID(0, make([]byte, 32)),
		RequestHandle:       testHandle,
		AdditionalHeader:    ua.NewExtensionObject(nil),
	}
}

// parts joins bytes: byte and int are one byte, uint16, uint32 and int32 little endian, a string
// its bytes.
func parts(values ...any) []byte {
	b := ua.NewBuffer(nil)
	for _, v := range values {
		switch v := v.(type) {
		case int:
			b.WriteByte(byte(v))
		case uint16:
			b.WriteUint16(v)
		case uint32:
			b.WriteUint32(v)
		case int32:
			b.WriteInt32(v)
		case string:
			b.Write([]byte(v))
		case []byte:
			b.Write(v)
		default:
			panic(v)
		}
	}
	return b.Bytes()
}

// rawRequest is the body of a request of v's type with these bytes after the header.
func rawRequest(t testing.TB, v any, values ...any) []byte {
	t.Helper()
	b := ua.NewBuffer(nil)
	b.WriteStruct(ua.NewFourByteExpandedNodeID(0, ua.ServiceTypeID(v)))
	b.WriteStruct(header())
	require.NoError(t, b.Error())
	return parts(b.Bytes(), parts(values...))
}

// write is a WriteRequest of one value, which is a Variant of these bytes.
func write(t testing.TB, variant ...any) []byte {
	return rawRequest(t, new(ua.WriteRequest), int32(1), 0, 85, uint32(13), int32(-1), 1, parts(variant...))
}

// refused requires that a body is refused with everything that a refusal has.
func refused(t testing.TB, g *guard.Guard, body []byte) *guard.Refusal {
	t.Helper()
	var refusal *guard.Refusal
	require.ErrorAs(t, g.Request(body), &refusal)
	require.Contains(t, []ua.StatusCode{ua.StatusBadServiceUnsupported, ua.StatusBadDecodingError, ua.StatusBadEncodingLimitsExceeded}, refusal.Status)
	require.NotEmpty(t, refusal.Reason)
	require.Less(t, len(refusal.Error()), 512)
	return refusal
}
