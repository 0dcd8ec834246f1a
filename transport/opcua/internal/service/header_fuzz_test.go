package service

import (
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/guard"
)

// FuzzHeader: of what the guard lets through, the request header that is read by hand is the one
// that the codec decodes, and it ends where the rest of the request begins.
func FuzzHeader(f *testing.F) {
	for _, token := range []*ua.NodeID{
		ua.NewTwoByteNodeID(0), ua.NewFourByteNodeID(1, 2), ua.NewNumericNodeID(1, 70_000), ua.NewStringNodeID(1, "text"), ua.NewByteStringNodeID(0, nil),
		ua.NewGUIDNodeID(1, "72962B91-FA75-4AE6-8D28-B404DC7DAF63"), ua.NewByteStringNodeID(0, make([]byte, 32)),
	} {
		for _, more := range []*ua.ExtensionObject{ua.NewExtensionObject(nil), ua.NewExtensionObject(&ua.AnonymousIdentityToken{PolicyID: "x"})} {
			header, err := ua.Encode(&ua.RequestHeader{
				AuthenticationToken: token, Timestamp: time.Unix(1_800_000_000, 0), RequestHandle: 77, ReturnDiagnostics: 0x3ff, AuditEntryID: "audit", TimeoutHint: 1500, AdditionalHeader: more,
			})
			require.NoError(f, err)
			f.Add(header)
		}
	}
	g := guard.New(guard.Limits{})
	f.Fuzz(func(t *testing.T, header []byte) {
		b := ua.NewBuffer(nil)
		b.WriteStruct(ua.NewFourByteExpandedNodeID(0, id.CancelRequest_Encoding_DefaultBinary))
		b.Write(header)
		b.WriteUint32(0xdeadbeef)
		require.NoError(t, b.Error())
		body := b.Bytes()
		if g.Request(body) != nil {
			return
		}
		_, decoded, err := ua.DecodeService(body)
		require.NoError(t, err)
		want := decoded.(*ua.CancelRequest)
		got, structure, rest := parseHeader(body)
		require.Equal(t, uint16(id.CancelRequest_Encoding_DefaultBinary), got.service)
		require.Equal(t, body[4:], structure)
		require.Equal(t, []byte{0xef, 0xbe, 0xad, 0xde}, rest)
		require.Equal(t, want.RequestHeader.RequestHandle, got.handle)
		require.Equal(t, want.RequestHeader.ReturnDiagnostics, got.diagnostics)
		require.Equal(t, time.Duration(want.RequestHeader.TimeoutHint)*time.Millisecond, got.timeout)
		var token []byte
		if n := want.RequestHeader.AuthenticationToken; n.Type() == ua.NodeIDTypeByteString {
			whole, err := n.Encode()
			require.NoError(t, err)
			token = whole[min(len(whole), 1+2+4):] // behind type, namespace and length
		}
		require.Equal(t, string(token), string(got.token))
	})
}
