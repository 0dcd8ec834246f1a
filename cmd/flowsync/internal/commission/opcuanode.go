package commission

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/flowsync-go/flowsync/transport/opcua"
)

var classes = map[string]opcua.Class{"Object": opcua.Object, "Variable": opcua.Variable, "Method": opcua.Method}

func (s *service) opcuaNode(id string) {
	o := s.properties[id]
	o.require("parent", "browseName", "nodeType")
	n := &OPCUANode{
		Node:        Node{ID: id, Pos: s.places[id]},
		BrowseName:  s.browseName(o),
		NodeID:      s.nodeID(o),
		DisplayName: o.text("displayName", ""),
		Description: o.text("description", ""),
	}
	s.branches[id] = &branch{id: id, node: n, enabled: o.enabled(), pos: n.Pos, properties: o}
	s.nodes[id] = &n.Node
	nodeType := o.oneOf("nodeType", "Object", "Variable", "Method")
	n.Class = classes[nodeType]
	switch n.Class {
	case opcua.Object:
		o.unfit(nodeType, "operation", "topic", "qos", "retain", "rules", "transaction",
			"dataType", "valueRank", "initialValue", "inputArguments", "outputArguments")
	case opcua.Variable:
		o.unfit(nodeType, "inputArguments", "outputArguments")
		s.variable(o, n)
	case opcua.Method:
		o.unfit(nodeType, "dataType", "valueRank", "initialValue")
		s.method(o, n)
	default: // it is not known what else belongs here
		o.ignore("operation", "topic", "qos", "retain", "rules", "transaction",
			"dataType", "valueRank", "initialValue", "inputArguments", "outputArguments")
	}
	s.noEffect(o, "inputBuffering", "requests are published as they come")
	for _, name := range []string{"interpolation", "minTimeInterval", "maxTimeInterval"} {
		s.noEffect(o, name, "there is no history")
	}
	o.refuseTrue("historize")
	o.refuse("serializeDataType")
	o.ignore("parent") // which is looked for when all are read: it may stand below
	o.done()
}

// unfit refuses properties that a node of this type has not.
func (o *object) unfit(nodeType string, names ...string) {
	for _, name := range names {
		if o.has(name) {
			o.errorf(o.place(name), "%s has %s, which does not go with nodeType %s", o.what, name, nodeType)
		}
		o.ignore(name)
	}
}

func (s *service) browseName(o *object) string {
	name := o.text("browseName", "")
	o.checkName("browseName")
	return name
}

// checkName refuses names that could not be told or shown.
func (o *object) checkName(property string) {
	v := o.field(property)
	if v == nil || v.kind != stringKind {
		return
	}
	if v.text == "" || len(v.text) > maxName || strings.ContainsFunc(v.text, unicode.IsControl) {
		o.wrong(v, property, "a name of at most 512 bytes, without control characters")
	}
}

func (s *service) variable(o *object, n *OPCUANode) {
	o.require("dataType")
	ok := false
	n.DataType, ok = s.dataType(o)
	if ok {
		n.Initial = s.initialValue(o, n.DataType)
	}
	o.ignore("initialValue")
	if !o.has("operation") {
		s.constant(o)
		return
	}
	n.Node = s.node(o, n.ID, variableOperations)
	s.opcuaTransaction(o, n)
}

// constant judges a Variable without an operation: clients read its initial value, and nothing
// changes it.
func (s *service) constant(o *object) {
	o.ignore("operation")
	for _, name := range []string{"transaction", "rules", "topic", "qos", "retain"} {
		if o.has(name) {
			s.errorf(o.place(name), "%s has %s, but no operation: nothing of it is published or received", o.what, name)
		}
		o.ignore(name)
	}
	if !o.has("initialValue") {
		s.warnf(o.val.pos, "%s has neither operation nor initialValue: clients will never read a value", o.what)
	}
}

func (s *service) method(o *object, n *OPCUANode) {
	o.require("operation")
	n.Node = s.node(o, n.ID, methodOperations)
	n.Inputs = s.arguments(o, "inputArguments")
	n.Outputs = s.arguments(o, "outputArguments")
	if n.Operation == ServerReceives && len(n.Outputs) > 0 {
		s.errorf(o.place("outputArguments"), "%s has outputArguments, but serverReceives answers at once, without values: use operation transaction", o.what)
	}
	s.opcuaTransaction(o, n)
}

// structured are the names that Connectware has for what may be of any type.
var structured = map[string]bool{"structure": true, "extensionobject": true, "variant": true, "datavalue": true, "i=22": true}

// dataType reads dataType and valueRank; false if there is none, or it is wrong and reported.
func (s *service) dataType(o *object) (opcua.DataType, bool) {
	rank := o.field("valueRank")
	array := int64(-1)
	if rank != nil {
		array = rank.integer
		if rank.kind != intKind || array != -1 && array != 1 {
			o.wrong(rank, "valueRank", "-1 (a single value) or 1 (an array)")
			array = -1
		}
	}
	name := o.text("dataType", "")
	v := o.field("dataType")
	if v == nil || v.kind != stringKind {
		return opcua.DataType{}, false
	}
	dataType, err := opcua.ParseDataType(name, int(array))
	if foreign := strings.HasPrefix(name, "ns=") && !strings.HasPrefix(name, "ns=0;"); foreign || structured[strings.ToLower(name)] {
		s.errorf(v.pos, "dataType of %s is %s, and structures and other types that are not built into OPC UA are not supported: give its parts as arguments or Variables of their own, or a String", o.what, v.shown())
		return opcua.DataType{}, false
	}
	if err != nil {
		s.errorf(v.pos, "dataType of %s: %v", o.what, err)
		return opcua.DataType{}, false
	}
	return dataType, true
}

// initialValue reads a value that fits the data type; nil if there is none, or it is wrong and
// reported.
func (s *service) initialValue(o *object, dataType opcua.DataType) json.RawMessage {
	v := o.field("initialValue")
	if v == nil || v.holdsBroken() {
		return nil
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v.plain())
	text := strings.TrimSuffix(b.String(), "\n")
	if err == nil {
		_, err = dataType.Parse([]byte(text))
	}
	if err != nil {
		s.errorf(v.pos, "initialValue of %s does not fit its dataType: %v", o.what, err)
		return nil
	}
	return json.RawMessage(text)
}

// arguments reads inputArguments or outputArguments.
func (s *service) arguments(o *object, name string) []opcua.Argument {
	v := o.field(name)
	if v == nil {
		return nil
	}
	if v.kind != listKind {
		o.wrong(v, name, "a list of {name, dataType}")
		return nil
	}
	var all []opcua.Argument
	places := map[string]Position{}
	for _, item := range v.items {
		a := s.object(item, "an entry of "+name+" of "+o.what)
		a.require("name", "dataType")
		argument := opcua.Argument{Name: a.text("name", ""), Description: a.text("description", "")}
		a.checkName("name")
		if argument.Name != "" {
			a.what = "argument " + clip(argument.Name) + " of " + o.what
		}
		argument.DataType, _ = s.dataType(a)
		a.done()
		if first, twice := places[argument.Name]; twice && argument.Name != "" {
			s.errorf(a.place("name"), "%s of %s has two arguments of the name %q: the first is at %s", name, o.what, clip(argument.Name), first)
		} else {
			places[argument.Name] = a.place("name")
		}
		all = append(all, argument)
	}
	return all
}
