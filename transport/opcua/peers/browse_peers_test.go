//go:build peers

package peers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type crawled struct {
	References []string
	Continued  int
}

func (c *client) crawl(from string, most int) (got crawled) {
	c.t.Helper()
	c.do("crawl", map[string]any{"node": from, "max": most}, &got)
	slices.Sort(got.References)
	return got
}

// However few references a client wants at a time, it finds the whole tree.
func TestBrowseWithContinuation(t *testing.T) {
	p := newPlant(t)
	c := p.connect(dial{})
	plain := c.crawl("ns=0;i=84", 0)
	require.Zero(t, plain.Continued)
	require.Greater(t, len(plain.References), 100)
	for path := range p.nodes {
		found := func(line string) bool { return strings.Contains(line, " "+node(path)+" ") }
		require.True(t, slices.ContainsFunc(plain.References, found), "%s is not found", path)
	}
	for most := 1; most <= 3; most++ {
		few := c.crawl("ns=0;i=84", most)
		require.Equal(t, plain.References, few.References, "%d at a time", most)
		require.Positive(t, few.Continued)
	}
}

func TestTranslateBrowsePath(t *testing.T) {
	c := newPlant(t).connect(dial{})
	path := func(from string, names ...string) map[string]any {
		var elements []map[string]any
		for _, name := range names {
			elements = append(elements, map[string]any{
				"referenceTypeId": "i=33", "isInverse": false, "includeSubtypes": true,
				"targetName": map[string]any{"namespaceIndex": 1, "name": name},
			})
		}
		return map[string]any{"startingNode": from, "relativePath": map[string]any{"elements": elements}}
	}
	var got struct {
		Results []struct {
			StatusCode string
			Targets    []struct{ TargetID string }
		}
	}
	c.ask("TranslateBrowsePathsToNodeIds", map[string]any{"browsePaths": []any{
		path("i=85", "plant", "line", "mayStart"),
		path(node("line"), "slow"),
		path("i=85", "plant", "nowhere"),
		path("ns=1;s=nowhere", "line"),
		path("i=85"),
	}}, &got)
	require.Len(t, got.Results, 5)
	require.Equal(t, "Good", got.Results[0].StatusCode)
	require.Equal(t, node("line.mayStart"), got.Results[0].Targets[0].TargetID)
	require.Equal(t, "Good", got.Results[1].StatusCode)
	require.Equal(t, node("line.slow"), got.Results[1].Targets[0].TargetID)
	require.Equal(t, "BadNoMatch", got.Results[2].StatusCode)
	require.Equal(t, "BadNodeIdUnknown", got.Results[3].StatusCode)
	require.Equal(t, "BadNothingToDo", got.Results[4].StatusCode)
}

