package rules

import (
	"fmt"
	"regexp"
	"strings"
)

// signed finds where the signature of a function begins, as in function($x)<n:n>. It looks at the
// text alone, and so into strings and regular expressions, too: that it misses none is what counts.
var signed = regexp.MustCompile("(?:^|[^\\pL\\pN_$])(?:function|λ)`?[ \\t\\n\\r\\v]*\\([^()]*\\)[ \\t\\n\\r\\v]*<")

// inSignatures are the characters of types, options and what holds them together.
const inSignatures = "bnslaofjxu()<>?+-: \t\n\r\v"

// signatures refuses those with other characters. The library reads a signature token by token until
// it ends, and makes tokens without a character of ! and ~ for ever: nothing could end that.
func signatures(source string) []fault {
	for from := 0; ; {
		found := signed.FindStringIndex(source[from:])
		if found == nil {
			return nil
		}
		from += found[1]
		depth := 1
		for i, c := range source[from:] {
			switch c {
			case '<':
				depth++
			case '>':
				depth--
			}
			if depth == 0 {
				break
			}
			if !strings.ContainsRune(inSignatures, c) {
				return []fault{{from + i, fmt.Sprintf("%q cannot be in the signature of a function", c), "write it as in function($x)<n:n>{$x}"}}
			}
		}
	}
}
