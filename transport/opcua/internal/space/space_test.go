package space

import (
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testInfo() Info {
	return Info{
		ApplicationURI: "urn:test:flowsync", ProductURI: "urn:product", ProductName: "flowsync", Manufacturer: "us",
		Version: "1.2.3", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		MaxSessions: 1, MaxArrayLength: 2, MaxStringLength: 3, MaxByteStringLength: 4,
		MaxBrowseContinuationPoints: 5, MaxNodesPerRead: 6, MaxNodesPerWrite: 7, MaxNodesPerMethodCall: 8,
		MaxNodesPerBrowse: 9, MaxNodesPerTranslate: 10, MaxMonitoredItemsPerCall: 11, MaxNodesPerRegister: 12,
		MaxSubscriptions: 13, MaxSubscriptionsPerSession: 14, MaxMonitoredItems: 15,
		MaxMonitoredItemsPerSubscription: 16, MaxMonitoredItemsQueueSize: 17, MinSupportedSampleRate: 18,
		Policies: []string{"http://opcfoundation.org/UA/SecurityPolicy#None"},
	}
}

// own makes a node id of the test's namespace.
func own(text string) *ua.NodeID { return ua.NewStringNodeID(ownNamespace, text) }

func ownName(text string) *ua.QualifiedName {
	return &ua.QualifiedName{NamespaceIndex: ownNamespace, Name: text}
}

// plant is a space with a small tree: an object with two variables, a method and a child.
func plant(t testing.TB) *Space {
	t.Helper()
	s := New(testInfo())
	add := func(parent *ua.NodeID, n *Node) {
		t.Helper()
		require.NoError(t, s.Add(parent, n))
	}
	add(standardID(id.ObjectsFolder), &Node{
		ID: own("plant"), Class: ua.NodeClassObject, BrowseName: ownName("Plant"), DisplayName: "The plant",
		Description: "All of it",
	})
	add(own("plant"), &Node{
		ID: own("speed"), Class: ua.NodeClassVariable, BrowseName: ownName("Speed"),
		DataType: standardID(id.Double), ValueRank: scalar, Writable: true, MinSampling: 100,
	})
	add(own("plant"), &Node{
		ID: own("list"), Class: ua.NodeClassVariable, BrowseName: ownName("List"),
		DataType: standardID(id.Int32), ValueRank: 1,
	})
	add(own("plant"), &Node{
		ID: own("start"), Class: ua.NodeClassMethod, BrowseName: ownName("Start"),
		Inputs: []*ua.Argument{
			{Name: "order", DataType: standardID(id.String), ValueRank: scalar},
			{Name: "sizes", DataType: standardID(id.Int32), ValueRank: 1, Description: ua.NewLocalizedText("mm")},
		},
		Outputs: []*ua.Argument{{Name: "ok", DataType: standardID(id.Boolean), ValueRank: scalar}},
	})
	add(own("plant"), &Node{ID: own("cell"), Class: ua.NodeClassObject, BrowseName: ownName("Cell")})
	add(own("cell"), &Node{ID: own("stop"), Class: ua.NodeClassMethod, BrowseName: ownName("Stop")})
	return s
}

func TestOneIDInAllItsEncodingsIsOneNode(t *testing.T) {
	s := New(testInfo())
	want := s.Find(ua.NewTwoByteNodeID(id.RootFolder))
	require.NotNil(t, want)
	assert.Same(t, want, s.Find(ua.NewFourByteNodeID(0, id.RootFolder)))
	assert.Same(t, want, s.Find(ua.NewNumericNodeID(0, id.RootFolder)))
	for name, other := range map[string]*ua.NodeID{
		"namespace": ua.NewNumericNodeID(1, id.RootFolder), "text": ua.NewStringNodeID(0, "84"), "none": nil,
		"opaque": ua.NewByteStringNodeID(0, []byte("84")), "guid": ua.NewGUIDNodeID(1, "1111AAAA-22BB-33CC-44DD-55EE77FF9900"),
	} {
		assert.Nil(t, s.Find(other), name)
	}
}
