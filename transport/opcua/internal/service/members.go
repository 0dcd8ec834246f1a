package service

import (
	"bytes"
	"encoding/json"
)

// members calls f with each member of a JSON object, in order; both alias the text. The text must
// be a valid object. To decode it into a map costs more than all the rest of a Call, as most
// answers are an object of one or two scalars.
func members(text []byte, f func(name, value []byte)) {
	for rest := skipSpace(text[1:]); rest[0] != '}'; {
		n := stringEnd(rest)
		name := unescaped(rest[:n])
		rest = skipSpace(rest[n:])
		rest = skipSpace(rest[1:]) // the colon
		n = valueEnd(rest)
		f(name, rest[:n])
		if rest = skipSpace(rest[n:]); rest[0] == ',' {
			rest = skipSpace(rest[1:])
		}
	}
}

// unescaped is what a JSON string says.
func unescaped(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // which is valid
	return []byte(s)
}

func skipSpace(text []byte) []byte {
	for text[0] <= ' ' {
		text = text[1:]
	}
	return text
}

// stringEnd is the length of the string that a text begins with.
func stringEnd(text []byte) int {
	for i := 1; ; i++ {
		switch text[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

// valueEnd is the length of the value that a text begins with; what follows is not the end of it.
func valueEnd(text []byte) int {
	depth := 0
	for i := 0; ; {
		switch text[i] {
		case '"':
			i += stringEnd(text[i:])
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth == 0 {
				return i // of the object that a number, true, false or null is in
			}
			depth--
			i++
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i++
			continue
		}
		if depth == 0 {
			return i
		}
	}
}
