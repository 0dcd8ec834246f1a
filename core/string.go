package core

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// str steps over a string, and says whether there are escapes in it. Most have none, and nothing
// but ASCII.
func (s *scanner) str(i int) (end int, escaped bool) {
	i = plain(s.text, i+1)
	if s.peek(i) == '"' {
		return i + 1, false
	}
	return s.odd(i)
}

// odd goes on in a string at something that is not plain.
func (s *scanner) odd(i int) (end int, escaped bool) {
	for {
		switch c := s.peek(i); {
		case c == '"':
			return i + 1, escaped
		case c == '\\':
			escaped = true
			if i = s.escape(i); i == wrong {
				return wrong, false
			}
		case i == len(s.text):
			return s.expected(i, "the rest of a string"), false
		case c < ' ':
			return s.fail(i, errControl), false
		default:
			_, size := utf8.DecodeRune(s.text[i:])
			if size == 1 {
				return s.fail(i, errUTF8), false
			}
			i += size
		}
		i = plain(s.text, i)
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
func (s *scanner) escape(i int) int {
	i++
	switch s.peek(i) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		i++
		for range 4 {
			if !isHex(s.peek(i)) {
				return s.failIn(i, errHex)
			}
			i++
		}
		return i
	}
	return s.failIn(i, errEscape)
}

// failIn is fail in the middle of a string, where the text may also just end.
func (s *scanner) failIn(i int, err error) int {
	if i == len(s.text) {
		return s.expected(i, "the rest of a string")
	}
	return s.fail(i, err)
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
