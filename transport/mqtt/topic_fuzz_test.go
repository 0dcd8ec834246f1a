package mqtt

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzTopic holds validation and Match against slow readings of MQTT 5 §1.5.4, §4.7 and
// §4.8.2. If dense, each byte of a, b and topic stands for a character that matters.
func FuzzTopic(f *testing.F) {
	for _, c := range [][3]string{
		{"a/b", "a/+", "a/b"}, {"a/#", "+", "a"}, {"a/+/c", "a/b/+", "a/b/c"}, {"#", "$SYS/#", "$SYS/x"}, {"+/x", "#", "$SYS/x"},
		{"$share/g/a/+", "$share/h/+/b", "a/b"}, {"$share/x", "$share//a", "$share/g/a"}, {"+/+", "/#", "/a"}, {"a/", "a/+", "a/"},
		{"a/#/b", "a+", "a//b"}, {"é/+", "\u0080", "é/\ufffe"}, {"a\xff", "a\x00", "a\x7f"}, {"$share/g/#", "$share/+/a", "$a"}, {"//", "+//", "//+"},
		{"+", "/#", "/a"},
	} {
		f.Add(false, c[0], c[1], c[2])
	}
	f.Add(true, "\x00\x02\x03", "\x03\x02\x04", "\x00\x02\x01")
	f.Add(true, "\x06\x02\x00\x02\x04", "\x05\x02\x01", "\x05")
	f.Fuzz(func(t *testing.T, dense bool, a, b, topic string) {
		if dense {
			a, b, topic = characters(a), characters(b), characters(topic)
		}
		if len(a)+len(b)+len(topic) > 1000 {
			return // the model takes for ever, and nothing new happens
		}
		for _, text := range []string{a, b, topic} {
			require.Equal(t, validTopic(text), ValidateTopic(text) == nil, "topic %q", text)
			require.Equal(t, validFilter(text), ValidateFilter(text) == nil, "filter %q", text)
			require.True(t, utf8.ValidString(abbreviate(text)) || !utf8.ValidString(text))
		}
		if !validFilter(a) || !validFilter(b) {
			return
		}
		if validTopic(topic) {
			require.Equal(t, matches(a, topic), Match(a, topic), "%q %q", a, topic)
			require.Equal(t, matches(b, topic), Match(b, topic), "%q %q", b, topic)
		}
	})
}

// characters makes a text of those that matter.
func characters(program string) string {
	alphabet := []string{"a", "b", "/", "+", "#", "$", "$share/", "é", "\x00", "\xff", "/"}
	var text strings.Builder
	for _, c := range []byte(program) {
		text.WriteString(alphabet[int(c)%len(alphabet)])
	}
	return text.String()
}

// validText: what a string must not and what it should not have, §1.5.4.
func validText(s string) bool {
	if s == "" || len(s) > 65535 || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		control := r <= 0x1f || r >= 0x7f && r <= 0x9f
		none := r >= 0xfdd0 && r <= 0xfdef || r%0x10000 == 0xfffe || r%0x10000 == 0xffff
		if control || none {
			return false
		}
	}
	return true
}

func validTopic(s string) bool { return validText(s) && !strings.ContainsAny(s, "+#") }

func validFilter(s string) bool {
	if !validText(s) {
		return false
	}
	levels := strings.Split(s, "/")
	if len(levels) > 1 && levels[0] == "$share" {
		if len(levels) < 3 || levels[1] == "" || strings.ContainsAny(levels[1], "+#") || len(levels) == 3 && levels[2] == "" {
			return false
		}
		levels = levels[2:]
		if len(levels) > 1 && levels[0] == "$share" {
			return false // a share of a share: ours to refuse
		}
	}
	for i, level := range levels {
		alone := level == "+" || level == "#" && i == len(levels)-1
		if strings.ContainsAny(level, "+#") && !alone {
			return false
		}
	}
	return true
}

// levelsOf are the levels of a valid filter, of a shared one those behind the group.
func levelsOf(filter string) []string {
	levels := strings.Split(filter, "/")
	if len(levels) > 1 && levels[0] == "$share" {
		return levels[2:]
	}
	return levels
}

func isWildcard(level string) bool { return level == "+" || level == "#" }

func matches(filter, topic string) bool {
	levels := levelsOf(filter)
	if isWildcard(levels[0]) && strings.HasPrefix(topic, "$") {
		return false // §4.7.2
	}
	return matchLevels(levels, strings.Split(topic, "/"))
}

func matchLevels(filter, topic []string) bool {
	switch {
	case len(filter) == 0:
		return len(topic) == 0
	case filter[0] == "#": // it stands for the parent too, §4.7.1.2
		return true
	case len(topic) == 0:
		return false
	default:
		return (filter[0] == "+" || filter[0] == topic[0]) && matchLevels(filter[1:], topic[1:])
	}
}
