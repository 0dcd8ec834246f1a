package commission

import (
	"regexp"
	"slices"
	"strings"
)

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

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// variables are the names in a template such as a/{name}.
func variables(template string) []string {
	names := placeholder.FindAllString(template, -1)
	for i, name := range names {
		names[i] = name[1 : len(name)-1]
	}
	return names
}

// outlet is the set of topics that a mapping may publish to.
type outlet struct {
	levels  []level
	guessed bool // a variable is set by rules, which may never give what the worst case needs
}

// level is one level of a topic: texts with variables between them.
type level struct {
	texts []string
	deep  bool // a variable may have slashes in it: this and all levels below may be anything
}

func outletOf(m *Mapping) outlet {
	var out outlet
	set := contextVars(m.Rules)
	for _, part := range templateLevels(m.Publish.Topic) {
		l := level{texts: placeholder.Split(part, -1)}
		for _, name := range variables(part) {
			guessed := slices.Contains(set, name)
			out.guessed = out.guessed || guessed
			l.deep = l.deep || guessed || manyLevels(m.Inputs, name)
		}
		out.levels = append(out.levels, l)
	}
	return out
}

// templateLevels splits a template at its slashes, but for those in the name of a variable.
func templateLevels(template string) []string {
	var levels []string
	start, name := 0, false
	for i := range len(template) {
		switch c := template[i]; {
		case c == '{':
			name = true
		case c == '}':
			name = false
		case c == '/' && !name:
			levels = append(levels, template[start:i])
			start = i + 1
		}
	}
	return append(levels, template[start:])
}

// manyLevels says whether name is that of a # wildcard.
func manyLevels(inputs []Input, name string) bool {
	return slices.ContainsFunc(inputs, func(in Input) bool {
		return strings.HasSuffix(in.Filter, "#") && in.Names[len(in.Names)-1] == name
	})
}

// reaches says whether one of the topics may match a filter, given by its levels.
func (o outlet) reaches(filter []string) bool {
	if wild := filter[0] == "+" || filter[0] == "#"; wild && strings.HasPrefix(o.levels[0].texts[0], "$") {
		return false // MQTT 5, 4.7.2
	}
	for i, l := range o.levels {
		switch {
		case i < len(filter) && filter[i] == "#":
			return true
		case i >= len(filter):
			return false
		case l.deep:
			return filter[i] == "+" || strings.HasPrefix(filter[i], l.texts[0])
		case filter[i] != "+" && !l.mayBe(filter[i]):
			return false
		}
	}
	below := filter[len(o.levels):]
	return len(below) == 0 || len(below) == 1 && below[0] == "#" // a/# matches a too
}

// mayBe says whether the level becomes text for some values of its variables.
func (l level) mayBe(text string) bool {
	last := len(l.texts) - 1
	if last == 0 {
		return text == l.texts[0]
	}
	text, ok := strings.CutPrefix(text, l.texts[0])
	for _, part := range l.texts[1:last] {
		_, after, found := strings.Cut(text, part)
		text, ok = after, ok && found
	}
	return ok && strings.HasSuffix(text, l.texts[last])
}
