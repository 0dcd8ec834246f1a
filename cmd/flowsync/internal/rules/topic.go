package rules

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxTopic is the length that an MQTT topic may have (MQTT 5, section 1.5.4).
const maxTopic = 65535

// Expand gives the topic that a template names: every {name} is replaced by its variable.
// What comes out is a topic that may be published to: an error says which variable is
// missing, or that a value would bring in a wildcard, an empty level or a NUL (MQTT 5,
// section 4.7). A value may contain slashes: it then stands for several levels, as the
// variable of a # wildcard does.
func Expand(template string, vars map[string]string) (string, error) {
	topic, err := substitute(template, vars)
	if err != nil {
		return "", err
	}
	if err := checkTopic(topic); err != nil {
		return "", fmt.Errorf("topic template %q gives %q: %w", template, clip(topic), err)
	}
	return topic, nil
}

// substitute replaces every {name}. A brace that closes nothing stands for itself.
func substitute(template string, vars map[string]string) (string, error) {
	if !strings.Contains(template, "{") {
		return template, nil
	}
	var b strings.Builder
	for rest := template; ; {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return "", fmt.Errorf("%q: the { has no }", template)
		}
		value, ok := vars[name]
		if !ok {
			return "", fmt.Errorf("%q: the variable %q is not set; name a wildcard +%s, or set it with setContextVars", template, name, name)
		}
		b.WriteString(value)
		rest = tail
	}
}

func checkTopic(topic string) error {
	switch {
	case topic == "":
		return fmt.Errorf("it is empty")
	case len(topic) > maxTopic:
		return fmt.Errorf("it is longer than %d bytes", maxTopic)
	case strings.ContainsAny(topic, "+#"):
		return fmt.Errorf("it has a wildcard, and nothing can be published to one")
	case strings.HasPrefix(topic, "/") || strings.HasSuffix(topic, "/") || strings.Contains(topic, "//"):
		return fmt.Errorf("a level of it is empty")
	case strings.ContainsRune(topic, 0) || !utf8.ValidString(topic):
		return fmt.Errorf("it is not UTF-8 text without NUL")
	}
	return nil
}

// clip keeps what a message quotes short.
func clip(s string) string {
	const most = 256
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
