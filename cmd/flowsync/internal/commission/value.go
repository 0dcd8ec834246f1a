package commission

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"go.yaml.in/yaml/v4"
)

type kind uint8

const (
	nullKind kind = iota
	boolKind
	intKind
	floatKind
	stringKind
	mapKind
	listKind
)

func (k kind) String() string {
	return [...]string{"nothing", "a boolean", "an integer", "a number", "a string", "a map", "a list"}[k]
}

// value is a piece of a file after references, substitutions and merges.
type value struct {
	kind    kind
	pos     Position
	text    string // of scalars, as written
	boolean bool
	integer int64
	float   float64
	entries []entry  // of a map, in the order of the file
	items   []*value // of a list

	// resource is set on what a !ref to a resource gave: the id it stands for.
	resource string
}

type entry struct {
	key string
	pos Position
	val *value
}

func (v *value) get(key string) *value {
	for _, e := range v.entries {
		if e.key == key {
			return e.val
		}
	}
	return nil
}

// plain is the value as rules take it: map[string]any, []any, string, int64, float64, bool, nil.
func (v *value) plain() any {
	switch v.kind {
	case boolKind:
		return v.boolean
	case intKind:
		return v.integer
	case floatKind:
		return v.float
	case stringKind:
		return v.text
	case mapKind:
		m := make(map[string]any, len(v.entries))
		for _, e := range v.entries {
			m[e.key] = e.val.plain()
		}
		return m
	case listKind:
		l := make([]any, 0, len(v.items))
		for _, item := range v.items {
			l = append(l, item.plain())
		}
		return l
	}
	return nil
}

// shown is the value as a problem quotes it.
func (v *value) shown() string {
	switch v.kind {
	case stringKind:
		return strconv.Quote(clip(v.text))
	case nullKind, mapKind, listKind:
		return v.kind.String()
	}
	return clip(v.text)
}

func stringValue(text string, at Position) *value {
	return &value{kind: stringKind, text: text, pos: at}
}

// scalarValue reads a scalar by the YAML 1.2 core schema, as the library has tagged it.
func scalarValue(n *yaml.Node, at Position) (*value, error) {
	v := &value{kind: stringKind, text: n.Value, pos: at}
	switch n.ShortTag() {
	case "!!null":
		v.kind = nullKind
	case "!!bool":
		v.kind = boolKind
		return v, n.Decode(&v.boolean)
	case "!!int":
		v.kind = intKind
		if err := n.Decode(&v.integer); err != nil {
			return v, fmt.Errorf("%s is too large for an integer", clip(n.Value))
		}
	case "!!float":
		v.kind = floatKind
		if err := n.Decode(&v.float); err != nil || math.IsNaN(v.float) || math.IsInf(v.float, 0) {
			return v, fmt.Errorf("%s is not a number that JSON knows", clip(n.Value))
		}
	case "!!str", "!!timestamp": // a date is text here
	default:
		return v, fmt.Errorf("unknown tag %s", clip(n.Tag))
	}
	return v, nil
}

// textOf gives a scalar as !sub puts it into a text.
func (v *value) textOf() (string, bool) {
	switch v.kind {
	case stringKind, intKind, floatKind:
		return v.text, true
	case boolKind:
		return strconv.FormatBool(v.boolean), true
	}
	return "", false
}

// json gives the value as JSON text.
func (v *value) json() ([]byte, error) { return json.Marshal(v.plain()) }
