package space

import (
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// CanCall judges what a Call means (OPC 10000-4, 5.12.2): the object must have the method as a
// component. nil is a node that there is not. BadNodeIdUnknown: there is no such object;
// BadNodeIdInvalid: it is a node of another class; BadMethodInvalid: the object has no such method.
func (s *Space) CanCall(o, m *Node) ua.StatusCode {
	switch {
	case o == nil:
		return ua.StatusBadNodeIDUnknown
	case o.Class != ua.NodeClassObject:
		return ua.StatusBadNodeIDInvalid
	case m == nil || m.Class != ua.NodeClassMethod:
		return ua.StatusBadMethodInvalid
	}
	// Looked for from the method: it has one parent, an object may have thousands of methods.
	components := filter{kinds: s.standard(id.HasComponent).traits.family, inverse: true}
	for i := range m.references {
		if r := &m.references[i]; r.target == o && components.matches(r) {
			return ua.StatusOK
		}
	}
	return ua.StatusBadMethodInvalid
}
