package space

import (
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// Method finds what a Call means (OPC 10000-4, 5.12.2): the method, if the object has it as a
// component. BadNodeIdUnknown: there is no such object; BadNodeIdInvalid: it is a node of another
// class; BadMethodInvalid: the object has no such method.
func (s *Space) Method(object, method *ua.NodeID) (*Node, ua.StatusCode) {
	o := s.Find(object)
	if o == nil {
		return nil, ua.StatusBadNodeIDUnknown
	}
	if o.Class != ua.NodeClassObject {
		return nil, ua.StatusBadNodeIDInvalid
	}
	m := s.Find(method)
	if m == nil || m.Class != ua.NodeClassMethod {
		return nil, ua.StatusBadMethodInvalid
	}
	// Looked for from the method: it has one parent, an object may have thousands of methods.
	components := filter{kinds: s.standard(id.HasComponent).traits.family, inverse: true}
	for i := range m.references {
		if r := &m.references[i]; r.target == o && components.matches(r) {
			return m, ua.StatusOK
		}
	}
	return nil, ua.StatusBadMethodInvalid
}
