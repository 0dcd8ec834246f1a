package space

import (
	"reflect"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// variableRow describes a standard variable. Its value rank is that of its value.
type variableRow struct {
	id, parent uint32
	definition uint32 // PropertyType: a property, else a component
	name       string
	dataType   uint32
	value      any // what a Variant can hold, or live
}

// live is the value of a variable that is computed when it is read.
type live func(now time.Time) any

// addVariables adds standard variables, each after its parent.
func (s *Space) addVariables(rows []variableRow) {
	for _, row := range rows {
		n := &Node{
			ID:         standardID(row.id),
			Class:      ua.NodeClassVariable,
			BrowseName: &ua.QualifiedName{Name: row.name},
			DataType:   standardID(row.dataType),
			ValueRank:  scalar,
			definition: s.standard(row.definition),
		}
		s.setValue(n, row.value)
		reference := uint32(id.HasComponent)
		if row.definition == id.PropertyType {
			reference = id.HasProperty
		}
		s.insert(s.standard(row.parent), reference, n)
	}
}

// setValue makes a node live, or gives it a constant and the rank of that.
func (s *Space) setValue(n *Node, v any) {
	if compute, ok := v.(live); ok {
		n.MinSampling = s.info.MinSupportedSampleRate
		n.live = func(now time.Time) *ua.DataValue {
			return &ua.DataValue{
				EncodingMask:    ua.DataValueValue | ua.DataValueSourceTimestamp,
				Value:           ua.MustVariant(compute(now)),
				SourceTimestamp: now,
			}
		}
		return
	}
	if reflect.TypeOf(v).Kind() == reflect.Slice {
		n.ValueRank = 1
	}
	n.value.Store(s.constant(v))
}

// stated leaves out limits that are 0: not stated.
func stated(rows []variableRow) []variableRow {
	kept := rows[:0]
	for _, row := range rows {
		if row.value != uint32(0) {
			kept = append(kept, row)
		}
	}
	return kept
}

// serverVariables are the properties of the Server object and of two of its components
// (OPC 10000-5, 6.3.1, 6.3.3 and 6.3.7).
func (s *Space) serverVariables() []variableRow {
	const property = id.PropertyType
	return []variableRow{
		{id.Server_ServerArray, id.Server, property, "ServerArray", id.String, []string{s.info.ApplicationURI}},
		{id.Server_NamespaceArray, id.Server, property, "NamespaceArray", id.String,
			[]string{"http://opcfoundation.org/UA/", s.info.ApplicationURI}},
		{id.Server_ServiceLevel, id.Server, property, "ServiceLevel", id.Byte, byte(255)},
		{id.Server_Auditing, id.Server, property, "Auditing", id.Boolean, false},
		{id.Server_ServerDiagnostics_EnabledFlag, id.Server_ServerDiagnostics, property, "EnabledFlag", id.Boolean, false},
		{id.Server_ServerRedundancy_RedundancySupport, id.Server_ServerRedundancy, property, "RedundancySupport",
			id.RedundancySupport, int32(ua.RedundancySupportNone)},
	}
}
