package commission

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/flowsync-go/flowsync/transport/mqtt"
)

func (s *service) mapping(id string) {
	o := s.properties[id]
	o.require("mappings")
	list := o.field("mappings")
	enabled := o.enabled()
	o.done()
	if list == nil {
		return
	}
	if list.kind != listKind {
		o.wrong(list, "mappings", "a list of {subscribe, publish, rules}")
		return
	}
	for i, item := range list.items {
		name := id
		if len(list.items) > 1 {
			name = fmt.Sprintf("%s[%d]", id, i+1)
		}
		if m := s.oneMapping(name, item); m != nil && enabled {
			s.Mappings = append(s.Mappings, m)
		}
	}
}

func (s *service) oneMapping(name string, v *value) *Mapping {
	o := s.object(v, "mapping "+name)
	o.require("subscribe", "publish")
	m := &Mapping{ID: name, Pos: v.pos, Rules: o.rules("rules", false)}
	subscribe, publish := o.field("subscribe"), o.field("publish")
	o.done()
	if subscribe == nil || publish == nil {
		return nil
	}
	inputs := []*value{subscribe}
	if subscribe.kind == listKind {
		inputs = subscribe.items
	}
	for _, in := range inputs {
		if input, ok := s.input(name, in); ok {
			m.Inputs = append(m.Inputs, input)
		}
	}
	if !s.publish(m, publish) || len(m.Inputs) == 0 {
		return nil
	}
	s.checkOwnLoop(m, publish.pos)
	return m
}

func (s *service) input(name string, v *value) (Input, bool) {
	o := s.object(v, "subscribe of "+name)
	in := Input{QoS: o.qos(), Label: o.text("label", "")}
	topic, at := s.source(o, "treq")
	o.done()
	if topic == "" {
		return in, false
	}
	in.Filter, in.Names = splitNames(topic)
	if err := mqtt.ValidateFilter(in.Filter); err != nil {
		s.errorf(at, "subscribe of %s: %v", name, err)
		return in, false
	}
	if strings.HasPrefix(in.Filter, "$share/") {
		s.errorf(at, "subscribe of %s: shared subscriptions are made by the gateway itself, see --no-share", name)
		return in, false
	}
	return in, true
}

func (s *service) publish(m *Mapping, v *value) bool {
	o := s.object(v, "publish of "+m.ID)
	m.Publish.QoS, m.Publish.Retain = o.qos(), o.truth("retain")
	topic, at := s.source(o, "tres")
	o.done()
	if topic == "" {
		return false
	}
	m.Publish.Topic = topic
	if err := mqtt.ValidateTopic(placeholder.ReplaceAllString(topic, "x")); err != nil {
		s.errorf(at, "publish of %s: %v", m.ID, err)
		return false
	}
	return true
}

// source reads endpoint or topic: a node stands for its treq below subscribe and for its tres
// below publish if it is a transaction, and for its node topic otherwise.
func (s *service) source(o *object, suffix string) (string, Position) {
	endpoint, topic := o.field("endpoint"), o.field("topic")
	if (endpoint == nil) == (topic == nil) {
		s.errorf(o.val.pos, "%s wants either endpoint or topic", o.what)
		return "", o.val.pos
	}
	if topic != nil {
		if topic.kind != stringKind {
			o.wrong(topic, "topic", "a string")
		}
		return topic.text, topic.pos
	}
	if endpoint.kind != stringKind {
		o.wrong(endpoint, "endpoint", "!ref to a node")
		return "", endpoint.pos
	}
	node := s.nodes[endpoint.text]
	if node == nil {
		s.unknown(endpoint.pos, "endpoint of "+o.what+":", endpoint.text, slices.Sorted(maps.Keys(s.nodes)))
		return "", endpoint.pos
	}
	if node.Operation == Transaction {
		return node.Topic + "/" + suffix, endpoint.pos
	}
	return node.Topic, endpoint.pos
}

// splitNames takes the names off the wildcards of a filter: line/+press/# gives line/+/# and
// [press, ""].
func splitNames(filter string) (string, []string) {
	levels := strings.Split(filter, "/")
	var names []string
	for i, level := range levels {
		if level != "" && (level[0] == '+' || level[0] == '#') {
			names = append(names, level[1:])
			levels[i] = level[:1]
		}
	}
	return strings.Join(levels, "/"), names
}

var placeholder = regexp.MustCompile(`\{[^{}/]*\}`)

// filterOf is a filter for every topic that a template with {name} may become: a level with a
// variable may be anything, and from that of a # wildcard on everything may follow.
func filterOf(template string, many map[string]bool) string {
	levels := strings.Split(template, "/")
	for i, level := range levels {
		variables := placeholder.FindAllString(level, -1)
		if len(variables) == 0 {
			continue
		}
		levels[i] = "+"
		for _, v := range variables {
			if many[strings.Trim(v, "{}")] {
				levels[i] = "#"
				return strings.Join(levels[:i+1], "/")
			}
		}
	}
	return strings.Join(levels, "/")
}

// manyLevels are the names of the # wildcards of a mapping.
func (m *Mapping) manyLevels() map[string]bool {
	many := map[string]bool{}
	for _, in := range m.Inputs {
		if strings.HasSuffix(in.Filter, "#") && len(in.Names) > 0 {
			many[in.Names[len(in.Names)-1]] = true
		}
	}
	return many
}

// feeds says whether what m publishes may match a subscription of other.
func (m *Mapping) feeds(other *Mapping) bool {
	out := filterOf(m.Publish.Topic, m.manyLevels())
	for _, in := range other.Inputs {
		if mqtt.Overlap(in.Filter, out) {
			return true
		}
	}
	return false
}

func (s *service) checkOwnLoop(m *Mapping, at Position) {
	if m.feeds(m) {
		s.errorf(at, "mapping %s publishes to %q, which its own subscription matches: it would feed itself for ever", m.ID, clip(m.Publish.Topic))
	}
}
