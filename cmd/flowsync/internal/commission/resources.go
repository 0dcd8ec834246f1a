package commission

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

const (
	httpServerType = "Cybus::Server::Http"
	httpNodeType   = "Cybus::Node::Http"
	mappingType    = "Cybus::Mapping"
)

var served = []string{httpServerType, httpNodeType, mappingType}

// notServed are types that Connectware knows and this version does not serve. They are refused
// by name, also when unknown types are not: what a file asks for must not vanish silently.
var notServed = []string{
	"Cybus::Server::Opcua", "Cybus::Node::Opcua", "Cybus::Connection", "Cybus::Endpoint", "Cybus::User", "Cybus::Role",
	"Cybus::Container", "Cybus::Volume", "Cybus::Link", "Cybus::IngressRoute", "Cybus::File", "Cybus::Node",
}

// service reads the resources of one file.
type service struct {
	*Service
	*resolver
	lenient bool

	order      []string           // ids of the resources that are served
	types      map[string]string  // of them
	properties map[string]*object // of them
	servers    map[string]*HTTPServer
	nodes      map[string]*HTTPNode // also disabled ones
	buffering  bool                 // inputBuffering was seen: said once
}

func (s *service) read(n *yaml.Node) {
	s.servers, s.nodes = map[string]*HTTPServer{}, map[string]*HTTPNode{}
	s.properties, s.types = map[string]*object{}, map[string]string{}
	eachEntry(s.resolver, n, "resources", func(key, val *yaml.Node) { s.resource(key.Value, s.resolve(val, 1)) })
	for _, typ := range served { // servers before nodes before mappings, wherever they stand
		for _, id := range s.order {
			if s.types[id] != typ {
				continue
			}
			switch typ {
			case httpServerType:
				s.httpServer(id)
			case httpNodeType:
				s.httpNode(id)
			case mappingType:
				s.mapping(id)
			}
		}
	}
}

// resource reads what all resources have, and judges the type.
func (s *service) resource(id string, v *value) {
	o := s.object(v, "resource "+id)
	o.ignore("condition", "dependsOn")
	typ := o.text("type", "")
	properties := o.field("properties")
	o.done()
	o.require("type")
	if condition := v.get("condition"); condition != nil && !(condition.kind == boolKind && condition.boolean) {
		s.errorf(condition.pos, "condition of %s is not supported in this version", o.what)
	}
	switch {
	case typ == "":
		return
	case slices.Contains(notServed, typ):
		s.errorf(v.get("type").pos, "resource %s: %s is not supported in this version, and is not left out silently", id, typ)
		return
	case !slices.Contains(served, typ):
		p := Problem{Pos: v.get("type").pos, Text: "unknown resource type " + clip(typ), Warning: s.lenient, Hint: didYouMean(typ, slices.Concat(served, notServed))}
		s.add(p)
		return
	}
	if properties == nil {
		properties = &value{kind: mapKind, pos: v.pos}
	}
	s.order = append(s.order, id)
	s.types[id] = typ
	s.properties[id] = s.object(properties, id)
}

// state reads targetState.
func (o *object) enabled() bool {
	return o.oneOf("targetState", "enabled", "enabled", "disabled", "connected", "disconnected") != "disabled"
}

func (o *object) qos() byte {
	return byte(o.integer("qos", 0, 0, 2, "0, 1 or 2"))
}

// rules reads a list of rules and compiles them to find what is wrong with them.
func (o *object) rules(name string, transaction bool) []rules.Spec {
	v := o.field(name)
	if v == nil {
		return nil
	}
	if v.kind != listKind {
		o.wrong(v, name, "a list of rules")
		return nil
	}
	var specs []rules.Spec
	places := map[string]Position{}
	for _, item := range v.items {
		if item.kind != mapKind || len(item.entries) != 1 {
			o.errorf(item.pos, "a rule is a map with one name, such as transform: {expression: …}")
			continue
		}
		e := item.entries[0]
		places[e.pos.String()] = e.pos
		specs = append(specs, rules.Spec{Kind: e.key, Args: e.val.plain(), At: e.pos.String()})
	}
	_, problems := rules.Compile(specs, rules.CompileOptions{Transaction: transaction})
	for _, p := range problems {
		at, ok := places[p.At]
		if !ok {
			at = v.pos
		}
		o.add(Problem{Pos: at, Text: p.Text, Hint: p.Hint})
	}
	return specs
}

// topic reads a node's topic, or takes the resource id for it.
func (s *service) topic(o *object, id string) string {
	own := o.text("topic", id)
	topic := "services/" + s.ID + "/" + strings.Trim(own, "/")
	if err := mqtt.ValidateTopic(topic + "/treq"); err != nil {
		at := o.val.pos
		if v := o.val.get("topic"); v != nil {
			at = v.pos
		}
		s.errorf(at, "topic of %s: %v", id, err)
	}
	return topic
}
