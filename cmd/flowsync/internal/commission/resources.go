package commission

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v4"
)

const (
	httpServerType  = "Cybus::Server::Http"
	opcuaServerType = "Cybus::Server::Opcua"
	httpNodeType    = "Cybus::Node::Http"
	opcuaNodeType   = "Cybus::Node::Opcua"
	mappingType     = "Cybus::Mapping"
)

// served are the types that are, in the order in which they are read: nodes refer to servers,
// and mappings to nodes, wherever they stand in a file.
var served = []string{httpServerType, opcuaServerType, httpNodeType, opcuaNodeType, mappingType}

// notServed are types that Connectware knows and this version does not serve. They are refused
// by name, also when unknown types are not: what a file asks for must not vanish silently.
var notServed = []string{
	"Cybus::Connection", "Cybus::Endpoint", "Cybus::User", "Cybus::Role", "Cybus::Container", "Cybus::Volume", "Cybus::Link", "Cybus::IngressRoute", "Cybus::File",
}

// service reads the resources of one file.
type service struct {
	*Service
	*resolver
	lenient bool

	places     map[string]Position    // of all resources
	types      map[string]string      // of all resources
	order      map[string][]string    // the ids of each type that is served, as in the file
	properties map[string]*object     // of those
	servers    map[string]*HTTPServer // also disabled ones
	branches   map[string]*branch     // OPC UA servers and their nodes; also disabled ones
	nodes      map[string]*Node       // of all protocols; also disabled ones
}

func (s *service) read(resources *yaml.Node) {
	s.places = map[string]Position{}
	s.types, s.order, s.properties = map[string]string{}, map[string][]string{}, map[string]*object{}
	s.servers, s.branches, s.nodes = map[string]*HTTPServer{}, map[string]*branch{}, map[string]*Node{}
	s.eachEntry(resources, "resources", func(key, val *yaml.Node) {
		s.places[key.Value] = s.at(key)
		s.resource(key.Value, s.resolve(val, 1))
	})
	if len(s.resources) == 0 {
		s.errorf(s.Pos, "the file has no resources")
	}
	if s.exhausted {
		return // half a file would have problems that the whole one has not
	}
	reads := map[string]func(id string){
		httpServerType: s.httpServer, opcuaServerType: s.opcuaServer,
		httpNodeType: s.httpNode, opcuaNodeType: s.opcuaNode, mappingType: s.mapping,
	}
	for _, typ := range served {
		for _, id := range s.order[typ] {
			reads[typ](id)
		}
	}
	s.plant()
}

// resource reads what all resources have, and judges the type.
func (s *service) resource(id string, v *value) {
	o := s.object(v, "resource "+clip(id))
	o.require("type")
	o.ignore("dependsOn")
	o.refuseUnlessTrue("condition")
	typ := o.text("type", "")
	properties := o.val.get("properties")
	o.ignore("properties")
	o.done()
	s.types[id] = typ
	switch {
	case typ == "" && o.field("type") == nil, typ == "" && o.field("type").kind != stringKind:
		return // reported
	case slices.Contains(notServed, typ):
		s.errorf(o.place("type"), "%s is a %s, which is not supported in this version, and nothing is left out silently: take it out of the file", o.what, typ)
		return
	case !slices.Contains(served, typ):
		hint := didYouMean(typ, served)
		if best := nearest(typ, slices.Concat(served, notServed)); best != "" {
			hint = didYouMean(typ, []string{best})
		}
		s.add(Problem{Pos: o.place("type"), Text: "unknown type of " + o.what + ": " + o.field("type").shown(), Hint: hint, Warning: s.lenient})
		return
	}
	if properties == nil {
		properties = &value{pos: v.pos}
	}
	s.order[typ] = append(s.order[typ], id)
	s.properties[id] = s.object(properties, clip(id))
}

// refuseUnlessTrue refuses a property that could leave out what it belongs to.
func (o *object) refuseUnlessTrue(name string) {
	if v := o.val.get(name); v != nil && v.kind == boolKind && v.boolean {
		o.ignore(name)
		return
	}
	o.refuse(name)
}

// find gives the resource of one type that a property refers to; nil, and a problem, if it is
// something else.
func find[T any](s *service, o *object, name, want string, among map[string]*T) *T {
	v := o.field(name)
	if v == nil {
		return nil
	}
	if v.kind != stringKind {
		o.wrong(v, name, "!ref to a "+want)
		return nil
	}
	if found := among[v.text]; found != nil {
		return found
	}
	if typ := s.types[v.text]; typ != "" {
		s.errorf(v.pos, "%s of %s is %s, which is of type %s, want a %s", name, o.what, clip(v.text), clip(typ), want)
		return nil
	}
	var known []string
	if !s.full() && len(among) <= maxKnown {
		known = slices.Sorted(maps.Keys(among))
	}
	s.unknown(v.pos, name+" of "+o.what+":", v.text, known)
	return nil
}

// enabled reads targetState.
func (o *object) enabled() bool { return o.oneOf("targetState", "enabled", "disabled") != "disabled" }

func (o *object) qos() byte { return byte(o.integer("qos", 0, 0, 2, "0, 1 or 2")) }
