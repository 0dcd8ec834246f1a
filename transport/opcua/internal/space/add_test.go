package space

import (
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAddRefusesWhatDoesNotFit(t *testing.T) {
	double := standardID(id.Double)
	object := func(id *ua.NodeID) *Node {
		return &Node{ID: id, Class: ua.NodeClassObject, BrowseName: ownName("New")}
	}
	variable := func(dataType *ua.NodeID) *Node {
		return &Node{ID: own("new"), Class: ua.NodeClassVariable, BrowseName: ownName("New"), DataType: dataType}
	}
	withRange := func(n *Node) *Node { n.EURange = &ua.Range{High: 1}; return n }
	for name, c := range map[string]struct {
		parent *ua.NodeID
		node   *Node
		want   string
	}{
		"no id":               {own("plant"), object(nil), "must be in namespace 1"},
		"standard namespace":  {own("plant"), object(standardID(id.Server)), "node id i=2253: must be in namespace 1"},
		"other namespace":     {own("plant"), object(ua.NewNumericNodeID(2, 1)), "must be in namespace 1"},
		"no name":             {own("plant"), &Node{ID: own("new"), Class: ua.NodeClassObject}, "has no browse name"},
		"empty name":          {own("plant"), &Node{ID: own("new"), Class: ua.NodeClassObject, BrowseName: ownName("")}, "has no browse name"},
		"duplicate":           {own("plant"), object(own("speed")), "ns=1;s=speed: is used twice"},
		"arguments' id":       {own("plant"), object(own("start.InputArguments")), "used twice (or by the arguments of a method)"},
		"unknown parent":      {own("nowhere"), object(own("new")), "its parent ns=1;s=nowhere does not exist"},
		"no parent":           {nil, object(own("new")), "does not exist"},
		"object in variable":  {own("speed"), object(own("new")), "must be below an object, not below ns=1;s=speed"},
		"variable in method":  {own("start"), variable(double), "must be below an object or a variable"},
		"below a type":        {standardID(id.BaseObjectType), object(own("new")), "must be below an object"},
		"no data type":        {own("plant"), variable(nil), "needs a data type"},
		"a type":              {own("plant"), &Node{ID: own("new"), Class: ua.NodeClassDataType, BrowseName: ownName("New")}, "cannot be added"},
		"arguments of nobody": {own("plant"), &Node{ID: own("new"), Class: ua.NodeClassObject, BrowseName: ownName("New"), Inputs: []*ua.Argument{{}}}, "only a method has arguments"},
		"range of an object":  {own("plant"), withRange(object(own("new"))), "only a variable whose data type is a number"},
		"range of a text":     {own("plant"), withRange(variable(standardID(id.String))), "only a variable whose data type is a number"},
		"range of a mystery":  {own("plant"), withRange(variable(own("mystery"))), "only a variable whose data type is a number"},
	} {
		t.Run(name, func(t *testing.T) {
			s := plant(t)
			before := len(s.nodes)
			require.ErrorContains(t, s.Add(c.parent, c.node), c.want)
			assert.Len(t, s.nodes, before, "nothing of it is there")
		})
	}
}

func TestAddBelowAFolderOrganizesAllButMethods(t *testing.T) {
	s := New(testInfo())
	for _, n := range []*Node{
		{ID: own("object"), Class: ua.NodeClassObject, BrowseName: ownName("Object")},
		{ID: own("variable"), Class: ua.NodeClassVariable, BrowseName: ownName("Variable"), DataType: standardID(id.Int32)},
		{ID: own("method"), Class: ua.NodeClassMethod, BrowseName: ownName("Method")},
	} {
		require.NoError(t, s.Add(standardID(id.ObjectsFolder), n))
	}
	require.NoError(t, s.Add(own("variable"), &Node{
		ID: own("part"), Class: ua.NodeClassVariable, BrowseName: ownName("Part"), DataType: standardID(id.Int32),
	}))
	found, _ := s.Browse(&ua.BrowseDescription{NodeID: standardID(id.ObjectsFolder), ResultMask: uint32(ua.BrowseResultMaskAll)})
	assert.Equal(t, []string{
		"-HasTypeDefinition>FolderType", "-Organizes>Server", "-Organizes>Object", "-Organizes>Variable", "-HasComponent>Method",
	}, arrows(found))
	found, _ = s.Browse(&ua.BrowseDescription{NodeID: own("variable"), ResultMask: uint32(ua.BrowseResultMaskAll)})
	assert.Equal(t, []string{"-HasTypeDefinition>BaseDataVariableType", "-HasComponent>Part"}, arrows(found))
}

func TestAddKeepsAValueThatWasStoredBefore(t *testing.T) {
	s := New(testInfo())
	n := &Node{ID: own("v"), Class: ua.NodeClassVariable, BrowseName: ownName("V"), DataType: standardID(id.Int32)}
	n.Store(&ua.DataValue{Value: ua.MustVariant(int32(7))})
	require.NoError(t, s.Add(standardID(id.ObjectsFolder), n))
	assert.Equal(t, int32(7), s.Find(own("v")).Load().Value.Value())
	assert.Nil(t, s.standard(id.ObjectsFolder).Load(), "only Variables have values")
}

func TestArgumentsBecomeProperties(t *testing.T) {
	s := plant(t)
	n := s.Find(own("start.InputArguments"))
	require.NotNil(t, n)
	assert.Equal(t, ua.QualifiedName{Name: "InputArguments"}, *n.BrowseName)
	assert.Equal(t, []uint32{2}, n.ArrayDimensions)
	assert.Equal(t, int32(1), n.ValueRank)
	assert.True(t, n.DataType.Equal(standardID(id.Argument)))
	assert.Same(t, s.standard(id.PropertyType), n.definition)
	list := n.Load().Value.Value().([]*ua.ExtensionObject)
	assert.Equal(t, &ua.Argument{
		Name: "order", DataType: standardID(id.String), ValueRank: -1, ArrayDimensions: []uint32{}, Description: &ua.LocalizedText{},
	}, list[0].Value)
	assert.Equal(t, "mm", list[1].Value.(*ua.Argument).Description.Text)
	assert.Nil(t, s.Find(own("start")).Inputs[0].Description, "what was added is not changed")
	assert.Nil(t, s.Find(own("stop.InputArguments")), "a method without arguments has no such property")
	assert.Nil(t, s.Find(own("stop.OutputArguments")))
}

func TestPropertiesHaveIDsOfTheirOwn(t *testing.T) {
	s := New(testInfo())
	method := func(id *ua.NodeID) {
		require.NoError(t, s.Add(standardID(85), &Node{
			ID: id, Class: ua.NodeClassMethod, BrowseName: ownName("M"), Inputs: []*ua.Argument{{Name: "a"}},
		}))
	}
	method(ua.NewNumericNodeID(1, 7))
	method(own("7")) // whose property would have the same id
	method(ua.NewGUIDNodeID(1, "1111AAAA-22BB-33CC-44DD-55EE77FF9900"))
	for text, owner := range map[string]*ua.NodeID{
		"7.InputArguments": ua.NewFourByteNodeID(1, 7), "7.InputArguments.2": own("7"),
		"1111AAAA-22BB-33CC-44DD-55EE77FF9900.InputArguments": ua.NewGUIDNodeID(1, "1111AAAA-22BB-33CC-44DD-55EE77FF9900"),
	} {
		found, status := s.Browse(&ua.BrowseDescription{NodeID: own(text), BrowseDirection: ua.BrowseDirectionInverse})
		require.Equal(t, ua.StatusOK, status, text)
		require.Len(t, found, 1, text)
		assert.Equal(t, owner.String(), found[0].NodeID.NodeID.String(), text)
	}
}

func TestARangeMakesAnAnalogItem(t *testing.T) {
	s := New(testInfo())
	n := &Node{
		ID: own("level"), Class: ua.NodeClassVariable, BrowseName: ownName("Level"), DataType: standardID(id.UInt16),
		ValueRank: scalar, EURange: &ua.Range{Low: -1, High: 99},
	}
	require.NoError(t, s.Add(standardID(id.ObjectsFolder), n))
	assert.Same(t, s.standard(id.AnalogItemType), n.definition)
	got := s.Translate(&ua.BrowsePath{
		StartingNode: own("level"), RelativePath: element(standardID(id.HasProperty), true, &ua.QualifiedName{Name: "EURange"}),
	})
	require.Len(t, got.Targets, 1)
	property := s.Find(got.Targets[0].TargetID.NodeID)
	assert.Equal(t, &ua.Range{Low: -1, High: 99}, property.Load().Value.ExtensionObject().Value)
	assert.True(t, property.DataType.Equal(standardID(id.Range)))
}

func TestMethodFindsWhatACallMeans(t *testing.T) {
	s := plant(t)
	for name, c := range map[string]struct {
		object, method *ua.NodeID
		want           ua.StatusCode
	}{
		"component":         {own("plant"), own("start"), ua.StatusOK},
		"component of cell": {own("cell"), own("stop"), ua.StatusOK},
		"unknown object":    {own("nowhere"), own("start"), ua.StatusBadNodeIDUnknown},
		"no object":         {nil, own("start"), ua.StatusBadNodeIDUnknown},
		"variable":          {own("speed"), own("start"), ua.StatusBadNodeIDInvalid},
		"type":              {standardID(id.BaseObjectType), own("start"), ua.StatusBadNodeIDInvalid},
		"unknown method":    {own("plant"), own("nothing"), ua.StatusBadMethodInvalid},
		"no method":         {own("plant"), own("speed"), ua.StatusBadMethodInvalid},
		"of another object": {own("plant"), own("stop"), ua.StatusBadMethodInvalid},
		"of its parent":     {own("cell"), own("start"), ua.StatusBadMethodInvalid},
		"of a grandparent":  {standardID(id.ObjectsFolder), own("start"), ua.StatusBadMethodInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, s.CanCall(s.Find(c.object), s.Find(c.method)))
		})
	}
}
