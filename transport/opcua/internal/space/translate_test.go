package space

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// path makes a relative path of text such as "/Plant/!Objects": hierarchical references and their
// subtypes, inverse ones for "!". Names are of our namespace, those that begin with "0:" are standard.
func path(text string) *ua.RelativePath {
	p := &ua.RelativePath{}
	for _, part := range strings.SplitAfter(text, "/")[1:] {
		name := ownName(strings.TrimSuffix(part, "/"))
		inverse := strings.HasPrefix(name.Name, "!")
		name.Name = strings.TrimPrefix(name.Name, "!")
		if standard, ok := strings.CutPrefix(name.Name, "0:"); ok {
			name = &ua.QualifiedName{Name: standard}
		}
		p.Elements = append(p.Elements, &ua.RelativePathElement{
			ReferenceTypeID: standardID(id.HierarchicalReferences), IncludeSubtypes: true, IsInverse: inverse, TargetName: name,
		})
	}
	return p
}

func element(kind *ua.NodeID, subtypes bool, name *ua.QualifiedName) *ua.RelativePath {
	return &ua.RelativePath{Elements: []*ua.RelativePathElement{
		{ReferenceTypeID: kind, IncludeSubtypes: subtypes, TargetName: name},
	}}
}

func TestTranslate(t *testing.T) {
	s := plant(t)
	// Two cells more, of one name, each with a door.
	for _, n := range []string{"a", "b"} {
		require.NoError(t, s.Add(own("plant"), &Node{ID: own(n), Class: ua.NodeClassObject, BrowseName: ownName("Twin")}))
		require.NoError(t, s.Add(own(n), &Node{ID: own(n + "-door"), Class: ua.NodeClassObject, BrowseName: ownName("Door")}))
	}
	root, plant := standardID(id.RootFolder), own("plant")
	for name, c := range map[string]struct {
		start *ua.NodeID
		path  *ua.RelativePath
		want  []string
	}{
		"one step":        {plant, path("/Speed"), []string{"ns=1;s=speed"}},
		"several steps":   {root, path("/0:Objects/Plant/Cell/Stop"), []string{"ns=1;s=stop"}},
		"standard":        {root, path("/0:Objects/0:Server/0:ServerStatus/0:CurrentTime"), []string{"i=2258"}},
		"property":        {own("start"), path("/0:InputArguments"), []string{"ns=1;s=start.InputArguments"}},
		"several targets": {plant, path("/Twin/Door"), []string{"ns=1;s=a-door", "ns=1;s=b-door"}},
		"back":            {own("stop"), path("/!Cell/!Plant"), []string{"ns=1;s=plant"}},
		"each once":       {plant, path("/Twin/!Plant"), []string{"ns=1;s=plant"}},
		"any kind":        {plant, element(nullID, false, &ua.QualifiedName{Name: "BaseObjectType"}), []string{"i=58"}},
		"exact kind":      {plant, element(standardID(id.HasComponent), false, ownName("Speed")), []string{"ns=1;s=speed"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.Translate(&ua.BrowsePath{StartingNode: c.start, RelativePath: c.path})
			assert.Equal(t, ua.StatusOK, got.StatusCode)
			ids := []string{}
			for _, target := range got.Targets {
				assert.Equal(t, uint32(math.MaxUint32), target.RemainingPathIndex)
				ids = append(ids, target.TargetID.NodeID.String())
			}
			assert.Equal(t, c.want, ids)
		})
	}
}

func TestTranslateOfWhatLeadsNowhere(t *testing.T) {
	s := plant(t)
	plant := own("plant")
	for name, c := range map[string]struct {
		start *ua.NodeID
		path  *ua.RelativePath
		want  ua.StatusCode
	}{
		"unknown start":     {own("nowhere"), path("/Speed"), ua.StatusBadNodeIDUnknown},
		"no path":           {plant, nil, ua.StatusBadNothingToDo},
		"empty path":        {plant, path(""), ua.StatusBadNothingToDo},
		"no name":           {plant, element(nullID, false, nil), ua.StatusBadBrowseNameInvalid},
		"empty name":        {plant, path("/Cell/"), ua.StatusBadBrowseNameInvalid},
		"empty name before": {plant, path("//Cell"), ua.StatusBadBrowseNameInvalid},
		"unknown name":      {plant, path("/Nobody"), ua.StatusBadNoMatch},
		"other namespace":   {plant, path("/0:Speed"), ua.StatusBadNoMatch},
		"dead end":          {plant, path("/Speed/Speed"), ua.StatusBadNoMatch},
		"other direction":   {plant, path("/!Speed"), ua.StatusBadNoMatch},
		"without subtypes":  {plant, element(standardID(id.HierarchicalReferences), false, ownName("Speed")), ua.StatusBadNoMatch},
		"no reference type": {plant, element(own("plant"), true, ownName("Speed")), ua.StatusBadNoMatch},
		"too many elements": {plant, path(strings.Repeat("/Cell/!Plant", 33)), ua.StatusBadQueryTooComplex},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, &ua.BrowsePathResult{StatusCode: c.want}, s.Translate(&ua.BrowsePath{StartingNode: c.start, RelativePath: c.path}))
		})
	}
}

// Names that are not unique must not multiply from step to step without end.
func TestTranslateIsBounded(t *testing.T) {
	s := plant(t)
	for i := range maxPathTargets + 1 {
		require.NoError(t, s.Add(own("plant"), &Node{
			ID: own(fmt.Sprint("twin", i)), Class: ua.NodeClassObject, BrowseName: ownName("Twin"),
		}))
	}
	twins := &ua.BrowsePath{StartingNode: own("plant"), RelativePath: path("/Twin")}
	assert.Equal(t, ua.StatusBadTooManyMatches, s.Translate(twins).StatusCode)
	// More than may be looked at. Looking at these would panic.
	n := s.Find(own("plant"))
	n.references = append(n.references, make([]reference, maxPathSteps)...)
	assert.Equal(t, ua.StatusBadQueryTooComplex, s.Translate(twins).StatusCode)
}
