package commission

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// FuzzOutlet: no mapping feeds a subscription without being told so. A mapping from a filter with
// named wildcards to a topic with variables is played with a message on a topic: if what it
// publishes matches another filter, outlet.reaches must have said that it may. Where there are no
// variables it must say nothing else. mqtt.Match says what matches. Rules may set one more variable.
func FuzzOutlet(f *testing.F) {
	for _, c := range [][6]string{
		{"line/+press/#rest", "line/{press}/{rest}", "line/+/#", "line/7/a/b", "", ""},
		{"line/+press", "out/p{press}q", "out/pq", "line/", "", ""},
		{"a/#rest", "b{rest}", "b/+", "a/x/y", "", ""},
		{"#all", "{all}", "a/b/c", "a/b/c", "", ""},
		{"+x/b", "$sys/{x}", "+/b", "a/b", "", ""},
		{"a", "b/{v}/c", "b/x/y/c", "a", "v", "x/y"},
		{"a", "b/{v}", "b/x/y", "a", "v", "x/y"},
		{"a", "b/{v/w}", "b/z", "a", "v/w", "z"}, // a find: the template was split inside of the name
		{"a/+x/+y", "{x}{y}/z", "bb/z", "a/b/b", "", ""},
		{"a/+x", "xay{x}a", "xaya/#", "a/aya", "", ""},
	} {
		f.Add(c[0], c[1], c[2], c[3], c[4], c[5])
	}
	f.Fuzz(func(t *testing.T, from, to, other, topic, name, value string) {
		if len(from)+len(to)+len(other)+len(topic)+len(name)+len(value) > 500 {
			return
		}
		m := &Mapping{Publish: Publish{Topic: to}}
		filter, names := splitNames(from)
		m.Inputs = []Input{{Filter: filter, Names: names}}
		if mqtt.ValidateFilter(filter) != nil || mqtt.ValidateFilter(other) != nil || strings.HasPrefix(other, "$share/") || strings.HasPrefix(filter, "$share/") || !mqtt.Match(filter, topic) {
			return
		}
		vars := bound(filter, names, topic)
		if name != "" {
			if slices.Contains(names, name) {
				return
			}
			m.Rules = []rules.Spec{{Kind: "setContextVars", Args: map[string]any{"vars": map[string]any{name: "x"}}}}
			vars[name] = value
		}
		published, err := rules.Expand(to, vars)
		if err != nil || mqtt.ValidateTopic(published) != nil {
			return // the mapping fails, and publishes nothing
		}
		reaches := outletOf(m).reaches(strings.Split(other, "/"))
		if mqtt.Match(other, published) {
			require.True(t, reaches, "%q on %q gives %q, which %q matches", to, topic, published, other)
		} else if len(variables(to)) == 0 {
			require.False(t, reaches, "%q, which %q does not match", published, other)
		}
	})
}

// bound is what the wildcards of a filter stand for in a topic that it matches.
func bound(filter string, names []string, topic string) map[string]string {
	vars := map[string]string{}
	levels := strings.Split(topic, "/")
	for i, level := range strings.Split(filter, "/") {
		if level != "+" && level != "#" {
			continue
		}
		name := names[0]
		names = names[1:]
		if _, taken := vars[name]; taken || name == "" {
			continue
		}
		switch level {
		case "#":
			vars[name] = strings.Join(levels[min(i, len(levels)):], "/")
		default:
			vars[name] = levels[i]
		}
	}
	return vars
}
