package mqtt

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxString is the longest string that MQTT can carry, in bytes (MQTT 5 §1.5.4).
const maxString = 65535

const sharePrefix = "$share/"

// ValidateTopic says what is wrong with a topic to publish to (MQTT 5 §4.7), or nil.
func ValidateTopic(topic string) error {
	if err := validateString(topic); err != nil {
		return fmt.Errorf("topic %q %w", abbreviate(topic), err)
	}
	if i := strings.IndexAny(topic, "+#"); i >= 0 {
		return fmt.Errorf("topic %q has the wildcard %q: wildcards are for subscriptions only", abbreviate(topic), topic[i])
	}
	return nil
}

// ValidateFilter says what is wrong with a topic filter to subscribe to, or nil. It may be a
// shared subscription, $share/<group>/<filter> (MQTT 5 §4.8.2).
func ValidateFilter(filter string) error {
	if err := validateString(filter); err != nil {
		return fmt.Errorf("topic filter %q %w", abbreviate(filter), err)
	}
	rest := filter
	if after, shared := strings.CutPrefix(filter, sharePrefix); shared {
		group, inner, _ := strings.Cut(after, "/")
		if group == "" || inner == "" || strings.ContainsAny(group, "+#") {
			return fmt.Errorf("topic filter %q: a shared subscription is $share/<group>/<filter>, the group without wildcards", abbreviate(filter))
		}
		if strings.HasPrefix(inner, sharePrefix) { // brokers read it in different ways
			return fmt.Errorf("topic filter %q: a shared subscription of a shared subscription", abbreviate(filter))
		}
		rest = inner
	}
	for more := true; more; {
		var level string
		level, rest, more = strings.Cut(rest, "/")
		switch {
		case level == "#" && more:
			return fmt.Errorf("topic filter %q: # must be the last level", abbreviate(filter))
		case len(level) > 1 && strings.ContainsAny(level, "+#"):
			return fmt.Errorf("topic filter %q: in level %q a wildcard does not stand alone", abbreviate(filter), abbreviate(level))
		}
	}
	return nil
}

// Match says whether a message on topic is delivered to a subscription with filter. Of a
// shared subscription the part behind the group counts. Wildcards at the first level do not
// match topics that begin with $ (MQTT 5 §4.7.2).
func Match(filter, topic string) bool {
	filter = Unshared(filter)
	if filter == "" || topic == "" || strings.ContainsAny(topic, "+#") {
		return false
	}
	if topic[0] == '$' && (filter[0] == '+' || filter[0] == '#') {
		return false
	}
	for {
		wanted, restOfFilter, moreFilter := strings.Cut(filter, "/")
		level, restOfTopic, moreTopic := strings.Cut(topic, "/")
		switch {
		case wanted == "#":
			return true
		case wanted != level && wanted != "+":
			return false
		case !moreTopic: // a/# matches a too
			return !moreFilter || restOfFilter == "#"
		case !moreFilter:
			return false
		}
		filter, topic = restOfFilter, restOfTopic
	}
}

// Unshared returns the filter of a shared subscription, and any other filter as it is.
func Unshared(filter string) string {
	if after, shared := strings.CutPrefix(filter, sharePrefix); shared {
		if _, inner, ok := strings.Cut(after, "/"); ok {
			return inner
		}
	}
	return filter
}

// validateString: MQTT 5 §1.5.4. What a string should not contain is refused like what it must
// not, because a receiver may close the connection on either.
func validateString(s string) error {
	switch {
	case s == "":
		return fmt.Errorf("is empty")
	case len(s) > maxString:
		return fmt.Errorf("is %d bytes long, MQTT allows %d", len(s), maxString)
	}
	if i := unsafeAt(s); i >= 0 {
		return fmt.Errorf("has a control character, a non-character or invalid UTF-8 at byte %d", i)
	}
	return nil
}

// unsafeAt returns where s has the first byte that does not belong into an MQTT string, or -1.
func unsafeAt(s string) int {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c > 0x7e {
			return unsafeRuneAt(s, i)
		}
	}
	return -1
}

func unsafeRuneAt(s string, from int) int {
	for i := from; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if !safeRune(r, size) {
			return i
		}
		i += size
	}
	return -1
}

func safeRune(r rune, size int) bool {
	switch {
	case r == utf8.RuneError && size == 1: // invalid UTF-8
	case r < 0x20 || r >= 0x7f && r < 0xa0: // control characters, NUL among them
	case r >= 0xfdd0 && r <= 0xfdef || r&0xfffe == 0xfffe: // non-characters
	default:
		return true
	}
	return false
}

// abbreviate keeps what goes into errors and logs short, and cuts no character in two.
func abbreviate(s string) string {
	const limit = 120
	if len(s) <= limit {
		return s
	}
	for i := limit; i > limit-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i] + "…"
		}
	}
	return s[:limit] + "…" // it is not UTF-8
}
