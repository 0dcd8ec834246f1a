package guard_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/guard"
)

var (
	malformed = ua.StatusBadDecodingError
	excessive = ua.StatusBadEncodingLimitsExceeded
)

// The encoding bytes of Variants.
const (
	array  = ua.VariantArrayValues
	matrix = ua.VariantArrayValues | ua.VariantArrayDimensions
)

const (
	value     = "WriteRequest.NodesToWrite[0].Value.Value"
	arguments = "CallRequest.MethodsToCall[0].InputArguments"
)

func repeat(n int, values ...any) []byte { return bytes.Repeat(parts(values...), n) }

// call is a CallRequest with one method and so many arguments.
func call(t testing.TB, count int32, rest ...any) []byte {
	return rawRequest(t, new(ua.CallRequest), int32(1), 0, 85, 0, 86, count, parts(rest...))
}

// object is an ExtensionObject with a body of a structure of namespace 0.
func object(typeID uint16, body ...any) []byte {
	b := parts(body...)
	return parts(1, 0, typeID, 1, int32(len(b)), b)
}

type refusalCase struct {
	name   string
	body   []byte
	status ua.StatusCode
	where  string
	reason string
}

func TestRefused(t *testing.T) {
	g := guard.New(guard.Limits{})
	for _, cases := range [][]refusalCase{faults(t), counts(t), variants(t), encodings(t), objects(t)} {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				r := refused(t, g, c.body)
				require.Equal(t, c.status, r.Status, r)
				require.Equal(t, c.where, r.Where, r)
				require.Contains(t, r.Reason, c.reason)
				require.EqualValues(t, testHandle, r.Handle)
				require.ErrorIs(t, r, c.status)
			})
		}
	}
}

// faults are those that end a process which decodes them with the codec alone.
func faults(t *testing.T) []refusalCase {
	return []refusalCase{
		{"Variant array of -2 elements panics", write(t, array|6, int32(-2)), malformed, value, "array of -2 elements"},
		{"array count 0x7fffffff takes 16 GB", rawRequest(t, new(ua.WriteRequest), uint32(0x7fffffff)), malformed, "WriteRequest.NodesToWrite", "array of 2147483647 elements"},
		{"Variant array of 0x7fffffff elements", write(t, array|24, uint32(0x7fffffff)), malformed, value, "array of 2147483647 elements"},
		{"two million Variants in each other end the stack", write(t, repeat(2_000_000, 24), 0), excessive, value, "nested deeper than 16"},
		{"a million arrays of Variants in each other", write(t, repeat(200_000, array|24, int32(1)), 0), excessive, value + strings.Repeat("[0]", 15), "nested deeper than 16"},
		{"DiagnosticInfos in each other", write(t, 25, repeat(100_000, 0x40), 0), excessive, (value + strings.Repeat(".InnerDiagnosticInfo", 15))[:256] + "…", "nested deeper than 16"},
		{"DataValues in each other", write(t, repeat(100_000, 23, 1), 0), excessive, value + strings.Repeat(".Value", 7), "nested deeper than 16"},
		{"dimensions 3 × 1431655766 loop for ever", write(t, matrix|3, int32(2), 1, 2, int32(2), int32(3), int32(1431655766)), malformed, value, "dimension 0 is 3 in an array of 2"},
		{"dimensions whose product is the count after overflow", write(t, matrix|3, int32(4), "abcd", int32(2), int32(4), int32(1<<30+1)), malformed, value, "dimension 1 is 1073741825"},
		{"dimensions of the null array, with a product of -1", write(t, matrix|3, int32(-1), int32(2), int32(641), int32(6700417)), malformed, value, "dimension 0 is 641"},
		{"a hundred thousand dimensions make as many types", write(t, matrix|3, int32(1), 7, int32(100_000), repeat(100_000, int32(1))), excessive, value, "100000 dimensions, more than 16"},
	}
}

