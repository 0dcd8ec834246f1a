package core

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// str steps over a string and returns what is between its quotes, and whether there are escapes
// in it. Most have no escapes and nothing but ASCII.
func (s *scanner) str() (raw []byte, escaped, ok bool) {
	start := s.pos + 1
	s.pos = plain(s.text, start)
	if s.peek() == '"' {
		s.pos++
		return s.text[start : s.pos-1], false, true
	}
	if escaped, ok = s.odd(); !ok {
		return nil, false, false
	}
	return s.text[start : s.pos-1], escaped, true
}

// odd goes on in a string at something that is not plain, to behind the closing quote.
func (s *scanner) odd() (escaped, ok bool) {
	for {
		switch c := s.peek(); {
		case c == '"':
			s.pos++
			return escaped, true
		case c == '\\':
			escaped = true
			if !s.escape() {
				return false, false
			}
		case s.pos == len(s.text):
			return false, s.expected("the rest of a string")
		case c < ' ':
			return false, s.fail(errControl)
		default:
			_, size := utf8.DecodeRune(s.text[s.pos:])
			if size == 1 {
				return false, s.fail(errUTF8)
			}
			s.pos += size
		}
		s.pos = plain(s.text, s.pos)
	}
}

// plain returns the first place at or behind i that needs a look at single bytes: anything but
// printable ASCII, and '"' and '\\'. It looks at eight bytes at a time. Of those below 128, a byte
// is less than n if its top bit is set after n is subtracted; subtracting from all eight at once,
// a borrow may wrongly mark a byte above one that is marked rightly, never the lowest. (Hacker's
// Delight, 2nd edition, section 6-1.)
func plain(text []byte, i int) int {
	const tops = 0x8080808080808080
	for ; i+8 <= len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		quote, backslash := w^('"'*ones), w^('\\'*ones)
		if special := (w | (w - ' '*ones) | (quote - ones) | (backslash - ones)) & tops; special != 0 {
			return i + bits.TrailingZeros64(special)/8
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	return i
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
