package core

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may be nested in JSON text.
const MaxDepth = 128

// ValidJSON checks that text is one whole JSON value, strictly by RFC 8259, in valid UTF-8 and
// nested no deeper than [MaxDepth]. Otherwise it returns the offset of the first byte that is
// wrong, in bytes from 0 and len(text) if the text ends too early, and what is wrong there in
// plain words, without the offset. It does not allocate on success.
func ValidJSON(text []byte) (offset int, err error) {
	s := scanner{text: text}
	s.space()
	if s.value(0) {
		s.end()
	}
	if s.fault != nil {
		return s.pos, s.fault
	}
	return 0, nil
}

// scanner walks over JSON text and builds nothing: who wants a part of it slices the text. Its
// methods step over what they are named after and leave pos behind it. Those with an ok return
// false at the first fault, with pos on the byte that is wrong.
type scanner struct {
	text  []byte
	pos   int
	fault error // what is wrong at pos
}

// fault is a fixed text: making an error of it costs nothing.
type fault string

func (f fault) Error() string { return string(f) }

var errTooDeep = fault("nested deeper than " + strconv.Itoa(MaxDepth))

const (
	errUTF8    fault = "not valid UTF-8"
	errControl fault = "a control character in a string must be escaped"
	errEscape  fault = `unknown escape; known are \" \\ \/ \b \f \n \r \t \u`
	errHex     fault = `\u needs four hexadecimal digits`
)

func (s *scanner) fail(err error) bool {
	s.fault = err
	return false
}

// expected fails with what is at pos instead of what should be there.
func (s *scanner) expected(what string) bool {
	if s.pos >= len(s.text) {
		return s.fail(fmt.Errorf("the text ends where %s is expected", what))
	}
	r, size := utf8.DecodeRune(s.text[s.pos:])
	if r == utf8.RuneError && size == 1 {
		return s.fail(errUTF8)
	}
	return s.fail(fmt.Errorf("%s is expected, not %q", what, r))
}

// peek returns the byte at pos, or 0, which is valid nowhere outside a string, at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) space() {
	for s.pos < len(s.text) {
		if c := s.text[s.pos]; c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return
		}
		s.pos++
	}
}

func (s *scanner) end() bool {
	s.space()
	return s.pos == len(s.text) || s.expected("the end")
}

// value steps over any value; depth is how many arrays and objects are around it.
func (s *scanner) value(depth int) bool {
	switch c := s.peek(); {
	case c == '"':
		_, _, ok := s.str()
		return ok
	case c == '{':
		return s.object(depth)
	case c == '[':
		return s.array(depth)
	case c == '-' || isDigit(c):
		return s.number()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return s.expected("a value")
}

func (s *scanner) object(depth int) bool {
	for more := s.enter('}', depth); more; more = s.next('}') {
		if _, _, ok := s.name(); !ok || !s.value(depth+1) {
			return false
		}
	}
	return s.fault == nil
}

func (s *scanner) array(depth int) bool {
	for more := s.enter(']', depth); more; more = s.next(']') {
		if !s.value(depth + 1) {
			return false
		}
	}
	return s.fault == nil
}

// enter steps over the opening bracket to the first member, and says whether there is one.
func (s *scanner) enter(closing byte, depth int) bool {
	if depth >= MaxDepth {
		return s.fail(errTooDeep)
	}
	s.pos++
	s.space()
	if s.peek() == closing {
		s.pos++
		return false
	}
	return true
}

// next steps from behind a member to the next one, and says whether there is one.
func (s *scanner) next(closing byte) bool {
	s.space()
	switch s.peek() {
	case ',':
		s.pos++
		s.space()
		return true
	case closing:
		s.pos++
		return false
	}
	return s.expected("',' or '" + string(rune(closing)) + "'")
}

// name steps over the name of an object's member and its colon, to its value.
func (s *scanner) name() (raw []byte, escaped, ok bool) {
	if s.peek() != '"' {
		return nil, false, s.expected("a name in double quotes")
	}
	if raw, escaped, ok = s.str(); !ok {
		return nil, false, false
	}
	s.space()
	if s.peek() != ':' {
		return nil, false, s.expected("':'")
	}
	s.pos++
	s.space()
	return raw, escaped, true
}

func (s *scanner) literal(word string) bool {
	if end := s.pos + len(word); end <= len(s.text) && string(s.text[s.pos:end]) == word {
		s.pos = end
		return true
	}
	for i := 0; s.peek() == word[i]; i++ {
		s.pos++
	}
	return s.expected("the word " + word)
}
