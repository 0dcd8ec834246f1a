package broker

import "strings"

// share splits a shared subscription, $share/<group>/<filter> (MQTT 5 section 4.8.2).
func share(filter string) (group, rest string, ok bool) {
	if !strings.HasPrefix(filter, "$share/") {
		return "", filter, true
	}
	group, rest, found := strings.Cut(filter[len("$share/"):], "/")
	return group, rest, found && group != "" && rest != ""
}

// valid says whether a text is a topic filter (section 4.7.1).
func valid(filter string) bool {
	levels := strings.Split(filter, "/")
	for i, l := range levels {
		if l == "+" || l == "#" && i == len(levels)-1 {
			continue
		}
		if strings.ContainsAny(l, "+#\x00") {
			return false
		}
	}
	return filter != ""
}

// match says whether a topic is one that a filter means. A wildcard at the front does not mean
// topics that begin with $.
func match(filter, topic string) bool {
	if topic != "" && topic[0] == '$' && filter != "" && (filter[0] == '+' || filter[0] == '#') {
		return false
	}
	for {
		f, restOfFilter, moreFilter := strings.Cut(filter, "/")
		if f == "#" {
			return true
		}
		t, restOfTopic, moreTopic := strings.Cut(topic, "/")
		if f != "+" && f != t {
			return false
		}
		if !moreFilter || !moreTopic {
			return moreFilter == moreTopic || moreFilter && restOfFilter == "#"
		}
		filter, topic = restOfFilter, restOfTopic
	}
}
