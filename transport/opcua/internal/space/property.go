package space

import (
	"fmt"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// addArguments adds the property that describes a method's arguments; without arguments there is
// none (OPC 10000-3, 5.7).
func (s *Space) addArguments(m *Node, name string, arguments []*ua.Argument) {
	if len(arguments) == 0 {
		return
	}
	list := make([]*ua.ExtensionObject, len(arguments))
	for i, a := range arguments {
		list[i] = ua.NewExtensionObject(complete(a))
	}
	s.addProperty(m, &Node{
		BrowseName:      &ua.QualifiedName{Name: name},
		DataType:        standardID(id.Argument),
		ValueRank:       1,
		ArrayDimensions: []uint32{uint32(len(list))},
	}, list)
}

// complete gives a copy of an argument that can be encoded.
func complete(a *ua.Argument) *ua.Argument {
	c := *a
	if c.DataType == nil {
		c.DataType = standardID(id.BaseDataType)
	}
	if c.ArrayDimensions == nil {
		c.ArrayDimensions = []uint32{}
	}
	if c.Description == nil {
		c.Description = nullText
	}
	return &c
}

// addRange adds the property of a Variable that says between which values it normally is
// (OPC 10000-8, 5.3.2.3).
func (s *Space) addRange(n *Node) {
	r := *n.EURange
	s.addProperty(n, &Node{
		BrowseName: &ua.QualifiedName{Name: "EURange"},
		DataType:   standardID(id.Range),
		ValueRank:  scalar,
	}, ua.NewExtensionObject(&r))
}

// addProperty completes a property, which never changes, and adds it to its node.
func (s *Space) addProperty(n, property *Node, v any) {
	property.ID = s.propertyID(n, property.BrowseName.Name)
	property.Class = ua.NodeClassVariable
	property.definition = s.standard(id.PropertyType)
	property.value.Store(s.constant(v))
	s.insert(n, id.HasProperty, property)
}

// propertyID makes a node id of that of the node: ns=1;s=start has ns=1;s=start.InputArguments,
// ns=1;i=7 has ns=1;s=7.InputArguments. If it is taken, a number makes the difference.
func (s *Space) propertyID(n *Node, name string) *ua.NodeID {
	base := n.ID.StringID()
	if keyOf(n.ID).kind == ua.NodeIDTypeNumeric {
		base = fmt.Sprint(n.ID.IntID())
	}
	base += "." + name
	made := ua.NewStringNodeID(ownNamespace, base)
	for i := 2; s.Find(made) != nil; i++ {
		made = ua.NewStringNodeID(ownNamespace, fmt.Sprintf("%s.%d", base, i))
	}
	return made
}