func counts(t *testing.T) []refusalCase {
	return []refusalCase{
		{"negative count", rawRequest(t, new(ua.ReadRequest), uint32(0), uint32(0), uint32(0), int32(-2)), malformed, "ReadRequest.NodesToRead", "-2 elements"},
		{"one element too many for the bytes", call(t, 3, 0, 0), malformed, arguments, "3 elements of at least 1 bytes in 2 bytes"},
		{"more elements than an array may have", rawRequest(t, new(ua.BrowseNextRequest), 0, int32(65_536), repeat(65_536, int32(-1))), excessive, "BrowseNextRequest.ContinuationPoints", "65536 elements, more than 65535"},
		{"more elements than an array in a Variant may have", write(t, array|1, int32(65_536), repeat(65_536, 1)), excessive, value, "65536 elements, more than 65535"},
		{"a longer string than is left", write(t, 12, int32(5), "abcd"), malformed, value, "string of 5 bytes in 4"},
		{"a string of -2 bytes", write(t, 12, int32(-2)), malformed, value, "string of -2 bytes"},
		{"a string of more than 1 MiB", write(t, 12, int32(1<<20+1), repeat(1<<20+1, 0)), excessive, value, "string of 1048577 bytes, more than 1048576"},
		{"a ByteString of more than 1 MiB", write(t, 15, int32(1<<20+1), repeat(1<<20+1, 0)), excessive, value, "string of 1048577 bytes, more than 1048576"},
		{"an array of small things that are large in memory", call(t, 60_000, repeat(60_000, 0)), excessive, arguments + "[22959]", "memory"},
		{"rows of many dimensions", write(t, matrix|3, int32(60_000), repeat(60_000, 1), int32(4), int32(60_000), repeat(3, int32(1))), excessive, value, "memory"},
		{"bytes after the request", parts(write(t, 0), 0), malformed, "WriteRequest", "1 bytes more"},
		{"ends in a field", rawRequest(t, new(ua.CancelRequest), uint16(1)), malformed, "CancelRequest.RequestHandle", "ends too early: 2 bytes of 4"},
	}
}

func variants(t *testing.T) []refusalCase {
	return []refusalCase{
		{"type 26", write(t, 26), malformed, value, "encoding 0x1a"},
		{"type 63", write(t, 63), malformed, value, "encoding 0x3f"},
		{"array of nulls", write(t, array, int32(1)), malformed, value, "encoding 0x80"},
		{"dimensions of a scalar", write(t, ua.VariantArrayDimensions|3, 1), malformed, value, "dimensions of no array"},
		{"negative number of dimensions", write(t, matrix|3, int32(1), 1, int32(-1)), malformed, value, "-1 dimensions"},
		{"more dimensions than bytes", write(t, matrix|3, int32(1), 1, int32(2), int32(1)), malformed, value, "2 dimensions in 4 bytes"},
		{"dimension 0", write(t, matrix|3, int32(0), int32(2), int32(0), int32(3)), malformed, value, "dimension 0 is 0"},
		{"negative dimension", write(t, matrix|3, int32(1), 1, int32(1), int32(-1)), malformed, value, "dimension 0 is -1"},
		{"dimensions of fewer elements", write(t, matrix|3, int32(4), "abcd", int32(2), int32(1), int32(3)), malformed, value, "make 3 elements, the array has 4"},
		{"dimensions of more elements", write(t, matrix|3, int32(4), "abcd", int32(2), int32(3), int32(2)), malformed, value, "dimension 1 is 2 in an array of 4"},
		{"no number of dimensions", write(t, matrix|3, int32(1), 1), malformed, value, "ends too early"},
		{"no mask", write(t), malformed, value, "ends too early"},
		{"no length", write(t, array|3), malformed, value, "ends too early"},
		{"short scalar", write(t, 11, 1, 2, 3), malformed, value, "3 bytes of 8"},
		{"short GUID", write(t, 14, 1), malformed, value, "1 bytes of 16"},
		{"error in an element", write(t, array|22, int32(2), 0, 0, 0, 0, 0, 9), malformed, value + "[1]", "encoding 9"},
		{"error in an array in an array", call(t, 2, 0, array|24, int32(2), 0, array|17, int32(1), 9, 9), malformed, arguments + "[1][1][0]", "encoding 0x09"},
	}
}

func encodings(t *testing.T) []refusalCase {
	node := func(values ...any) []byte {
		return rawRequest(t, new(ua.RegisterNodesRequest), int32(1), parts(values...))
	}
	const where = "RegisterNodesRequest.NodesToRegister[0]"
	return []refusalCase{
		{"NodeId of an unknown encoding", node(6, 0), malformed, where, "encoding 0x06"},
		{"NodeId with a namespace URI", node(0x80, 1, int32(-1)), malformed, where, "encoding 0x80"},
		{"NodeId with a server index", node(0x40, 1, int32(0)), malformed, where, "encoding 0x40"},
		{"NodeId with an unknown bit", node(0x10, 1), malformed, where, "encoding 0x10"},
		{"short NodeId", node(2, 1), malformed, where, "ends too early"},
		{"short string in a NodeId", node(3, uint16(1), int32(3), "ab"), malformed, where, "string of 3 bytes in 2"},
		{"short GUID in a NodeId", node(4, uint16(1), 1), malformed, where, "ends too early"},
		{"ExpandedNodeId with an unknown bit", write(t, 18, 0x20, 1), malformed, value, "encoding 0x20"},
		{"ExpandedNodeId without its URI", write(t, 18, 0x80, 1), malformed, value, "ends too early"},
		{"ExpandedNodeId without its index", write(t, 18, 0x40, 1), malformed, value, "ends too early"},
		{"ExpandedNodeId without anything", write(t, 18), malformed, value, "ends too early"},
		{"LocalizedText with an unknown bit", write(t, 21, 4), malformed, value, "mask 0x04"},
		{"LocalizedText with a long locale", write(t, 21, 1, int32(9)), malformed, value, "string of 9 bytes in 0"},
		{"LocalizedText with a long text", write(t, 21, 2, int32(9)), malformed, value, "string of 9 bytes in 0"},
		{"DataValue with an unknown bit", write(t, 23, 0x40), malformed, value, "mask 0x40"},
		{"DataValue without its time", write(t, 23, 4, 1), malformed, value, "1 bytes of 8"},
		{"DiagnosticInfo with an unknown bit", write(t, 25, 0x80), malformed, value, "mask 0x80"},
		{"DiagnosticInfo without its numbers", write(t, 25, 0x0f, 1), malformed, value, "1 bytes of 16"},
		{"DiagnosticInfo with a long text", write(t, 25, 0x10, int32(9)), malformed, value + ".AdditionalInfo", "string of 9 bytes"},
		{"DiagnosticInfo without its status", write(t, 25, 0x20), malformed, value, "0 bytes of 4"},
	}
}