// OPC 10000-3, 5: which attributes a node of each class must have, and which it may have. What
// it must not have is BadAttributeIdInvalid.
func TestEveryAttribute(t *testing.T) {
	c := newPlant(t).connect(dial{})
	for _, n := range []struct {
		name, id   string
		must, may  []int
		attributes map[int]any // some values
	}{
		{"object", node("line"), []int{1, 2, 3, 4, 12}, []int{5, 6, 7, 24, 25, 26},
			map[int]any{2: 1, 4: "Line 1", 5: "where orders go", 12: 0}},
		{"variable", node("speed"), []int{1, 2, 3, 4, 13, 14, 15, 17, 18, 20}, []int{5, 6, 7, 16, 19, 24, 25, 26, 27},
			map[int]any{2: 2, 4: "speed", 13: 1.5, 14: "ns=0;i=11", 15: -1, 17: 3, 18: 3, 20: false}},
		{"read-only variable", node("counter"), []int{1, 2, 3, 4, 13, 14, 15, 17, 18, 20}, []int{5, 6, 7, 16, 19, 24, 25, 26, 27},
			map[int]any{13: 7, 14: "ns=0;i=6", 17: 1, 18: 1}},
		{"array", node("levels"), []int{1, 2, 3, 4, 13, 14, 15, 17, 18, 20}, []int{5, 6, 7, 16, 19, 24, 25, 26, 27},
			map[int]any{13: []int{1, 2, 3}, 15: 1}},
		{"method", node("line.mayStart"), []int{1, 2, 3, 4, 21, 22}, []int{5, 6, 7, 24, 25, 26},
			map[int]any{2: 4, 21: true, 22: true}},
		{"object type", "i=58", []int{1, 2, 3, 4, 8}, []int{5, 6, 7, 24, 25, 26}, map[int]any{2: 8, 4: "BaseObjectType", 8: false}},
		{"variable type", "i=63", []int{1, 2, 3, 4, 8, 14, 15}, []int{5, 6, 7, 13, 16, 24, 25, 26}, map[int]any{2: 16, 15: -2}},
		{"reference type", "i=46", []int{1, 2, 3, 4, 8, 9}, []int{5, 6, 7, 10, 24, 25, 26}, map[int]any{2: 32, 9: false}},
		{"data type", "i=11", []int{1, 2, 3, 4, 8}, []int{5, 6, 7, 23, 24, 25, 26}, map[int]any{2: 64}},
	} {
		t.Run(n.name, func(t *testing.T) {
			var all []map[string]any
			for a := 1; a <= 27; a++ {
				all = append(all, attribute(n.id, a))
			}
			for i, got := range c.in(t).readAttributes(all...) {
				a := i + 1
				switch {
				case slices.Contains(n.must, a):
					require.Equal(t, "Good", got.StatusCode, "attribute %d", a)
				case slices.Contains(n.may, a):
					require.Contains(t, []string{"Good", "BadAttributeIdInvalid"}, got.StatusCode, "attribute %d", a)
				default:
					require.Equal(t, "BadAttributeIdInvalid", got.StatusCode, "attribute %d", a)
				}
				if want, ok := n.attributes[a]; ok {
					sameJSON(t, want, got.Value.Value)
				}
			}
		})
	}
}

// What a client asks before anything else: namespaces, state, limits, and how to call a method.
func TestServerInformation(t *testing.T) {
	c := newPlant(t).connect(dial{})
	var namespaces []string
	c.do("namespaces", nil, &namespaces)
	require.Equal(t, []string{"http://opcfoundation.org/UA/", "urn:flowsync:test"}, namespaces)

	got := c.readAttributes(
		attribute("i=2254", attributeValue), // ServerArray
		attribute("i=2259", attributeValue), // State
		attribute("i=2258", attributeValue), // CurrentTime
		attribute("i=2735", attributeValue), // MaxBrowseContinuationPoints
	)
	for _, v := range got {
		require.Equal(t, "Good", v.StatusCode)
	}
	sameJSON(t, variant{"String", []string{"urn:flowsync:test"}}, got[0].Value)
	sameJSON(t, variant{"Int32", 0}, got[1].Value) // Running
	now, err := time.Parse(time.RFC3339, got[2].Value.Value.(string))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), now, patience)
	require.NotZero(t, got[3].Value.Value)

	type argument struct {
		Name, DataType string
		ValueRank      int
	}
	var definition struct{ InputArguments, OutputArguments []argument }
	c.do("arguments", map[string]any{"method": node("line.mayStart")}, &definition)
	require.Equal(t, []argument{{"order", "ns=0;i=12", -1}, {"amount", "ns=0;i=6", -1}}, definition.InputArguments)
	require.Equal(t, []argument{{"go", "ns=0;i=1", -1}, {"text", "ns=0;i=12", -1}}, definition.OutputArguments)
	c.do("arguments", map[string]any{"method": node("line.own")}, &definition)
	require.Empty(t, definition.InputArguments)
	require.Len(t, definition.OutputArguments, 1)
}

// Request and response are larger than a buffer: they go in chunks.
func TestReadOf5000Nodes(t *testing.T) {
	const n = 5000
	p := newPlantWith(t, bigTree(n), offering(append(secured, none)...))
	p.trust(trustedPKI())
	p.connect(dial{}).reads(n)
	for _, s := range secured[:2] {
		p.connect(dial{Policy: s.Policy, Mode: s.Mode, Buffer: 8192}).reads(n)
	}
}

// reads reads the first n variables of a big tree.
func (c *client) reads(n int) {
	c.t.Helper()
	var items []map[string]any
	for i := range n {
		items = append(items, attribute(node(fmt.Sprint("v", i)), attributeValue))
	}
	for i, got := range c.readAttributes(items...) {
		require.Equal(c.t, "Good", got.StatusCode)
		require.EqualValues(c.t, i, got.Value.Value)
	}
}
