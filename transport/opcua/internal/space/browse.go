package space

import (
	"math"

	"github.com/gopcua/opcua/ua"
)

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
	if r.forward && !f.forward || !r.forward && !f.inverse || f.kinds&r.kind.traits.self == 0 {
		return false
	}
	return f.classes == 0 || f.classes&uint32(r.target.Class) != 0
}

// Browse gives all references that a description asks for, in a stable order: that of adding.
// What hangs on the descriptions is shared and not to be changed.
func (s *Space) Browse(d *ua.BrowseDescription) ([]*ua.ReferenceDescription, ua.StatusCode) {
	found, _, status := s.BrowseFrom(d, 0, math.MaxInt)
	return found, status
}

// BrowseFrom gives at most limit (at least 1) of them. Positions count the references of the node:
// from is 0 to begin with, and next is where to go on; 0: there is nothing more. As references
// do not change, a continuation point needs no more than a description and a position.
func (s *Space) BrowseFrom(d *ua.BrowseDescription, from, limit int) (found []*ua.ReferenceDescription, next int, status ua.StatusCode) {
	n, f, status := s.asked(d)
	if status != ua.StatusOK {
		return nil, 0, status
	}
	for i := from; i < len(n.references); i++ {
		r := &n.references[i]
		if !f.matches(r) {
			continue
		}
		if len(found) == limit {
			return found, i, ua.StatusOK
		}
		found = append(found, describe(r, ua.BrowseResultMask(d.ResultMask)))
	}
	return found, 0, ua.StatusOK
}

// asked gives what a description is about.
func (s *Space) asked(d *ua.BrowseDescription) (*Node, filter, ua.StatusCode) {
	n := s.Find(d.NodeID)
	if n == nil {
		return nil, filter{}, ua.StatusBadNodeIDUnknown
	}
	if d.BrowseDirection > ua.BrowseDirectionBoth {
		return nil, filter{}, ua.StatusBadBrowseDirectionInvalid
	}
	kinds, ok := s.referenceKinds(d.ReferenceTypeID, d.IncludeSubtypes)
	if !ok {
		return nil, filter{}, ua.StatusBadReferenceTypeIDInvalid
	}
	return n, filter{
		kinds:   kinds,
		forward: d.BrowseDirection != ua.BrowseDirectionInverse,
		inverse: d.BrowseDirection != ua.BrowseDirectionForward,
		classes: d.NodeClassMask,
	}, ua.StatusOK
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
		return n.traits.family, true
	}
	return n.traits.self, true
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