func objects(t *testing.T) []refusalCase {
	filter := func(object []byte) []byte { return write(t, 22, object) }
	return []refusalCase{
		{"structure of the codec that is not on the list", filter(object(id.BuildInfo_Encoding_DefaultBinary, 1)), malformed, value, "structure that is not read here (i=340)"},
		{"the same, with a namespace URI", filter(parts(0x81, 0, uint16(340), int32(1), "x", 1, int32(1), 1)), malformed, value, "structure that is not read here"},
		{"the same, with a server index", filter(parts(0x41, 0, uint16(340), uint32(7), 1, int32(1), 1)), malformed, value, "structure that is not read here"},
		{"a structure of the list, with a namespace URI", filter(parts(0x82, uint16(0), uint32(id.Range_Encoding_DefaultBinary), int32(1), "x", 1, int32(16), repeat(16, 0))), malformed, value, "structure that is not read here"},
		{"the same, written longer", filter(parts(2, uint16(0), uint32(340), 1, int32(1), 1)), malformed, value, "structure that is not read here (i=340)"},
		{"structure longer than its length", filter(object(id.Range_Encoding_DefaultBinary, 1)), malformed, value + ".Range.Low", "1 bytes of 8"},
		{"structure shorter than its length", filter(object(id.ElementOperand_Encoding_DefaultBinary, uint32(1), 0)), malformed, value + ".ElementOperand", "1 bytes more"},
		{"length of more than is left", filter(parts(1, 0, uint16(340), 1, int32(2), 1)), malformed, value, "string of 2 bytes in 1"},
		{"negative length", filter(parts(1, 0, uint16(340), 1, int32(-2), 1)), malformed, value, "string of -2 bytes"},
		{"no length", filter(parts(0, 0, 1)), malformed, value, "ends too early"},
		{"no encoding", filter(parts(0, 0)), malformed, value, "ends too early"},
		{"no type", filter(nil), malformed, value + ".TypeId", "ends too early"},
		{"unknown encoding", filter(parts(0, 0, 3, int32(1), 1)), malformed, value, "encoding 3"},
		{"XML", filter(parts(1, 0, uint16(339), 2, int32(4), "<a/>")), malformed, value, "XML"},
		{"structures in each other", filter(operands(20)), excessive, value + strings.Repeat(".LiteralOperand.Value", 7), "nested deeper than 16"},
	}
}

// operands are LiteralOperands with a Variant with a LiteralOperand.
func operands(n int) []byte {
	inner := object(id.LiteralOperand_Encoding_DefaultBinary, 0)
	for range n {
		inner = object(id.LiteralOperand_Encoding_DefaultBinary, 22, inner)
	}
	return inner
}

