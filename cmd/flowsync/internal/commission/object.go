package commission

import (
	"slices"
	"strings"
)

// object reads the fields of a map one by one, reports what does not fit, and at the end what
// nobody has asked for.
type object struct {
	*report
	val   *value
	what  string // how a problem calls it
	asked []string
	inert []string // fields that are known and need not be read
}

func (r *report) object(v *value, what string) *object {
	if v.kind != mapKind {
		if v.kind != nullKind {
			r.errorf(v.pos, "%s must be a map of properties, not %s", what, v.shown())
		}
		v = &value{kind: mapKind, pos: v.pos}
	}
	return &object{report: r, val: v, what: what}
}

// field returns a property, or nil if it is absent or null.
func (o *object) field(name string) *value {
	o.asked = append(o.asked, name)
	v := o.val.get(name)
	if v == nil || v.kind == nullKind {
		return nil
	}
	return v
}

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

// scalarText reads a string that may look like a number.
func (o *object) scalarText(name string) string {
	v := o.field(name)
	if v == nil {
		return ""
	}
	text, ok := v.textOf()
	if !ok {
		o.wrong(v, name, "a string")
	}
	return text
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

// oneOf reads one of some words.
func (o *object) oneOf(name, otherwise string, words ...string) string {
	v := o.field(name)
	if v == nil {
		return otherwise
	}
	if v.kind != stringKind || !slices.Contains(words, v.text) {
		p := Problem{Pos: v.pos, Text: name + " of " + o.what + " is " + v.shown() + ", want one of " + strings.Join(words, ", ")}
		if v.kind == stringKind {
			if hint := didYouMean(v.text, words); strings.HasPrefix(hint, "did") {
				p.Hint = hint
			}
		}
		o.add(p)
		return otherwise
	}
	return v.text
}

// ignore names fields that are known and have no effect here.
func (o *object) ignore(names ...string) { o.asked = append(o.asked, names...) }

// refuse reports fields that Connectware or a later version knows and this one does not serve.
func (o *object) refuse(names ...string) {
	for _, name := range names {
		if v := o.field(name); v != nil && !(v.kind == boolKind && !v.boolean) {
			o.errorf(v.pos, "%s of %s is not supported in this version", name, o.what)
		}
	}
}

// require reports a property that is missing.
func (o *object) require(names ...string) {
	for _, name := range names {
		if v := o.val.get(name); v == nil || v.kind == nullKind {
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
