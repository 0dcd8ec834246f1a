package commission

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

type kind uint8

const (
	nullKind   kind = iota
	brokenKind      // what should be here is wrong, and that is reported
	boolKind
	intKind
	floatKind
	stringKind
	mapKind
	listKind
)

func (k kind) String() string {
	return [...]string{"nothing", "something wrong", "a boolean", "an integer", "a number", "a string", "a map", "a list"}[k]
}

// value is a piece of a file after references, substitutions and merges. It is not changed once
// it is complete.
type value struct {
	kind    kind
	pos     Position
	text    string // of scalars, as written
	boolean bool
	integer int64
	float   float64
	entries []entry  // of a map, in the order of the file
	items   []*value // of a list

	resource bool // a string that is the id of a resource, from !ref
}

type entry struct {
	key string
	pos Position
	val *value
}

func broken(at Position) *value { return &value{kind: brokenKind, pos: at} }

func stringValue(text string, at Position) *value {
	return &value{kind: stringKind, text: text, pos: at}
}

func (v *value) get(key string) *value {
	for _, e := range v.entries {
		if e.key == key {
			return e.val
		}
	}
	return nil
}

// count is the number of values in v, itself included.
func (v *value) count() int {
	n := 1
	for _, e := range v.entries {
		n += e.val.count()
	}
	for _, item := range v.items {
		n += item.count()
	}
	return n
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

// holdsBroken says whether a problem inside v is reported already.
func (v *value) holdsBroken() bool {
	if v.kind == brokenKind {
		return true
	}
	for _, e := range v.entries {
		if e.val.holdsBroken() {
			return true
		}
	}
	for _, item := range v.items {
		if item.holdsBroken() {
			return true
		}
	}
	return false
}

// shown is the value as a problem quotes it.
func (v *value) shown() string {
	switch v.kind {
	case stringKind:
		return strconv.Quote(clip(v.text))
	case boolKind, intKind, floatKind:
		return clip(v.text)
	case listKind:
		if len(v.items) == 0 {
			return "an empty list"
		}
	}
	return v.kind.String()
}

// scalarValue reads a scalar as the library has tagged it. With an error it has the kind that it
// was to be.
func scalarValue(n *yaml.Node, at Position) (*value, error) {
	v := stringValue(n.Value, at)
	var err error
	switch n.ShortTag() {
	case "!!str", "!!timestamp": // a date is text here
		if n.Style == 0 && vast(n.Value) {
			v.kind = floatKind
			err = fmt.Errorf("%q is a number that does not fit into 64 bits: put it in quotes if it is a text", clip(n.Value))
		}
	case "!!null":
		v.kind = nullKind
	case "!!bool":
		v.kind = boolKind
		err = n.Decode(&v.boolean)
	case "!!int":
		v.kind = intKind
		if err = n.Decode(&v.integer); err != nil {
			err = fmt.Errorf("%q is not an integer of 64 bits: put it in quotes if it is a text", clip(n.Value))
		}
	case "!!float":
		v.kind = floatKind
		if err = n.Decode(&v.float); err != nil || math.IsNaN(v.float) || math.IsInf(v.float, 0) {
			err = fmt.Errorf("%q is not a number that JSON knows", clip(n.Value))
		}
	default:
		err = fmt.Errorf("the tag %s is not supported", clip(n.Tag))
	}
	return v, err
}

// otherBase matches integers that are not decimal; those that fit are none of the library's texts.
var otherBase = regexp.MustCompile(`^[-+]?0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)$`)

// vast says whether a plain word is a number that is so large that the library takes it for text. It
// is read as the library reads numbers.
func vast(word string) bool {
	if word == "" || !strings.ContainsRune("+-.0123456789", rune(word[0])) {
		return false
	}
	if word[0] != '.' {
		word = strings.ReplaceAll(word, "_", "")
	}
	_, err := strconv.ParseFloat(word, 64)
	return errors.Is(err, strconv.ErrRange) && !strings.ContainsAny(word, "xX") || otherBase.MatchString(word)
}

// inText gives a scalar as !sub puts it into a text: as JSON writes it, so that it can stand in
// an expression.
func (v *value) inText() (string, bool) {
	switch v.kind {
	case stringKind:
		return v.text, true
	case boolKind, intKind, floatKind:
		b, err := json.Marshal(v.plain())
		return string(b), err == nil
	}
	return "", false
}

// same says whether two scalars are equal; 1 and 1.0 are.
func (v *value) same(other *value) bool {
	a, aNumber := v.number()
	b, bNumber := other.number()
	switch {
	case v.kind == intKind && other.kind == intKind:
		return v.integer == other.integer
	case aNumber && bNumber:
		return a == b
	}
	return v.kind == other.kind && v.kind >= boolKind && v.kind <= stringKind && v.text == other.text
}

func (v *value) number() (float64, bool) {
	switch v.kind {
	case intKind:
		return float64(v.integer), true
	case floatKind:
		return v.float, true
	}
	return 0, false
}
