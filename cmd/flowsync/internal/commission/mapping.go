package commission

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

func (s *service) mapping(id string) {
	o := s.properties[id]
	o.require("mappings")
	list := o.field("mappings")
	s.noEffect(o, "inputBuffering", "requests are published as they come")
	s.noEffect(o, "agentName", "mappings run in the gateway itself")
	enabled := o.enabled()
	o.done()
	if list == nil {
		return
	}
	if list.kind != listKind || len(list.items) == 0 {
		o.wrong(list, "mappings", "a list of {subscribe, publish, rules}")
		return
	}
	for i, item := range list.items {
		m := &Mapping{ID: id, Pos: item.pos}
		if len(list.items) > 1 {
			m.ID = fmt.Sprintf("%s[%d]", id, i+1)
		}
		if s.oneMapping(m, item) && enabled {
			s.Mappings = append(s.Mappings, m)
		}
	}
}

// oneMapping reads one entry of a mapping; false if it has not all that a mapping needs.
func (s *service) oneMapping(m *Mapping, v *value) bool {
	name := clip(m.ID)
	o := s.object(v, "mapping "+name)
	o.require("subscribe", "publish")
	m.Rules = o.rules("rules", false)
	subscribe, publish := o.field("subscribe"), o.field("publish")
	o.done()
	if subscribe != nil {
		s.subscribe(m, name, subscribe)
	}
	if publish == nil {
		return false
	}
	out := s.object(publish, "publish of "+name)
	m.Publish.QoS, m.Publish.Retain = out.qos(), out.truth("retain")
	topic, at := s.topicOf(out, "tres")
	out.refuse("connection")
	out.done()
	m.Publish.Topic = topic
	if topic == "" || len(m.Inputs) == 0 {
		return false
	}
	s.checkTarget(m, out.what, at)
	return true
}

func (s *service) subscribe(m *Mapping, name string, v *value) {
	inputs := []*value{v}
	if v.kind == listKind {
		inputs = v.items
		if len(inputs) == 0 {
			s.errorf(v.pos, "subscribe of %s is an empty list", name)
		}
	}
	for _, in := range inputs {
		o := s.object(in, "subscribe of "+name)
		input := Input{QoS: o.qos(), Label: o.text("label", "")}
		topic, at := s.topicOf(o, "treq")
		o.refuse("connection")
		o.done()
		if topic != "" && s.checkSubscribe(&input, m.Rules, o, topic, at) {
			m.Inputs = append(m.Inputs, input)
		}
	}
}

func (s *service) checkSubscribe(in *Input, specs []rules.Spec, o *object, topic string, at Position) bool {
	in.Filter, in.Names = splitNames(topic)
	if err := mqtt.ValidateFilter(in.Filter); err != nil {
		s.errorf(at, "%s: %v", o.what, err)
		return false
	}
	if strings.HasPrefix(in.Filter, "$share/") {
		s.errorf(at, "%s: shared subscriptions are made by the gateway itself, see --no-share", o.what)
		return false
	}
	if err := mqtt.ValidateFilter("$share/flowsync-" + s.ID + "/" + in.Filter); err != nil { // so it is sent
		s.errorf(at, "%s: %v", o.what, err)
		return false
	}
	for i, name := range in.Names {
		if name != "" && slices.Contains(in.Names[:i], name) {
			s.errorf(at, "%s has two wildcards of the name %q: the first would be lost", o.what, clip(name))
			return false
		}
	}
	return s.checkVariables("label of "+o.what, in.Label, slices.Concat(in.Names, contextVars(specs)), o.place("label"))
}

// topicOf reads endpoint or topic; empty, and a problem, if it has none. A node stands for its
// treq below subscribe and for its tres below publish if it is a transaction, and for its node
// topic otherwise.
func (s *service) topicOf(o *object, suffix string) (string, Position) {
	if o.has("endpoint") == o.has("topic") && !o.broken {
		s.errorf(o.val.pos, "%s wants either endpoint or topic", o.what)
	}
	o.ignore("topic")
	node := find(s, o, "endpoint", httpNodeType+" or "+opcuaNodeType, s.nodes)
	switch {
	case node == nil:
		return s.plainTopic(o), o.place("topic")
	case node.Topic == "":
		s.errorf(o.place("endpoint"), "endpoint of %s is %s, which has no operation and so no topic", o.what, clip(node.ID))
		return "", o.place("endpoint")
	case node.Operation == Transaction:
		return node.Topic + "/" + suffix, o.place("endpoint")
	default:
		return node.Topic, o.place("endpoint")
	}
}

func (s *service) plainTopic(o *object) string {
	topic := o.text("topic", "")
	switch v := o.field("topic"); {
	case v == nil:
	case v.resource:
		s.errorf(v.pos, "topic of %s is the id of a resource, which is no topic: write endpoint: !ref %s", o.what, clip(topic))
		return ""
	case v.kind == stringKind && topic == "":
		s.errorf(v.pos, "topic of %s is empty", o.what)
	}
	return topic
}

// checkTarget judges where a mapping publishes, which may depend on variables.
func (s *service) checkTarget(m *Mapping, what string, at Position) {
	if s.ID == "" {
		return // no topic is right
	}
	known := contextVars(m.Rules)
	for _, in := range m.Inputs {
		known = append(known, in.Names...)
	}
	if !s.checkVariables("topic of "+what, m.Publish.Topic, known, at) {
		return
	}
	vars := map[string]string{}
	for _, name := range known {
		vars[name] = "x"
	}
	topic, err := rules.Expand(m.Publish.Topic, vars)
	if err == nil {
		err = mqtt.ValidateTopic(topic)
	}
	if err != nil {
		s.errorf(at, "topic of %s: %v", what, err)
		return
	}
	out := outletOf(m)
	if !slices.ContainsFunc(m.Inputs, func(in Input) bool { return out.reaches(strings.Split(in.Filter, "/")) }) {
		return
	}
	if out.guessed {
		s.warnf(at, "mapping %s may publish to its own subscription, with %q: it would feed itself for ever", clip(m.ID), clip(m.Publish.Topic))
		return
	}
	s.errorf(at, "mapping %s publishes to %q, which its own subscription matches: it would feed itself for ever", clip(m.ID), clip(m.Publish.Topic))
}

// checkVariables reports a {name} that nothing sets.
func (s *service) checkVariables(what, template string, known []string, at Position) bool {
	known = slices.DeleteFunc(slices.Clone(known), func(name string) bool { return name == "" })
	slices.Sort(known)
	for _, name := range variables(template) {
		if slices.Contains(known, name) {
			continue
		}
		p := Problem{Pos: at, Text: fmt.Sprintf("%s: nothing sets the variable {%s}", what, clip(name)), Hint: didYouMean(name, known)}
		if p.Hint == "" {
			p.Hint = "name a wildcard +" + clip(name) + ", or use setContextVars"
		}
		s.add(p)
		return false
	}
	return true
}
