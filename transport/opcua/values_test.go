package opcua_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// The codec can neither read nor write the last DateTime, nor write an array of ByteString; the
// server can.
func TestValuesThatTheCodecCannotWrite(t *testing.T) {
	when := value.Type{Builtin: ua.TypeIDDateTime}
	blobs := value.Type{Builtin: ua.TypeIDByteString, Array: true}
	arguments := []opcua.Argument{{Name: "when", DataType: when}, {Name: "blobs", DataType: blobs}}
	ends := &opcua.Node{Class: opcua.Variable, BrowseName: "Ends", DataType: when, Initial: []byte(`"9999-12-31T23:59:59Z"`)}
	method := &opcua.Node{Class: opcua.Method, BrowseName: "Ask", Inputs: arguments, Outputs: arguments}
	h := build(t, func(h *house, o *opcua.Options) {
		method.Transaction = h.transaction(method, core.NodeOptions{})
		o.Root = &opcua.Node{Class: opcua.Object, BrowseName: "Press", Children: []*opcua.Node{ends, method}}
	})
	const text = `{"when":"9999-12-31T23:59:59Z","blobs":["AQ==","","AgM="]}`
	h.respond(method, func(r *mem.Request) {
		require.JSONEq(t, text, string(r.Value))
		require.NoError(t, r.Answer(r.Value))
	})
	c := h.login(nil)

	body, err := c.Encode(call("Press", "Press.Ask", int64(math.MaxInt64), "blobs"))
	require.NoError(t, err)
	last := binary.LittleEndian.AppendUint64(nil, math.MaxInt64)
	body = bytes.Replace(body, append([]byte{8}, last...), append([]byte{13}, last...), 1)
	body = bytes.Replace(body, []byte("\x0c\x05\x00\x00\x00blobs"), []byte("\x8f\x03\x00\x00\x00\x01\x00\x00\x00\x01\xff\xff\xff\xff\x02\x00\x00\x00\x02\x03"), 1)
	response, err := c.DoBody(h.ctx, body)
	require.NoError(t, err)
	result := response.(*ua.CallResponse).Results[0]
	require.Equal(t, ua.StatusOK, result.StatusCode)
	meant := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	require.Equal(t, meant, when.Adapt(result.OutputArguments[0]).Value())
	require.Equal(t, [][]byte{{1}, nil, {2, 3}}, result.OutputArguments[1].Value())

	read := ask[*ua.ReadResponse](h, c, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{
		NodeID: ua.NewStringNodeID(1, "Press.Ends"), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{},
	}}})
	require.Equal(t, meant, when.Adapt(read.Results[0].Value).Value())
}
