package guard_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/guard"
)

// TestLargeRequestsPass: the budget is for what nobody means. These are denser than what clients
// send: the shortest ids and values, thousands at once.
func TestLargeRequestsPass(t *testing.T) {
	node := ua.NewTwoByteNodeID(85)
	text := strings.Repeat("x", 8)
	for name, request := range map[string]any{
		"read 65535 nodes": &ua.ReadRequest{RequestHeader: header(), NodesToRead: slices.Repeat([]*ua.ReadValueID{
			{NodeID: node, AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}}}, 65_535)},
		"write 10000 Booleans": &ua.WriteRequest{RequestHeader: header(), NodesToWrite: slices.Repeat([]*ua.WriteValue{
			{NodeID: node, AttributeID: ua.AttributeIDValue, Value: dataValue(true)}}, 10_000)},
		"write 65535 Doubles": &ua.WriteRequest{RequestHeader: header(), NodesToWrite: []*ua.WriteValue{
			{NodeID: node, Value: dataValue(make([]float64, 65_535))}}},
		"write 65535 Strings": &ua.WriteRequest{RequestHeader: header(), NodesToWrite: []*ua.WriteValue{
			{NodeID: node, Value: dataValue(slices.Repeat([]string{text}, 65_535))}}},
		"write a matrix of 250 × 250": &ua.WriteRequest{RequestHeader: header(), NodesToWrite: []*ua.WriteValue{
			{NodeID: node, Value: dataValue(slices.Repeat([][]int16{make([]int16, 250)}, 250))}}},
		"write 1 MiB": &ua.WriteRequest{RequestHeader: header(), NodesToWrite: []*ua.WriteValue{
			{NodeID: node, Value: dataValue(make([]byte, 1<<20))}}},
		"call 1000 Methods with 10 arguments": &ua.CallRequest{RequestHeader: header(), MethodsToCall: slices.Repeat([]*ua.CallMethodRequest{
			{ObjectID: node, MethodID: node, InputArguments: slices.Repeat([]*ua.Variant{ua.MustVariant(true)}, 10)}}, 1000)},
		"call a Method with 10000 texts": &ua.CallRequest{RequestHeader: header(), MethodsToCall: []*ua.CallMethodRequest{
			{ObjectID: node, MethodID: node, InputArguments: slices.Repeat([]*ua.Variant{ua.MustVariant(text)}, 10_000)}}},
		"translate 1000 paths of 10 elements": &ua.TranslateBrowsePathsToNodeIDsRequest{RequestHeader: header(), BrowsePaths: slices.Repeat([]*ua.BrowsePath{
			{StartingNode: node, RelativePath: &ua.RelativePath{Elements: slices.Repeat([]*ua.RelativePathElement{
				{ReferenceTypeID: ua.NewTwoByteNodeID(id.Organizes), TargetName: &ua.QualifiedName{Name: "x"}}}, 10)}}}, 1000)},
		"acknowledge 65535 notifications": &ua.PublishRequest{RequestHeader: header(),
			SubscriptionAcknowledgements: slices.Repeat([]*ua.SubscriptionAcknowledgement{{}}, 65_535)},
		"register 20000 nodes": &ua.RegisterNodesRequest{RequestHeader: header(), NodesToRegister: slices.Repeat([]*ua.NodeID{node}, 20_000)},
		"monitor 10000 nodes": &ua.CreateMonitoredItemsRequest{RequestHeader: header(), ItemsToCreate: slices.Repeat([]*ua.MonitoredItemCreateRequest{{
			ItemToMonitor:       &ua.ReadValueID{NodeID: node, DataEncoding: &ua.QualifiedName{}},
			RequestedParameters: &ua.MonitoringParameters{Filter: ua.NewExtensionObject(&ua.DataChangeFilter{})}}}, 10_000)},
	} {
		t.Run(name, func(t *testing.T) {
			body := encode(t, request)
			require.LessOrEqual(t, len(body), 2<<20)
			require.NoError(t, guard.New(guard.Limits{}).Request(body))
		})
	}
}

func dataValue(v any) *ua.DataValue {
	return &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(v)}
}
