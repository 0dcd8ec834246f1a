package space

import (
	"fmt"
	"maps"
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// attributes are what a node is expected to have; everything else is BadAttributeIdInvalid.
type attributes map[ua.AttributeID]any

// base are the attributes of every class.
func base(nodeID *ua.NodeID, class ua.NodeClass, browse *ua.QualifiedName, display, description string) attributes {
	return attributes{
		ua.AttributeIDNodeID:        nodeID,
		ua.AttributeIDNodeClass:     int32(class),
		ua.AttributeIDBrowseName:    browse,
		ua.AttributeIDDisplayName:   ua.NewLocalizedText(display),
		ua.AttributeIDDescription:   ua.NewLocalizedText(description),
		ua.AttributeIDWriteMask:     uint32(0),
		ua.AttributeIDUserWriteMask: uint32(0),
	}
}

// standardBase are those of a standard type node.
func standardBase(number uint32, class ua.NodeClass, name string) attributes {
	return base(standardID(number), class, &ua.QualifiedName{Name: name}, name, "")
}

// with adds to them.
func (a attributes) with(more attributes) attributes {
	maps.Copy(a, more)
	return a
}

func variableAttributes(dataType uint32, rank int32, dimensions []uint32, level byte, sampling float64, value any) attributes {
	return attributes{
		ua.AttributeIDDataType:                standardID(dataType),
		ua.AttributeIDValueRank:               rank,
		ua.AttributeIDArrayDimensions:         dimensions,
		ua.AttributeIDAccessLevel:             level,
		ua.AttributeIDUserAccessLevel:         level,
		ua.AttributeIDAccessLevelEx:           uint32(level),
		ua.AttributeIDMinimumSamplingInterval: sampling,
		ua.AttributeIDHistorizing:             false,
		ua.AttributeIDValue:                   value,
	}
}

var attributeCases = map[string]attributes{
	"object": base(own("plant"), ua.NodeClassObject, ownName("Plant"), "The plant", "All of it").with(
		attributes{ua.AttributeIDEventNotifier: byte(0)}),
	"writable variable": base(own("speed"), ua.NodeClassVariable, ownName("Speed"), "Speed", "").with(
		variableAttributes(id.Double, -1, nil, 3, 100, 1.5)),
	"read-only array": base(own("list"), ua.NodeClassVariable, ownName("List"), "List", "").with(
		variableAttributes(id.Int32, 1, []uint32{0}, 1, 0, []int32{1, 2, 3})),
	"method": base(own("start"), ua.NodeClassMethod, ownName("Start"), "Start", "").with(
		attributes{ua.AttributeIDExecutable: true, ua.AttributeIDUserExecutable: true}),
	"object type": standardBase(id.BaseEventType, ua.NodeClassObjectType, "BaseEventType").with(
		attributes{ua.AttributeIDIsAbstract: true}),
	"scalar variable type": standardBase(id.ServerStatusType, ua.NodeClassVariableType, "ServerStatusType").with(attributes{
		ua.AttributeIDIsAbstract: false, ua.AttributeIDDataType: standardID(id.ServerStatusDataType),
		ua.AttributeIDValueRank: int32(-1), ua.AttributeIDArrayDimensions: []uint32(nil),
	}),
	"array variable type": standardBase(id.SessionDiagnosticsArrayType, ua.NodeClassVariableType, "SessionDiagnosticsArrayType").with(
		attributes{
			ua.AttributeIDIsAbstract: false, ua.AttributeIDDataType: standardID(id.SessionDiagnosticsDataType),
			ua.AttributeIDValueRank: int32(1), ua.AttributeIDArrayDimensions: []uint32{0},
		}),
	"reference type": standardBase(id.HasComponent, ua.NodeClassReferenceType, "HasComponent").with(attributes{
		ua.AttributeIDIsAbstract: false, ua.AttributeIDSymmetric: false,
		ua.AttributeIDInverseName: ua.NewLocalizedText("ComponentOf"),
	}),
	"symmetric reference type": standardBase(id.References, ua.NodeClassReferenceType, "References").with(
		attributes{ua.AttributeIDIsAbstract: true, ua.AttributeIDSymmetric: true}),
	"data type": standardBase(id.Number, ua.NodeClassDataType, "Number").with(
		attributes{ua.AttributeIDIsAbstract: true}),
}

func TestReadOfEveryAttributeOfEveryClass(t *testing.T) {
	s := plant(t)
	s.Find(own("speed")).Store(&ua.DataValue{Value: ua.MustVariant(1.5)})
	s.Find(own("list")).Store(&ua.DataValue{Value: ua.MustVariant([]int32{1, 2, 3})})
	for name, want := range attributeCases {
		t.Run(name, func(t *testing.T) {
			for a := range ua.AttributeID(40) {
				got := s.Read(&ua.ReadValueID{
					NodeID: want[ua.AttributeIDNodeID].(*ua.NodeID), AttributeID: a,
				}, ua.TimestampsToReturnNeither)
				value, ok := want[a]
				if !ok {
					assert.Equal(t, &ua.DataValue{EncodingMask: ua.DataValueStatusCode, Status: ua.StatusBadAttributeIDInvalid}, got, a)
					continue
				}
				assert.Equal(t, &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(value)}, got, a)
			}
		})
	}
}

// A nil pointer would be encoded to nothing, and what follows be read in its place.
func TestWhatIsReadComesThroughTheCodec(t *testing.T) {
	s := plant(t)
	require.NoError(t, s.Add(own("plant"), &Node{
		ID: own("level"), Class: ua.NodeClassVariable, BrowseName: ownName("Level"),
		DataType: standardID(id.Float), ValueRank: scalar, EURange: &ua.Range{High: 100},
	}))
	for _, n := range s.nodes {
		for a := range ua.AttributeID(28) {
			about := fmt.Sprint(n.ID, " ", a)
			read := s.Read(&ua.ReadValueID{NodeID: n.ID, AttributeID: a}, ua.TimestampsToReturnBoth)
			sent, err := read.Encode()
			require.NoError(t, err, about)
			var got ua.DataValue
			length, err := got.Decode(sent)
			require.NoError(t, err, about)
			assert.Equal(t, len(sent), length, about)
			again, err := got.Encode()
			require.NoError(t, err, about)
			assert.Equal(t, sent, again, about)
		}
	}
}
