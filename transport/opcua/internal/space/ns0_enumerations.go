package space

import (
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// enumerations are the names of the values, from 0, of the enumerations that variables here have.
var enumerations = []struct {
	strings, of uint32
	names       []string
}{
	{id.RedundancySupport_EnumStrings, id.RedundancySupport,
		[]string{"None", "Cold", "Warm", "Hot", "Transparent", "HotAndMirrored"}},
	{id.ServerState_EnumStrings, id.ServerState,
		[]string{"Running", "Failed", "NoConfiguration", "Suspended", "Shutdown", "Test", "CommunicationFault", "Unknown"}},
}

// addEnumStrings adds the property EnumStrings to the enumerations (OPC 10000-3, 5.8.3).
func (s *Space) addEnumStrings() {
	for _, e := range enumerations {
		texts := make([]*ua.LocalizedText, len(e.names))
		for i, name := range e.names {
			texts[i] = ua.NewLocalizedText(name)
		}
		n := &Node{
			ID:              standardID(e.strings),
			Class:           ua.NodeClassVariable,
			BrowseName:      &ua.QualifiedName{Name: "EnumStrings"},
			DataType:        standardID(id.LocalizedText),
			ValueRank:       1,
			ArrayDimensions: []uint32{uint32(len(texts))},
			definition:      s.standard(id.PropertyType),
		}
		n.value.Store(s.constant(texts))
		s.insert(s.standard(e.of), id.HasProperty, n)
	}
}
