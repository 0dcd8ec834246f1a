package core

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// str steps over a string and returns what is between its quotes, and whether there are escapes
// in it.
func (s *scanner) str() (raw []byte, escaped, ok bool) {
	s.pos++
	start := s.pos
	for {
		s.plain()
		switch c := s.peek(); {
		case c == '"':
			s.pos++
			return s.text[start : s.pos-1], escaped, true
		case c == '\\':
			escaped = true
			if !s.escape() {
				return nil, false, false
			}
		case s.pos == len(s.text):
			return nil, false, s.expected("the rest of a string")
		case c < ' ':
			return nil, false, s.fail(errControl)
		default:
			if _, size := utf8.DecodeRune(s.text[s.pos:]); size > 1 {
				s.pos += size
				continue
			}
			return nil, false, s.fail(errUTF8)
		}
	}
}

// plain steps over what needs no look at single bytes: printable ASCII but for '"' and '\',
// eight at a time. A byte b is less than n, for n up to 128, if the top bit of b-n is set and
// that of b is not; subtracting all eight at once, a borrow may wrongly mark a byte above one
// that is marked rightly, never the lowest. (Hacker's Delight, 2nd edition, section 6-1.)
func (s *scanner) plain() {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for s.pos+8 <= len(s.text) {
		w := binary.LittleEndian.Uint64(s.text[s.pos:])
		quote, backslash := w^('"'*ones), w^('\\'*ones)
		special := (w | (w-' '*ones)&^w | (quote-ones)&^quote | (backslash-ones)&^backslash) & tops
		if special != 0 {
			s.pos += bits.TrailingZeros64(special) / 8
			return
		}
		s.pos += 8
	}
	for s.pos < len(s.text) {
		if c := s.text[s.pos]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return
		}
		s.pos++
	}
}

// escape steps over one escape, from its backslash.
func (s *scanner) escape() bool {
	s.pos++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
		return true
	case 'u':
		s.pos++
		for range 4 {
			if !isHex(s.peek()) {
				return s.failIn(errHex)
			}
			s.pos++
		}
		return true
	}
	return s.failIn(errEscape)
}

// failIn is fail in the middle of a string, where the text may also just end.
func (s *scanner) failIn(err error) bool {
	if s.pos == len(s.text) {
		return s.expected("the rest of a string")
	}
	return s.fail(err)
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// maxEscape is how many bytes one byte of text takes at most in JSON.
const maxEscape = len(`\u0000`)

// unquote returns the text of a string that is known to be valid JSON.
func unquote(quoted []byte) string {
	return string(unescape(make([]byte, 0, len(quoted)), quoted[1:len(quoted)-1]))
}

// unescape appends the text that is written as raw, known to be valid, between the quotes of a
// JSON string. It is never longer than raw. Half a surrogate pair becomes U+FFFD.
func unescape(dst, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			dst = append(dst, raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := hex4(raw[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				pair := rune(utf8.RuneError)
				if i+6 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
					pair = utf16.DecodeRune(r, hex4(raw[i+3:]))
				}
				if r = pair; r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default: // '"', '\\', '/'
			dst = append(dst, raw[i])
		}
	}
	return dst
}

func hex4(digits []byte) rune {
	var r rune
	for _, c := range digits[:4] {
		if !isDigit(c) {
			c = c&^0x20 - 'A' + '0' + 10
		}
		r = r<<4 | rune(c-'0')
	}
	return r
}
