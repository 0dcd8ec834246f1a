package commission

import (
	"encoding/json"
	"strconv"
	"strings"
)

// maxFallback bounds the JSON text of a fallback, in bytes: it is given again and again.
const maxFallback = 64 << 10

// fallback reads a JSON value; nil if there is none. null is one, if it is written.
func (s *service) fallback(t *object) json.RawMessage {
	t.ignore("fallback")
	v := t.val.get("fallback")
	if v == nil || v.holdsBroken() {
		return nil
	}
	if v.kind == nullKind && v.text == "" {
		s.errorf(v.pos, "fallback of %s is empty: give the value that is to be the answer, which may be null, or leave it out", t.what)
		return nil
	}
	text := v.json(nil)
	if len(text) > maxFallback {
		s.errorf(v.pos, "fallback of %s takes %d bytes as JSON, want at most %d", t.what, len(text), maxFallback)
		return nil
	}
	return text
}

// json appends the value as JSON text, with its keys in the order of the file. Numbers that are
// written as JSON writes them stay as they are, digit for digit.
func (v *value) json(dst []byte) []byte {
	switch v.kind {
	case mapKind:
		dst = append(dst, '{')
		for i, e := range v.entries {
			dst = append(quoted(comma(dst, i), e.key), ':')
			dst = e.val.json(dst)
		}
		return append(dst, '}')
	case listKind:
		dst = append(dst, '[')
		for i, item := range v.items {
			dst = item.json(comma(dst, i))
		}
		return append(dst, ']')
	case stringKind:
		return quoted(dst, v.text)
	case boolKind:
		return strconv.AppendBool(dst, v.boolean)
	case intKind, floatKind:
		if json.Valid([]byte(v.text)) {
			return append(dst, v.text...)
		}
		text, _ := v.inText() // neither is NaN nor infinite
		return append(dst, text...)
	}
	return append(dst, "null"...)
}

func comma(dst []byte, i int) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	return dst
}

func quoted(dst []byte, text string) []byte {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // strings always encode
	return append(dst, strings.TrimSuffix(b.String(), "\n")...)
}
