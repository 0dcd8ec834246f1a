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
	if i := s.value(s.space(0), 0); i != wrong {
		s.end(i)
	}
	if s.fault != nil {
		return s.pos, s.fault
	}
	return 0, nil
}

// scanner walks over JSON text and builds nothing: who wants a part of it slices the text. Its
// methods step over what they are named after: they take the place where it begins and return
// the one behind it, or wrong at the first fault. So the place stays in a register; kept in
// memory it was what all else waited for.
type scanner struct {
	text  []byte
	fault error // the first one
	pos   int   // the byte that is wrong, if there is a fault
}

const wrong = -1

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

func (s *scanner) fail(i int, err error) int {
	s.pos, s.fault = i, err
	return wrong
}

// expected fails with what is at i instead of what should be there.
func (s *scanner) expected(i int, what string) int {
	if i >= len(s.text) {
		return s.fail(i, fmt.Errorf("the text ends where %s is expected", what))
	}
	r, size := utf8.DecodeRune(s.text[i:])
	if r == utf8.RuneError && size == 1 {
		return s.fail(i, errUTF8)
	}
	return s.fail(i, fmt.Errorf("%s is expected, not %q", what, r))
}

// peek returns the byte at i, or 0, which is valid nowhere outside a string, at the end.
func (s *scanner) peek(i int) byte {
	if uint(i) < uint(len(s.text)) {
		return s.text[i]
	}
	return 0
}

func (s *scanner) space(i int) int {
	for i < len(s.text) {
		if c := s.text[i]; c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			break
		}
		i++
	}
	return i
}

func (s *scanner) end(i int) int {
	if i = s.space(i); i != len(s.text) {
		return s.expected(i, "the end")
	}
	return i
}

// value steps over any value; depth is how many arrays and objects are around it.
func (s *scanner) value(i, depth int) int {
	switch c := s.peek(i); {
	case c == '"':
		i, _ = s.str(i)
		return i
	case c == '{':
		return s.object(i, depth)
	case c == '[':
		return s.array(i, depth)
	case c == '-' || isDigit(c):
		return s.number(i)
	case c == 't':
		return s.literal(i, "true")
	case c == 'f':
		return s.literal(i, "false")
	case c == 'n':
		return s.literal(i, "null")
	}
	return s.expected(i, "a value")
}

func (s *scanner) object(i, depth int) int {
	i, more := s.enter(i, '}', depth)
	for more {
		if _, _, i = s.name(i); i == wrong {
			break
		}
		if i = s.value(i, depth+1); i == wrong {
			break
		}
		i, more = s.next(i, '}')
	}
	return i
}

func (s *scanner) array(i, depth int) int {
	i, more := s.enter(i, ']', depth)
	for more {
		if i = s.value(i, depth+1); i == wrong {
			break
		}
		i, more = s.next(i, ']')
	}
	return i
}

// enter steps over the opening bracket to the first member, and says whether there is one.
func (s *scanner) enter(i int, closing byte, depth int) (next int, more bool) {
	if depth >= MaxDepth {
		return s.fail(i, errTooDeep), false
	}
	i = s.space(i + 1)
	if s.peek(i) == closing {
		return i + 1, false
	}
	return i, true
}

// next steps from behind a member to the next one, and says whether there is one.
func (s *scanner) next(i int, closing byte) (next int, more bool) {
	i = s.space(i)
	switch s.peek(i) {
	case ',':
		return s.space(i + 1), true
	case closing:
		return i + 1, false
	}
	return s.expected(i, "',' or '"+string(rune(closing))+"'"), false
}

// name steps over the name of an object's member and its colon, to its value.
func (s *scanner) name(i int) (raw []byte, escaped bool, value int) {
	if s.peek(i) != '"' {
		return nil, false, s.expected(i, "a name in double quotes")
	}
	end, escaped := s.str(i)
	if end == wrong {
		return nil, false, wrong
	}
	raw = s.text[i+1 : end-1]
	i = s.space(end)
	if s.peek(i) != ':' {
		return nil, false, s.expected(i, "':'")
	}
	return raw, escaped, s.space(i + 1)
}

func (s *scanner) literal(i int, word string) int {
	if end := i + len(word); end <= len(s.text) && string(s.text[i:end]) == word {
		return end
	}
	for at := 0; s.peek(i) == word[at]; at++ {
		i++
	}
	return s.expected(i, "the word "+word)
}
