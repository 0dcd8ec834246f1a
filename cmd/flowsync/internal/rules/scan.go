package rules

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fault is something wrong in an expression, at a byte offset.
type fault struct {
	offset int
	text   string
	hint   string
}

// scanner reads an expression as the JSONata 2.0 grammar has it, for what the library
// cannot do. Strings, quoted names, regular expressions and comments are passed over.
type scanner struct {
	source  string
	pos     int
	operand bool // the last token was the end of an operand: / divides, % is modulo
	blanked []byte
	faults  []fault
	calls   []call
	bound   map[string]bool // names that the expression itself gives a meaning
}

type call struct {
	name   string
	offset int
}

// scan checks an expression and returns it with its comments blanked out, every byte of the
// rest where it was.
func scan(source string) (string, []fault) {
	s := &scanner{source: source, blanked: []byte(source), bound: map[string]bool{}}
	for s.pos < len(source) {
		s.token()
	}
	for _, c := range s.calls {
		if !s.bound[c.name] && !functions[c.name] {
			s.unknown(c)
		}
	}
	return string(s.blanked), s.faults
}

func (s *scanner) token() {
	c := s.source[s.pos]
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v':
		s.pos++
	case strings.HasPrefix(s.source[s.pos:], "/*"):
		s.comment()
	case c == '"' || c == '\'':
		s.quoted(c, true)
	case c == '`':
		s.quoted(c, false)
	case c == '/' && !s.operand:
		s.regex()
	case c == '$':
		s.variable()
	case c == '@' || c == '#':
		s.fail(s.pos, fmt.Sprintf("the binding %q is not supported", string(c)), "give the value a name with := inside ( ) instead")
		s.pos, s.operand = s.pos+1, false
	case c == '%' && !s.operand:
		s.fail(s.pos, "the parent operator % is not supported", "keep the parent in a variable")
		s.pos, s.operand = s.pos+1, true
	case strings.HasPrefix(s.source[s.pos:], "**") && !s.operand:
		s.pos, s.operand = s.pos+2, true
	case strings.IndexByte(")]}", c) >= 0:
		s.pos, s.operand = s.pos+1, true
	case strings.IndexByte("([{,;:?=!<>+-*/%&|^~.", c) >= 0:
		s.pos, s.operand = s.pos+1, c == '*' && !s.operand // * is a wildcard where an operand is due
	default:
		s.word()
	}
}

func (s *scanner) fail(offset int, text, hint string) {
	s.faults = append(s.faults, fault{offset, text, hint})
}

func (s *scanner) comment() {
	end := strings.Index(s.source[s.pos+2:], "*/")
	if end < 0 {
		s.fail(s.pos, "the comment has no end", "close it with */")
		s.pos = len(s.source)
		return
	}
	for end += s.pos + 4; s.pos < end; s.pos++ {
		if s.source[s.pos] != '\n' {
			s.blanked[s.pos] = ' '
		}
	}
}

// quoted passes over a string or a `name`. One without an end is left to the parser.
func (s *scanner) quoted(quote byte, escapes bool) {
	for s.pos++; s.pos < len(s.source) && s.source[s.pos] != quote; s.pos++ {
		if escapes && s.source[s.pos] == '\\' {
			s.pos++
		}
	}
	s.pos, s.operand = s.pos+1, true
}

func (s *scanner) regex() {
	depth := 0
	for s.pos++; s.pos < len(s.source); s.pos++ {
		switch c := s.source[s.pos]; {
		case c == '\\':
			s.pos++
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
		case c == '/' && depth == 0:
			s.pos, s.operand = s.pos+1, true
			for s.pos < len(s.source) && strings.IndexByte("ims", s.source[s.pos]) >= 0 {
				s.pos++
			}
			return
		}
	}
	s.pos, s.operand = len(s.source), true
}

// name reads letters, digits and underscores.
func (s *scanner) name() string {
	start := s.pos
	for s.pos < len(s.source) {
		r, size := utf8.DecodeRuneInString(s.source[s.pos:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		s.pos += size
	}
	return s.source[start:s.pos]
}

func (s *scanner) variable() {
	start := s.pos
	for s.pos++; s.pos < len(s.source) && s.source[s.pos] == '$'; s.pos++ {
	}
	name := s.name()
	s.operand = true
	rest := strings.TrimLeft(s.source[s.pos:], " \t\r\n\v")
	switch {
	case strings.HasPrefix(name, reserved):
		s.fail(start, fmt.Sprintf("variables that begin with $%s are reserved", reserved), "choose another name")
	case strings.HasPrefix(rest, ":="):
		s.bound[name] = true
	case strings.HasPrefix(rest, "(") && name != "":
		s.calls = append(s.calls, call{name, start})
	}
}

func (s *scanner) word() {
	word := s.name()
	if word == "" { // no character of the grammar: the parser says so
		_, size := utf8.DecodeRuneInString(s.source[s.pos:])
		s.pos += size
		return
	}
	if word == "function" || word == "λ" {
		s.parameters()
	}
	// After an operand these are operators, anywhere else they are member names.
	s.operand = !s.operand || (word != "and" && word != "or" && word != "in")
}

// parameters notes the names in function($a, $b).
func (s *scanner) parameters() {
	rest := s.source[s.pos:]
	list := strings.TrimLeft(rest, " \t\r\n\v")
	end := strings.IndexByte(list, ')')
	if !strings.HasPrefix(list, "(") || end < 0 {
		return
	}
	for _, name := range strings.Split(list[1:end], ",") {
		s.bound[strings.TrimPrefix(strings.TrimSpace(name), "$")] = true
	}
}

func (s *scanner) unknown(c call) {
	hint := "functions that the expression does not define itself must be built in"
	if other := nearest(c.name, functions); other != "" {
		hint = fmt.Sprintf("did you mean $%s?", other)
	}
	if lacking[c.name] {
		s.fail(c.offset, fmt.Sprintf("the function $%s is not supported", c.name), "")
		return
	}
	s.fail(c.offset, fmt.Sprintf("there is no function $%s", c.name), hint)
}

func set(names string) map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(names) {
		m[name] = true
	}
	return m
}

var (
	// lacking are functions of JSONata 2.0 that the library does not have.
	lacking = set(`eval assert parseInteger formatInteger clone tokenize`)

	// functions are those it has, and ours.
	functions = set(`string length substring substringBefore substringAfter uppercase lowercase
		pad trim contains split join match replace formatNumber formatBase base64encode
		base64decode decodeUrl decodeUrlComponent encodeUrl encodeUrlComponent number abs floor
		ceil round power sqrt random sum max min average boolean not exists distinct count
		reverse sort shuffle zip append map filter reduce single each sift keys lookup spread
		merge fromMillis toMillis type error millis now last`)
)
