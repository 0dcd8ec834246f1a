package gateway

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/flowsync-go/flowsync/core"
)

var errNotAnObject = errors.New("the rules must give an object with a value member")

// withIdentity returns the message with the id and timestamp it must have, its value, and
// whatever else the rules have added.
func withIdentity(message []byte, id core.ID, timestamp int64) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(message, &members); err != nil || members == nil {
		return nil, errNotAnObject
	}
	value, ok := members["value"]
	if !ok {
		return nil, errNotAnObject
	}
	out := core.AppendRequest(make([]byte, 0, len(message)+64), id, timestamp, value)
	for _, fixed := range []string{"id", "timestamp", "value"} {
		delete(members, fixed)
	}
	return appendMembers(out, members), nil
}

// appendMembers adds members, sorted by name, to an object that has some already.
func appendMembers(object []byte, members map[string]json.RawMessage) []byte {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	object = object[:len(object)-1] // the closing brace
	for _, name := range names {
		object = append(object, ',')
		object = append(object, quote(name)...)
		object = append(object, ':')
		object = append(object, members[name]...)
	}
	return append(object, '}')
}

func quote(s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // strings always marshal
		return strconv.AppendQuote(nil, s)
	}
	return text
}
