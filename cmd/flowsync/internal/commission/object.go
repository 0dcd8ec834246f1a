package commission

import (
	"slices"
	"strconv"
	"strings"
)

// object reads the fields of a map one by one, reports what does not fit, and at the end what
// nobody has asked for.
type object struct {
	*report
	val    *value
	what   string   // how a problem calls it
	asked  []string // the fields that are known
	broken bool     // it is no map, which is reported: nothing is missing in it
}

func (r *report) object(v *value, what string) *object {
	o := &object{report: r, val: v, what: what}
	switch v.kind {
	case mapKind:
		return o
	case nullKind:
	case brokenKind:
		o.broken = true
	default:
		r.errorf(v.pos, "%s must be a map of properties, not %s", what, v.shown())
		o.broken = true
	}
	o.val = &value{kind: mapKind, pos: v.pos}
	return o
}

// has says whether a property is given, be it rightly or not.
func (o *object) has(name string) bool {
	v := o.val.get(name)
	return v != nil && v.kind != nullKind
}

// field returns a property, or nil if it is absent, null or broken.
func (o *object) field(name string) *value {
	o.ignore(name)
	v := o.val.get(name)
	if v == nil || v.kind == nullKind || v.kind == brokenKind {
		return nil
	}
	return v
}

// place is where a property stands, or the object if it is absent.
func (o *object) place(name string) Position {
	if v := o.val.get(name); v != nil {
		return v.pos
	}
	return o.val.pos
}

// wrong reports a property that is not what it should be.
func (o *object) wrong(v *value, name, want string) {
	o.errorf(v.pos, "%s of %s is %s, want %s", name, o.what, v.shown(), want)
}

// text reads a string.
func (o *object) text(name, otherwise string) string {
	v := o.field(name)
	if v == nil {
		return otherwise
	}
	if v.kind != stringKind {
		o.wrong(v, name, "a string")
		return otherwise
	}
	return v.text
}

// scalarText reads a string that may look like a number, as it is written.
func (o *object) scalarText(name string) string {
	v := o.field(name)
	if v == nil {
		return ""
	}
	if v.kind == mapKind || v.kind == listKind {
		o.wrong(v, name, "a string")
	}
	return v.text
}

// integer reads a whole number between low and high.
func (o *object) integer(name string, otherwise, low, high int64, want string) int64 {
	v := o.field(name)
	if v == nil {
		return otherwise
	}
	if v.kind != intKind || v.integer < low || v.integer > high {
		o.wrong(v, name, want)
		return otherwise
	}
	return v.integer
}

// truth reads a boolean.
func (o *object) truth(name string) bool {
	v := o.field(name)
	if v == nil {
		return false
	}
	if v.kind != boolKind {
		o.wrong(v, name, "true or false")
	}
	return v.boolean
}

// oneOf reads one of some words; empty if it is absent or wrong.
func (o *object) oneOf(name string, words ...string) string {
	v := o.field(name)
	if v == nil {
		return ""
	}
	if v.kind == stringKind && slices.Contains(words, v.text) {
		return v.text
	}
	p := Problem{Pos: v.pos, Text: name + " of " + o.what + " is " + v.shown() + ", want one of " + strings.Join(words, ", ")}
	if best := nearest(v.text, words); best != "" {
		p.Hint = "did you mean " + strconv.Quote(best) + "?"
	}
	o.add(p)
	return ""
}

// ignore names fields that are known, and need not be read.
func (o *object) ignore(names ...string) {
	for _, name := range names {
		if !slices.Contains(o.asked, name) {
			o.asked = append(o.asked, name)
		}
	}
}

// refuse reports fields that are known and not served; null too, since that may be a value.
func (o *object) refuse(names ...string) {
	for _, name := range names {
		o.ignore(name)
		if v := o.val.get(name); v != nil {
			o.errorf(v.pos, "%s of %s is not supported in this version", name, o.what)
		}
	}
}

// refuseTrue is refuse for what is off when it is false.
func (o *object) refuseTrue(names ...string) {
	for _, name := range names {
		if v := o.val.get(name); v != nil && v.kind == boolKind && !v.boolean {
			o.ignore(name)
			continue
		}
		o.refuse(name)
	}
}

// require reports properties that are missing.
func (o *object) require(names ...string) {
	for _, name := range names {
		if !o.broken && !o.has(name) {
			o.errorf(o.val.pos, "%s has no %s", o.what, name)
		}
	}
}

// done reports the fields that nobody has asked for.
func (o *object) done() {
	for _, e := range o.val.entries {
		if !slices.Contains(o.asked, e.key) {
			o.unknown(e.pos, "property of "+o.what+":", e.key, o.asked)
		}
	}
}
