package service

import (
	"fmt"
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/guard"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
)

// writeOf is the body of a Write of one value, which is encoded as item.
func writeOf(t testing.TB, item []byte) []byte {
	b := ua.NewBuffer(nil)
	b.WriteStruct(ua.NewFourByteExpandedNodeID(0, id.WriteRequest_Encoding_DefaultBinary))
	b.WriteStruct(&ua.RequestHeader{AuthenticationToken: ua.NewByteStringNodeID(0, make([]byte, 32)), AdditionalHeader: ua.NewExtensionObject(nil)})
	b.WriteInt32(1)
	b.Write(item)
	require.NoError(t, b.Error())
	return b.Bytes()
}

// FuzzWriteValue: of what the guard lets through, what is read by hand is what the codec decodes.
func FuzzWriteValue(f *testing.F) {
	objects := ua.NewTwoByteNodeID(id.ObjectsFolder)
	for _, node := range []*ua.NodeID{
		objects, ua.NewFourByteNodeID(0, id.ObjectsFolder), ua.NewNumericNodeID(0, id.ObjectsFolder), ua.NewStringNodeID(1, "speed"),
		ua.NewStringNodeID(1, ""), ua.NewByteStringNodeID(1, []byte("speed")), ua.NewGUIDNodeID(1, "72962B91-FA75-4AE6-8D28-B404DC7DAF63"),
	} {
		for _, v := range []any{1.5, "text", []int32{1, 2}} {
			item, err := ua.Encode(&ua.WriteValue{
				NodeID: node, AttributeID: ua.AttributeIDValue, IndexRange: "0:1",
				Value: &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(v)},
			})
			require.NoError(f, err)
			f.Add(item)
		}
	}
	s := space.New(space.Info{ApplicationURI: "urn:test"})
	speed := &space.Node{ID: ua.NewStringNodeID(1, "speed"), Class: ua.NodeClassObject, BrowseName: &ua.QualifiedName{NamespaceIndex: 1, Name: "speed"}}
	require.NoError(f, s.Add(objects, speed))
	g := guard.New(guard.Limits{})
	f.Fuzz(func(t *testing.T, item []byte) {
		body := writeOf(t, item)
		if g.Request(body) != nil {
			return
		}
		_, _, rest := parseHeader(body)
		read := reader{rest: rest}
		require.Equal(t, 1, read.count())
		var got written
		require.NoError(t, got.read(&read, s))
		require.Empty(t, read.rest)

		var want ua.WriteValue
		size, err := ua.Decode(item, &want)
		require.NoError(t, err)
		require.Len(t, item, size)
		require.True(t, s.Find(want.NodeID) == got.node)
		require.Equal(t, want.AttributeID, got.attribute)
		require.Equal(t, want.IndexRange, got.indexRange)
		require.Equal(t, writtenAgain(want.Value), writtenAgain(&got.value))
	})
}

// writtenAgain is a value as the codec writes it, or what it says instead: of an extension object
// without a body it panics. No Variable takes one.
func writtenAgain(v *ua.DataValue) (text string) {
	defer func() {
		if fault := recover(); fault != nil {
			text = fmt.Sprint("panic: ", fault)
		}
	}()
	b, err := v.Encode()
	return fmt.Sprintf("%x %v", b, err)
}
