package commission

import (
	"fmt"
	"math"
	"regexp"
	"unicode/utf8"
)

// limits are what JSON Schema may ask of a parameter besides its type.
type limits struct {
	minimum, maximum     float64 // of numbers
	minLength, maxLength int64   // of texts, in characters
	pattern              *regexp.Regexp
}

// limitsOf reads them. A format is only a hint in JSON Schema, and is not checked.
func (l *loader) limitsOf(o *object) limits {
	m := limits{
		minimum:   o.number("minimum", math.Inf(-1)),
		maximum:   o.number("maximum", math.Inf(1)),
		minLength: o.integer("minLength", 0, 0, math.MaxInt32, "a number of characters"),
		maxLength: o.integer("maxLength", math.MaxInt32, 0, math.MaxInt32, "a number of characters"),
	}
	o.ignore("format")
	if text := o.text("pattern", ""); text != "" {
		pattern, err := regexp.Compile(text)
		if err != nil {
			l.errorf(o.place("pattern"), "pattern of %s: %v", o.what, err)
		}
		m.pattern = pattern
	}
	return m
}

// number reads a number.
func (o *object) number(name string, otherwise float64) float64 {
	v := o.field(name)
	switch {
	case v == nil:
	case v.kind == intKind:
		return float64(v.integer)
	case v.kind == floatKind:
		return v.float
	default:
		o.wrong(v, name, "a number")
	}
	return otherwise
}

// judge says what a value should be that is not within the limits; empty if it is.
func (m limits) judge(v *value) string {
	number := v.float
	switch v.kind {
	case intKind:
		number = float64(v.integer)
	case floatKind:
	case stringKind:
		return m.judgeText(v.text)
	default:
		return ""
	}
	switch {
	case number < m.minimum:
		return fmt.Sprintf("at least %v", m.minimum)
	case number > m.maximum:
		return fmt.Sprintf("at most %v", m.maximum)
	}
	return ""
}

func (m limits) judgeText(text string) string {
	length := int64(utf8.RuneCountInString(text))
	switch {
	case length < m.minLength:
		return fmt.Sprintf("at least %d characters", m.minLength)
	case length > m.maxLength:
		return fmt.Sprintf("at most %d characters", m.maxLength)
	case m.pattern != nil && !m.pattern.MatchString(text):
		return fmt.Sprintf("a text that matches %s", clip(m.pattern.String()))
	}
	return ""
}
