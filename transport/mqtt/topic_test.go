package mqtt

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{
		{"a/b", "a/b", true},
		{"a/b", "a/B", false},
		{"a/b", "a", false},
		{"a", "a/b", false},
		{"a/+", "a/b", true},
		{"a/+", "a", false},
		{"a/+", "a/", true},
		{"a/+", "a/b/c", false},
		{"+", "a", true},
		{"+", "/a", false},
		{"+/+", "/a", true},
		{"/+", "/a", true},
		{"+/b/+", "a/b/c", true},
		{"#", "a/b/c", true},
		{"a/#", "a", true}, // the parent level is included, §4.7.1.2
		{"a/#", "a/b/c", true},
		{"a/#", "ab", false},
		{"a/+/#", "a", false},
		{"a/+/#", "a/b", true},
		{"#", "$SYS/x", false}, // §4.7.2
		{"+/x", "$SYS/x", false},
		{"$SYS/#", "$SYS/x", true},
		{"$SYS/+", "$SYS/x", true},
		{"a/#", "a/$x", true},
		{"$share/g/a/+", "a/b", true},
		{"$share/g/#", "$SYS/x", false},
		{"$share/g/a", "$share/g/a", false},
		{"a/+", "a/+", false}, // no topic
		{"", "a", false},
		{"a", "", false},
	} {
		require.Equal(t, c.want, Match(c.filter, c.topic), "%q %q", c.filter, c.topic)
	}
}

func TestValidate(t *testing.T) {
	long := strings.Repeat("x", maxString)
	for _, c := range []struct {
		text          string
		topic, filter string // what the error says; empty: none
	}{
		{"a/b c/é/$x", "", ""},
		{"/", "", ""},
		{long, "", ""},
		{long + "x", "MQTT allows 65535", "MQTT allows 65535"},
		{"", "is empty", "is empty"},
		{"a\x00", "at byte 1", "at byte 1"},
		{"a\xff", "at byte 1", "at byte 1"},
		{"é\ufffe", "at byte 2", "at byte 2"},
		{"a/+/b", "wildcard", ""},
		{"a/#", "wildcard", ""},
		{"a/#/b", "wildcard", "last level"},
		{"a/b+", "wildcard", "does not stand alone"},
		{"a/#b", "wildcard", "does not stand alone"},
		{"$share/g/a/+", "wildcard", ""},
		{"$share/g", "", "$share/<group>/<filter>"},
		{"$share//a", "", "$share/<group>/<filter>"},
		{"$share/g/$share/h/a", "", "of a shared subscription"},
		{"$share/+/a", "wildcard", "$share/<group>/<filter>"},
	} {
		for want, err := range map[string]error{"topic:" + c.topic: ValidateTopic(c.text), "filter:" + c.filter: ValidateFilter(c.text)} {
			_, want, _ = strings.Cut(want, ":")
			if want == "" {
				require.NoError(t, err)
				continue
			}
			require.ErrorContains(t, err, want)
			require.Less(t, len(err.Error()), 400)
		}
	}
}

// TestAbbreviate cuts between characters, and bytes that are none where they are.
func TestAbbreviate(t *testing.T) {
	for in, want := range map[string]string{
		strings.Repeat("a", 120):                 strings.Repeat("a", 120),
		strings.Repeat("a", 121):                 strings.Repeat("a", 120) + "…",
		strings.Repeat("a", 119) + "ü" + "b":     strings.Repeat("a", 119) + "…",
		strings.Repeat("a", 117) + "😀" + "b":     strings.Repeat("a", 117) + "…",
		strings.Repeat("a", 116) + "😀" + "b":     strings.Repeat("a", 116) + "😀…",
		strings.Repeat("\x80", 200):              strings.Repeat("\x80", 120) + "…",
		strings.Repeat("a", 100) + "\xf0" + "bc": strings.Repeat("a", 100) + "\xf0" + "bc",
	} {
		require.Equal(t, want, abbreviate(in))
	}
}
