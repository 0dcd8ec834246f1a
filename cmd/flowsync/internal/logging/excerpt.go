package logging

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxExcerpt is how many bytes of a text from outside are written.
const maxExcerpt = 256

// excerpt returns the beginning of a text from outside. Plain text is left to the quoting of
// the log's format; anything else is written as a Go string literal, for JSON would replace
// what is not UTF-8, and leaves in what turns the reading direction.
func excerpt[T string | []byte](from T) string {
	text := string(from[:min(len(from), maxExcerpt)])
	if len(from) > maxExcerpt {
		text = wholeRunes(text)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r == utf8.RuneError || !strconv.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// wholeRunes drops the beginning of a rune that was cut in two.
func wholeRunes(text string) string {
	for cut := 1; cut < utf8.UTFMax && cut <= len(text); cut++ {
		if at := len(text) - cut; utf8.RuneStart(text[at]) {
			if !utf8.FullRuneInString(text[at:]) {
				return text[:at]
			}
			break
		}
	}
	return text
}