func TestServicesThatAreNotOffered(t *testing.T) {
	g := guard.New(guard.Limits{})
	request := &ua.HistoryReadRequest{RequestHeader: header(), HistoryReadDetails: ua.NewExtensionObject(nil)}
	withURI := parts(0x81, 0, uint16(id.CancelRequest_Encoding_DefaultBinary), int32(-1))
	for _, c := range []struct {
		name   string
		body   []byte
		status ua.StatusCode
		handle uint32
	}{
		{"known to the codec", encode(t, request), ua.StatusBadServiceUnsupported, testHandle},
		{"a response", parts(1, 0, uint16(id.ServiceFault_Encoding_DefaultBinary), repeat(24, 9)), ua.StatusBadServiceUnsupported, 0},
		{"a part of a request that the codec knows as a service", encode(t, &ua.CallMethodRequest{ObjectID: ua.NewTwoByteNodeID(0), MethodID: ua.NewTwoByteNodeID(0)}), ua.StatusBadServiceUnsupported, 0},
		{"no number", parts(3, uint16(0), int32(5), "i=631", 0, 0, repeat(8, 0), uint32(testHandle)), ua.StatusBadServiceUnsupported, testHandle},
		{"another namespace", parts(1, 1, uint16(id.CancelRequest_Encoding_DefaultBinary), 0, 0, repeat(8, 0), uint32(testHandle)), ua.StatusBadServiceUnsupported, testHandle},
		{"a namespace URI", parts(withURI, 0, 0, repeat(8, 0), uint32(testHandle)), ua.StatusBadServiceUnsupported, testHandle},
		{"header ends before the handle", parts(1, 0, uint16(1), 0, 0, repeat(8, 0), uint16(1)), ua.StatusBadServiceUnsupported, 0},
		{"header begins with no NodeId", parts(1, 0, uint16(1), 9), ua.StatusBadServiceUnsupported, 0},
		{"nothing", nil, malformed, 0},
		{"no type id", parts(1, 0), malformed, 0},
		{"a type id of another encoding", parts(9, 0, 0, repeat(8, 0), uint32(testHandle)), malformed, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := refused(t, g, c.body)
			require.Equal(t, c.status, r.Status)
			require.Equal(t, c.handle, r.Handle)
			require.NotContains(t, r.Error(), "..")
		})
	}
}

// TestNumbersInAnyEncoding: the codec looks types up by number, however that is written.
func TestNumbersInAnyEncoding(t *testing.T) {
	g := guard.New(guard.Limits{})
	long := encode(t, &ua.CancelRequest{RequestHeader: header()})[4:]
	require.NoError(t, g.Request(parts(2, uint16(0), uint32(id.CancelRequest_Encoding_DefaultBinary), long)))
	refused(t, g, write(t, 22, parts(2, uint16(0), uint32(id.Range_Encoding_DefaultBinary), 1, int32(1), 1)))
}

// TestObjectsThatNobodyReads: the codec skips them, and the rest of the request is decoded.
func TestObjectsThatNobodyReads(t *testing.T) {
	g := guard.New(guard.Limits{})
	for name, o := range map[string][]byte{
		"null":                       {0, 0, 0},
		"a known type without body":  parts(1, 0, uint16(id.Range_Encoding_DefaultBinary), 0),
		"an empty body":              parts(1, 0, uint16(id.Range_Encoding_DefaultBinary), 1, int32(0)),
		"a null body":                parts(1, 0, uint16(id.Range_Encoding_DefaultBinary), 1, int32(-1)),
		"an unknown type, no body":   parts(1, 0, uint16(1), 0),
		"an empty XML body":          parts(1, 0, uint16(1), 2, int32(0)),
		"a newer number":             object(19_754, 1, 2),
		"a number with a URI":        parts(0x81, 0, uint16(19_754), int32(1), "x", 1, int32(1), 1),
		"a number of a vendor":       parts(1, 2, uint16(id.Range_Encoding_DefaultBinary), 1, int32(2), 0xff, 0xff),
		"a large number of a vendor": parts(2, uint16(300), uint32(1<<31), 1, int32(2), 0xff, 0xff),
		"a name in namespace 0":      parts(3, uint16(0), int32(5), "i=886", 1, int32(2), 0xff, 0xff),
		"a GUID":                     parts(4, uint16(2), repeat(16, 7), 1, int32(2), 0xff, 0xff),
	} {
		t.Run(name, func(t *testing.T) {
			body := write(t, 22, o)
			require.NoError(t, g.Request(body))
			_, got, err := ua.DecodeService(body)
			require.NoError(t, err)
			require.Nil(t, got.(*ua.WriteRequest).NodesToWrite[0].Value.Value.ExtensionObject().Value)
		})
	}
}

func TestLimitsCanBeSet(t *testing.T) {
	g := guard.New(guard.Limits{MaxArray: 2, MaxString: 32, MaxDepth: 4})
	for _, body := range [][]byte{
		write(t, array|3, int32(2), 1, 2), write(t, 12, int32(32), repeat(32, 9)),
		write(t, 24, 24, 0), write(t, matrix|3, int32(1), 1, int32(4), repeat(4, int32(1))),
	} {
		require.NoError(t, g.Request(body))
	}
	for _, body := range [][]byte{
		write(t, array|3, int32(3), 1, 2, 3), write(t, 12, int32(33), repeat(33, 9)),
		write(t, 24, 24, 24, 0), write(t, matrix|3, int32(1), 1, int32(5), repeat(5, int32(1))),
	} {
		require.Equal(t, excessive, refused(t, g, body).Status)
	}
}
