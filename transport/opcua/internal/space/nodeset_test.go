package space

import (
	"encoding/xml"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/schema"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The nodeset that the OPC Foundation publishes is the oracle for the standard nodes.
type (
	setNode struct {
		XMLName         xml.Name
		NodeID          string         `xml:"NodeId,attr"`
		BrowseName      string         `xml:"BrowseName,attr"`
		IsAbstract      bool           `xml:"IsAbstract,attr"`
		Symmetric       bool           `xml:"Symmetric,attr"`
		DataType        string         `xml:"DataType,attr"`
		ValueRank       *int32         `xml:"ValueRank,attr"`
		ArrayDimensions string         `xml:"ArrayDimensions,attr"`
		InverseName     string         `xml:"InverseName"`
		References      []setReference `xml:"References>Reference"`
		Texts           []string       `xml:"Value>ListOfLocalizedText>LocalizedText>Text"`
	}
	setReference struct {
		Kind    string `xml:"ReferenceType,attr"`
		Forward string `xml:"IsForward,attr"`
		Target  string `xml:",chardata"`
	}
	nodeSet struct {
		Aliases []struct {
			Name string `xml:"Alias,attr"`
			ID   string `xml:",chardata"`
		} `xml:"Aliases>Alias"`
		Nodes []setNode `xml:",any"`
	}
	// triple is a reference in forward direction, by node ids.
	triple struct{ source, kind, target string }
)

// oracle is the nodeset, ready to be asked.
type oracle struct {
	aliases    map[string]string
	nodes      map[string]*setNode
	references map[triple]bool
}

var loadOracle = sync.OnceValues(func() (*oracle, error) {
	var set nodeSet
	if err := xml.Unmarshal(schema.OpcUaNodeSet2, &set); err != nil {
		return nil, err
	}
	o := &oracle{map[string]string{}, map[string]*setNode{}, map[triple]bool{}}
	for _, a := range set.Aliases {
		o.aliases[a.Name] = a.ID
	}
	for i := range set.Nodes {
		n := &set.Nodes[i]
		o.nodes[n.NodeID] = n
		for _, r := range n.References {
			if r.Forward == "false" {
				o.references[triple{r.Target, o.id(r.Kind), n.NodeID}] = true
			} else {
				o.references[triple{n.NodeID, o.id(r.Kind), r.Target}] = true
			}
		}
	}
	return o, nil
})

// id resolves an alias.
func (o *oracle) id(name string) string {
	if number, ok := o.aliases[name]; ok {
		return number
	}
	return name
}

func standardNodes(t *testing.T, s *Space) map[string]*Node {
	found := make(map[string]*Node)
	for k, n := range s.nodes {
		require.Zero(t, k.namespace)
		found[n.ID.String()] = n
	}
	return found
}

func TestStandardNodesAreThoseOfTheNodeset(t *testing.T) {
	o, err := loadOracle()
	require.NoError(t, err)
	nodes := standardNodes(t, New(testInfo()))
	assert.Greater(t, len(nodes), 200)
	for number, n := range nodes {
		want := o.nodes[number]
		if !assert.NotNil(t, want, number) {
			continue
		}
		about := fmt.Sprint(number, " ", n.BrowseName.Name)
		assert.Equal(t, want.XMLName.Local, "UA"+n.Class.String()[len("NodeClass"):], about)
		assert.Equal(t, ua.QualifiedName{Name: want.BrowseName}, *n.BrowseName, about)
		assert.Equal(t, want.InverseName, inverseName(n), about)
		assert.Equal(t, want.IsAbstract, n.traits != nil && n.traits.abstract, about)
		assert.Equal(t, want.Symmetric, n.traits != nil && n.traits.symmetric, about)
		if n.has(ua.AttributeIDDataType) {
			checkValued(t, o, want, n, about)
		}
	}
}

func inverseName(n *Node) string {
	if n.traits == nil {
		return ""
	}
	return n.traits.inverse
}

// checkValued compares what Variables and VariableTypes have.
func checkValued(t *testing.T, o *oracle, want *setNode, n *Node, about string) {
	dataType := o.id(want.DataType)
	if dataType == "" {
		dataType = "i=24"
	}
	assert.Equal(t, dataType, n.DataType.String(), about)
	rank := int32(-1)
	if want.ValueRank != nil {
		rank = *want.ValueRank
	}
	assert.Equal(t, rank, n.ValueRank, about)
	dimensions := strings.Trim(strings.ReplaceAll(fmt.Sprint(n.dimensions()), " ", ","), "[]")
	assert.Equal(t, want.ArrayDimensions, dimensions, about)
	if n.BrowseName.Name != "EnumStrings" {
		return
	}
	var texts []string
	for _, text := range n.Load().Value.Value().([]*ua.LocalizedText) {
		texts = append(texts, text.Text)
	}
	assert.Equal(t, want.Texts, texts, about)
}

func TestStandardReferencesAreThoseOfTheNodeset(t *testing.T) {
	o, err := loadOracle()
	require.NoError(t, err)
	nodes := standardNodes(t, New(testInfo()))
	ours := make(map[triple]bool)
	for number, n := range nodes {
		for _, r := range n.references {
			if r.forward {
				ref := triple{number, r.kind.ID.String(), r.target.ID.String()}
				assert.False(t, ours[ref], "%v is there twice", ref)
				ours[ref] = true
				assert.True(t, o.references[ref], "%v is not in the nodeset", ref)
			}
		}
	}
	for ref := range o.references {
		if nodes[ref.source] != nil && nodes[ref.target] != nil {
			assert.True(t, ours[ref], "%v (%s to %s) is missing", ref,
				o.nodes[ref.source].BrowseName, o.nodes[ref.target].BrowseName)
		}
	}
}

func TestEveryStandardNodeIsReachedFromTheRoot(t *testing.T) {
	s := New(testInfo())
	seen := map[string]bool{}
	var visit func(n *ua.NodeID)
	visit = func(n *ua.NodeID) {
		if seen[n.String()] {
			return
		}
		seen[n.String()] = true
		found, status := s.Browse(&ua.BrowseDescription{
			NodeID: n, ReferenceTypeID: standardID(id.References), IncludeSubtypes: true,
		})
		require.Equal(t, ua.StatusOK, status)
		for _, r := range found {
			visit(r.NodeID.NodeID)
		}
	}
	visit(standardID(id.RootFolder))
	assert.Len(t, seen, len(s.nodes))
}

func TestUnstatedLimitsAreLeftOut(t *testing.T) {
	s := New(Info{})
	assert.Nil(t, s.standard(id.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead))
	assert.Nil(t, s.standard(id.Server_ServerCapabilities_MaxSessions))
	assert.NotNil(t, s.standard(id.Server_ServerCapabilities_MaxBrowseContinuationPoints))
	assert.NotNil(t, s.standard(id.Server_ServerCapabilities_MinSupportedSampleRate))
	assert.False(t, s.standard(id.Server_ServerStatus_StartTime).Load().Value.Time().IsZero())
}
