package space

import (
	"math"

	"github.com/gopcua/opcua/ua"
)

// Bounds of one browse path.
const (
	maxPathElements = 64
	maxPathTargets  = 1000
	maxPathSteps    = 1 << 20 // references looked at
)

// Translate follows a browse path (OPC 10000-4, 5.9.4). A path that finds more than 1000 targets is
// answered with BadTooManyMatches; one of more than 64 elements, or that leads past more than a
// million references, with BadQueryTooComplex.
func (s *Space) Translate(p *ua.BrowsePath) *ua.BrowsePathResult {
	found, status := s.follow(p)
	if status != ua.StatusOK {
		return &ua.BrowsePathResult{StatusCode: status}
	}
	result := &ua.BrowsePathResult{Targets: make([]*ua.BrowsePathTarget, len(found))}
	for i, n := range found {
		result.Targets[i] = &ua.BrowsePathTarget{TargetID: n.expandedID, RemainingPathIndex: math.MaxUint32}
	}
	return result
}

// follow gives the nodes at the end of a path.
func (s *Space) follow(p *ua.BrowsePath) ([]*Node, ua.StatusCode) {
	start := s.Find(p.StartingNode)
	if start == nil {
		return nil, ua.StatusBadNodeIDUnknown
	}
	if p.RelativePath == nil || len(p.RelativePath.Elements) == 0 {
		return nil, ua.StatusBadNothingToDo
	}
	elements := p.RelativePath.Elements
	if len(elements) > maxPathElements {
		return nil, ua.StatusBadQueryTooComplex
	}
	for _, e := range elements {
		if e.TargetName == nil || e.TargetName.Name == "" {
			return nil, ua.StatusBadBrowseNameInvalid
		}
	}
	at, steps := []*Node{start}, 0
	for _, e := range elements {
		for _, n := range at {
			steps += len(n.references)
		}
		if steps > maxPathSteps {
			return nil, ua.StatusBadQueryTooComplex
		}
		if at = s.step(at, e); len(at) == 0 {
			return nil, ua.StatusBadNoMatch
		}
		if len(at) > maxPathTargets {
			return nil, ua.StatusBadTooManyMatches
		}
	}
	return at, ua.StatusOK
}

// step gives the nodes that one element leads to, each once, in the order of their references.
func (s *Space) step(from []*Node, e *ua.RelativePathElement) []*Node {
	kinds, ok := s.referenceKinds(e.ReferenceTypeID, e.IncludeSubtypes)
	if !ok {
		return nil
	}
	f := filter{kinds: kinds, forward: !e.IsInverse, inverse: e.IsInverse}
	var to []*Node
	seen := make(map[*Node]bool)
	for _, n := range from {
		for i := range n.references {
			r := &n.references[i]
			if f.matches(r) && *r.target.BrowseName == *e.TargetName && !seen[r.target] {
				seen[r.target] = true
				to = append(to, r.target)
			}
		}
	}
	return to
}
