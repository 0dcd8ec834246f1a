package space

import "github.com/gopcua/opcua/ua"

// What stands for a field that was not asked for: a nil pointer would spoil the stream.
var (
	nullID         = ua.NewTwoByteNodeID(0)
	nullExpandedID = ua.NewTwoByteExpandedNodeID(0)
	nullName       = &ua.QualifiedName{}
	nullText       = &ua.LocalizedText{}
)

// filter says which references are meant.
type filter struct {
	kinds            uint64 // bits of reference types
	forward, inverse bool
	classes          uint32 // of targets; 0: all
}

func (f *filter) matches(r *reference) bool {
	if r.forward && !f.forward || !r.forward && !f.inverse || f.kinds&r.kind.kind.self == 0 {
		return false
	}
	return f.classes == 0 || f.classes&uint32(r.target.Class) != 0
}

// Browse gives all references that a description asks for, in a stable order: that of adding.
func (s *Space) Browse(d *ua.BrowseDescription) ([]*ua.ReferenceDescription, ua.StatusCode) {
	n := s.Find(d.NodeID)
	if n == nil {
		return nil, ua.StatusBadNodeIDUnknown
	}
	if d.BrowseDirection > ua.BrowseDirectionBoth {
		return nil, ua.StatusBadBrowseDirectionInvalid
	}
	kinds, ok := s.referenceKinds(d.ReferenceTypeID, d.IncludeSubtypes)
	if !ok {
		return nil, ua.StatusBadReferenceTypeIDInvalid
	}
	f := filter{
		kinds:   kinds,
		forward: d.BrowseDirection != ua.BrowseDirectionInverse,
		inverse: d.BrowseDirection != ua.BrowseDirectionForward,
		classes: d.NodeClassMask,
	}
	var found []*ua.ReferenceDescription
	for i := range n.references {
		if r := &n.references[i]; f.matches(r) {
			found = append(found, describe(r, ua.BrowseResultMask(d.ResultMask)))
		}
	}
	return found, ua.StatusOK
}

// referenceKinds gives the reference types that an id means: all for a null id. false: it is not
// that of a reference type.
func (s *Space) referenceKinds(id *ua.NodeID, subtypes bool) (uint64, bool) {
	k := keyOf(id)
	if k.null() {
		return ^uint64(0), true
	}
	n := s.nodes[k]
	if n == nil || n.Class != ua.NodeClassReferenceType {
		return 0, false
	}
	if subtypes {
		return n.kind.family, true
	}
	return n.kind.self, true
}

// describe tells of a reference what the mask asks for.
func describe(r *reference, mask ua.BrowseResultMask) *ua.ReferenceDescription {
	d := &ua.ReferenceDescription{
		ReferenceTypeID: nullID,
		NodeID:          r.target.expandedID,
		BrowseName:      nullName,
		DisplayName:     nullText,
		TypeDefinition:  nullExpandedID,
	}
	if mask&ua.BrowseResultMaskReferenceTypeID != 0 {
		d.ReferenceTypeID = r.kind.ID
	}
	if mask&ua.BrowseResultMaskIsForward != 0 {
		d.IsForward = r.forward
	}
	if mask&ua.BrowseResultMaskNodeClass != 0 {
		d.NodeClass = r.target.Class
	}
	if mask&ua.BrowseResultMaskBrowseName != 0 {
		d.BrowseName = r.target.BrowseName
	}
	if mask&ua.BrowseResultMaskDisplayName != 0 {
		d.DisplayName = r.target.displayName
	}
	if mask&ua.BrowseResultMaskTypeDefinition != 0 && r.target.definition != nil {
		d.TypeDefinition = r.target.definition.expandedID
	}
	return d
}
