package space

import (
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A node is found by its encoded id exactly where it is found by the decoded one.
func TestFindEncoded(t *testing.T) {
	s := New(Info{ApplicationURI: "urn:test"})
	objects := ua.NewTwoByteNodeID(id.ObjectsFolder)
	for _, own := range []*ua.NodeID{
		ua.NewStringNodeID(1, "press"), ua.NewNumericNodeID(1, 70_000), ua.NewNumericNodeID(1, 7),
		ua.NewGUIDNodeID(1, "72962B91-FA75-4AE6-8D28-B404DC7DAF63"), ua.NewByteStringNodeID(1, []byte("opaque")),
	} {
		require.NoError(t, s.Add(objects, &Node{ID: own, Class: ua.NodeClassObject, BrowseName: &ua.QualifiedName{NamespaceIndex: 1, Name: own.String()}}))
		b, err := own.Encode()
		require.NoError(t, err)
		found, size, err := s.FindEncoded(append(b, "more"...))
		require.NoError(t, err)
		require.NotNil(t, found, own)
		assert.Same(t, s.Find(own), found)
		assert.Equal(t, len(b), size)
	}
	for _, other := range []*ua.NodeID{
		objects, ua.NewFourByteNodeID(0, id.ObjectsFolder), ua.NewNumericNodeID(0, id.ObjectsFolder), ua.NewFourByteNodeID(1, 7),
		ua.NewFourByteNodeID(2, 7), ua.NewStringNodeID(2, "press"), ua.NewStringNodeID(1, ""), ua.NewStringNodeID(1, "nothing"), ua.NewTwoByteNodeID(0),
	} {
		b, err := other.Encode()
		require.NoError(t, err)
		found, size, err := s.FindEncoded(b)
		require.NoError(t, err)
		assert.True(t, s.Find(other) == found, other)
		assert.Equal(t, len(b), size)
		for cut := range b { // what is not whole is an error, where it is one for the decoder
			var decoded ua.NodeID
			_, want := decoded.Decode(b[:cut])
			_, _, err := s.FindEncoded(b[:cut])
			assert.Equal(t, want == nil, err == nil, "%v cut to %d", other, cut)
		}
	}
	_, _, err := s.FindEncoded([]byte{9, 1, 2, 3, 4, 5, 6, 7})
	assert.Error(t, err, "of no kind")
	null := []byte{byte(ua.NodeIDTypeString), 1, 0, 0xff, 0xff, 0xff, 0xff}
	_, size, err := s.FindEncoded(null)
	assert.NoError(t, err)
	assert.Equal(t, len(null), size)
}

func TestFindEncodedAllocatesNothing(t *testing.T) {
	s := New(Info{ApplicationURI: "urn:test"})
	for _, id := range []*ua.NodeID{ua.NewTwoByteNodeID(id.ObjectsFolder), ua.NewStringNodeID(1, "a text that is longer than what fits into a small buffer")} {
		b, err := id.Encode()
		require.NoError(t, err)
		assert.Zero(t, testing.AllocsPerRun(100, func() { _, _, _ = s.FindEncoded(b) }))
	}
}
