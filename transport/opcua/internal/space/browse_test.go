package space

import (
	"fmt"
	"math"
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// arrows writes references as "-HasComponent>Speed" and "<Organizes-Objects".
func arrows(found []*ua.ReferenceDescription) []string {
	out := []string{}
	for _, r := range found {
		format := "<%s-%s"
		if r.IsForward {
			format = "-%s>%s"
		}
		out = append(out, fmt.Sprintf(format, id.Name(r.ReferenceTypeID.IntID()), r.BrowseName.Name))
	}
	return out
}

func TestBrowse(t *testing.T) {
	s := plant(t)
	const forward, inverse, both = ua.BrowseDirectionForward, ua.BrowseDirectionInverse, ua.BrowseDirectionBoth
	children := []string{"-HasComponent>Speed", "-HasComponent>List", "-HasComponent>Start", "-HasComponent>Cell"}
	for name, c := range map[string]struct {
		node      *ua.NodeID
		direction ua.BrowseDirection
		kind      *ua.NodeID
		subtypes  bool
		classes   ua.NodeClass
		want      []string
	}{
		"forward":          {own("plant"), forward, nil, false, 0, append([]string{"-HasTypeDefinition>BaseObjectType"}, children...)},
		"null text":        {own("plant"), inverse, ua.NewStringNodeID(0, ""), false, 0, []string{"<Organizes-Objects"}},
		"inverse":          {own("plant"), inverse, nullID, false, 0, []string{"<Organizes-Objects"}},
		"both":             {own("plant"), both, ua.NewNumericNodeID(0, 0), true, 0, append([]string{"<Organizes-Objects", "-HasTypeDefinition>BaseObjectType"}, children...)},
		"kind":             {own("plant"), forward, standardID(id.HasComponent), false, 0, children},
		"other kind":       {own("plant"), forward, standardID(id.HasProperty), true, 0, []string{}},
		"abstract kind":    {own("plant"), forward, standardID(id.HierarchicalReferences), false, 0, []string{}},
		"its subtypes":     {own("plant"), forward, standardID(id.HierarchicalReferences), true, 0, children},
		"subtypes, both":   {own("plant"), both, standardID(id.NonHierarchicalReferences), true, 0, []string{"-HasTypeDefinition>BaseObjectType"}},
		"variables":        {own("plant"), forward, nil, false, ua.NodeClassVariable, children[:2]},
		"some classes":     {own("plant"), forward, standardID(id.Aggregates), true, ua.NodeClassMethod | ua.NodeClassObject, children[2:]},
		"no such class":    {own("plant"), both, nil, false, ua.NodeClassView, []string{}},
		"method":           {own("start"), both, nil, false, 0, []string{"<HasComponent-Plant", "-HasProperty>InputArguments", "-HasProperty>OutputArguments"}},
		"bare method":      {own("stop"), both, nil, false, 0, []string{"<HasComponent-Cell"}},
		"variable":         {own("speed"), both, nil, false, 0, []string{"<HasComponent-Plant", "-HasTypeDefinition>BaseDataVariableType"}},
		"instances of":     {standardID(id.BaseObjectType), inverse, standardID(id.HasTypeDefinition), false, 0, []string{"<HasTypeDefinition-Plant", "<HasTypeDefinition-Cell"}},
		"supertype":        {standardID(id.HasComponent), inverse, nil, false, 0, []string{"<HasSubtype-Aggregates"}},
		"root":             {standardID(id.RootFolder), forward, standardID(id.Organizes), true, 0, []string{"-Organizes>Objects", "-Organizes>Types", "-Organizes>Views"}},
		"what we have":     {standardID(id.ObjectsFolder), forward, standardID(id.Organizes), true, 0, []string{"-Organizes>Server", "-Organizes>Plant"}},
		"one of many bits": {standardID(id.Argument), forward, standardID(id.HasEncoding), false, 0, []string{"-HasEncoding>Default Binary"}},
	} {
		t.Run(name, func(t *testing.T) {
			found, status := s.Browse(&ua.BrowseDescription{
				NodeID: c.node, BrowseDirection: c.direction, ReferenceTypeID: c.kind, IncludeSubtypes: c.subtypes,
				NodeClassMask: uint32(c.classes), ResultMask: uint32(ua.BrowseResultMaskAll),
			})
			assert.Equal(t, ua.StatusOK, status)
			assert.Equal(t, c.want, arrows(found))
		})
	}
}

func TestBrowseOfWhatCannotBeBrowsed(t *testing.T) {
	s := plant(t)
	for name, c := range map[string]struct {
		d    ua.BrowseDescription
		want ua.StatusCode
	}{
		"unknown node":      {ua.BrowseDescription{NodeID: own("nowhere")}, ua.StatusBadNodeIDUnknown},
		"unknown direction": {ua.BrowseDescription{NodeID: own("plant"), BrowseDirection: 3}, ua.StatusBadBrowseDirectionInvalid},
		"unknown kind":      {ua.BrowseDescription{NodeID: own("plant"), ReferenceTypeID: own("kind")}, ua.StatusBadReferenceTypeIDInvalid},
		"null elsewhere":    {ua.BrowseDescription{NodeID: own("plant"), ReferenceTypeID: ua.NewNumericNodeID(1, 0)}, ua.StatusBadReferenceTypeIDInvalid},
		"no kind": {ua.BrowseDescription{NodeID: own("plant"), ReferenceTypeID: standardID(id.RootFolder)},
			ua.StatusBadReferenceTypeIDInvalid},
	} {
		found, status := s.Browse(&c.d)
		assert.Equal(t, c.want, status, name)
		assert.Empty(t, found, name)
	}
}

func TestBrowseTellsWhatWasAskedFor(t *testing.T) {
	s := plant(t)
	want := func(set func(d *ua.ReferenceDescription)) *ua.ReferenceDescription {
		d := &ua.ReferenceDescription{
			ReferenceTypeID: nullID, NodeID: &ua.ExpandedNodeID{NodeID: own("plant")}, BrowseName: nullName,
			DisplayName: nullText, TypeDefinition: nullExpandedID,
		}
		set(d)
		return d
	}
	for mask, w := range map[ua.BrowseResultMask]*ua.ReferenceDescription{
		0: want(func(*ua.ReferenceDescription) {}),
		ua.BrowseResultMaskReferenceTypeID: want(func(d *ua.ReferenceDescription) {
			d.ReferenceTypeID = standardID(id.Organizes)
		}),
		ua.BrowseResultMaskIsForward:   want(func(d *ua.ReferenceDescription) { d.IsForward = true }),
		ua.BrowseResultMaskNodeClass:   want(func(d *ua.ReferenceDescription) { d.NodeClass = ua.NodeClassObject }),
		ua.BrowseResultMaskBrowseName:  want(func(d *ua.ReferenceDescription) { d.BrowseName = ownName("Plant") }),
		ua.BrowseResultMaskDisplayName: want(func(d *ua.ReferenceDescription) { d.DisplayName = ua.NewLocalizedText("The plant") }),
		ua.BrowseResultMaskTypeDefinition: want(func(d *ua.ReferenceDescription) {
			d.TypeDefinition = ua.NewTwoByteExpandedNodeID(id.BaseObjectType)
		}),
	} {
		found, status := s.Browse(&ua.BrowseDescription{
			NodeID: standardID(id.ObjectsFolder), NodeClassMask: uint32(ua.NodeClassObject),
			ReferenceTypeID: standardID(id.Organizes), ResultMask: uint32(mask),
		})
		require.Equal(t, ua.StatusOK, status)
		require.Len(t, found, 2)
		assert.Equal(t, w, found[1], mask)
	}
}

func TestOnlyObjectsAndVariablesHaveATypeDefinition(t *testing.T) {
	s := plant(t)
	for _, n := range s.nodes {
		found, status := s.Browse(&ua.BrowseDescription{
			NodeID: n.ID, ReferenceTypeID: standardID(id.HasTypeDefinition), ResultMask: uint32(ua.BrowseResultMaskAll),
		})
		require.Equal(t, ua.StatusOK, status)
		if n.Class&instances == 0 {
			assert.Empty(t, found, n.ID)
			continue
		}
		require.Len(t, found, 1, n.ID)
		assert.Same(t, n.definition.expandedID, found[0].NodeID)
		assert.Same(t, nullExpandedID, found[0].TypeDefinition, "a type has no type definition")
	}
}

func TestWhatIsBrowsedComesThroughTheCodec(t *testing.T) {
	s := plant(t)
	for _, n := range s.nodes {
		for _, mask := range []ua.BrowseResultMask{0, ua.BrowseResultMaskAll} {
			found, _ := s.Browse(&ua.BrowseDescription{
				NodeID: n.ID, BrowseDirection: ua.BrowseDirectionBoth, ResultMask: uint32(mask),
			})
			for _, r := range found {
				sent, err := ua.Encode(r)
				require.NoError(t, err)
				var got ua.ReferenceDescription
				length, err := ua.Decode(sent, &got)
				require.NoError(t, err)
				assert.Equal(t, len(sent), length)
				assert.Equal(t, r.NodeID.NodeID.String(), got.NodeID.NodeID.String())
				assert.Equal(t, r.TypeDefinition.NodeID.String(), got.TypeDefinition.NodeID.String())
			}
		}
	}
}

func TestBrowseGoesOnWhereItStopped(t *testing.T) {
	s := plant(t)
	d := &ua.BrowseDescription{
		NodeID: own("plant"), ReferenceTypeID: standardID(id.HasComponent), ResultMask: uint32(ua.BrowseResultMaskAll),
	}
	all, status := s.Browse(d)
	require.Equal(t, ua.StatusOK, status)
	require.Len(t, all, 4)
	for limit := 1; limit <= 5; limit++ {
		var parts []*ua.ReferenceDescription
		var lengths []int
		for from := 0; ; {
			found, next, status := s.BrowseFrom(d, from, limit)
			require.Equal(t, ua.StatusOK, status)
			parts, lengths = append(parts, found...), append(lengths, len(found))
			if from = next; next == 0 {
				break
			}
		}
		assert.Equal(t, all, parts, limit)
		assert.Equal(t, map[int][]int{1: {1, 1, 1, 1}, 2: {2, 2}, 3: {3, 1}, 4: {4}, 5: {4}}[limit], lengths)
	}
	found, next, _ := s.BrowseFrom(d, math.MaxInt, 1)
	assert.Empty(t, found)
	assert.Zero(t, next)
}

func BenchmarkBrowse(b *testing.B) {
	s := plant(b)
	d := &ua.BrowseDescription{NodeID: own("plant"), ResultMask: uint32(ua.BrowseResultMaskAll)}
	b.ReportAllocs()
	for b.Loop() {
		s.Browse(d)
	}
}
