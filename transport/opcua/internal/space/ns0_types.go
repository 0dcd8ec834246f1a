package space

import (
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// Value ranks (OPC 10000-3, 5.6.2).
const (
	scalar  = -1
	anyRank = -2
)

// typeRow describes a type node.
type typeRow struct {
	id, super uint32 // super 0: the root of a hierarchy
	name      string
	abstract  bool

	symmetric bool   // of reference types
	inverse   string // of reference types

	dataType uint32 // of variable types
	rank     int32  // of variable types
}

// addTypes adds the type nodes. References need their reference type to be there, so the
// hierarchies come first, then the folders, then what links them.
func (s *Space) addTypes() {
	s.addHierarchy(ua.NodeClassReferenceType, referenceTypes)
	s.numberReferenceTypes()
	s.addHierarchy(ua.NodeClassDataType, dataTypes)
	s.addHierarchy(ua.NodeClassObjectType, objectTypes)
	s.addHierarchy(ua.NodeClassVariableType, variableTypes)
	for _, rows := range [][]typeRow{referenceTypes, dataTypes, objectTypes, variableTypes} {
		for _, row := range rows {
			if row.super != 0 {
				link(s.standard(row.super), s.standard(id.HasSubtype), s.standard(row.id))
			}
		}
	}
}

// addHierarchy adds type nodes without references.
func (s *Space) addHierarchy(class ua.NodeClass, rows []typeRow) {
	for _, row := range rows {
		n := &Node{
			ID:         standardID(row.id),
			Class:      class,
			BrowseName: &ua.QualifiedName{Name: row.name},
			traits: &traits{
				super:     s.standard(row.super),
				abstract:  row.abstract,
				symmetric: row.symmetric,
				inverse:   row.inverse,
			},
		}
		if class == ua.NodeClassVariableType {
			n.DataType = standardID(row.dataType)
			n.ValueRank = row.rank
		}
		s.insert(nil, 0, n)
	}
}

// numberReferenceTypes gives each reference type its bit, which its supertypes include.
func (s *Space) numberReferenceTypes() {
	for i, row := range referenceTypes {
		n := s.standard(row.id)
		n.traits.self = 1 << i
		for t := n; t != nil; t = t.traits.super {
			t.traits.family |= n.traits.self
		}
	}
}
