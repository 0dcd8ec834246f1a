package http

import (
	"bytes"
	"strings"
)

// apiToken is the query parameter that carries a credential in Connectware's URLs. It is left
// out of everything that is passed on or written down.
const apiToken = "apiToken"

// target is the request target in parts; they alias the request line.
type target struct {
	path      []byte // begins with a slash
	query     []byte // without the question mark
	authority []byte // of the absolute form, else nil
}

// parseTarget takes a request target apart (RFC 9112 section 3.2). False if it has none of the
// forms that an origin server is sent.
func parseTarget(uri []byte) (t target, ok bool) {
	if len(uri) > 0 && uri[0] != '/' {
		if string(uri) == "*" {
			return target{path: uri}, true
		}
		_, rest, found := bytes.Cut(uri, []byte("://"))
		if !found {
			return t, false
		}
		end := bytes.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		t.authority, uri = rest[:end], rest[end:]
		if len(t.authority) == 0 || bytes.IndexByte(t.authority, '@') >= 0 {
			return t, false
		}
	}
	if bytes.IndexByte(uri, '#') >= 0 {
		return t, false
	}
	t.path, t.query, _ = bytes.Cut(uri, []byte("?"))
	if len(t.path) == 0 {
		t.path = []byte("/")
	}
	return t, true
}

// appendDecoded appends text with its percent-escapes decoded, and plus signs as spaces if
// plus is set. False if an escape is invalid.
func appendDecoded(dst, text []byte, plus bool) ([]byte, bool) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '%':
			if i+2 >= len(text) {
				return dst, false
			}
			hi, lo := unhex(text[i+1]), unhex(text[i+2])
			if hi < 0 || lo < 0 {
				return dst, false
			}
			dst = append(dst, byte(hi<<4|lo))
			i += 2
		case c == '+' && plus:
			dst = append(dst, ' ')
		default:
			dst = append(dst, c)
		}
	}
	return dst, true
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// validEscapes says whether every percent sign in text begins an escape.
func validEscapes(text []byte) bool {
	for {
		i := bytes.IndexByte(text, '%')
		if i < 0 {
			return true
		}
		if i+2 >= len(text) || unhex(text[i+1]) < 0 || unhex(text[i+2]) < 0 {
			return false
		}
		text = text[i+3:]
	}
}

// eachPair calls f for every key and value of a query, undecoded, without apiToken; raw is the
// pair as it was written.
func eachPair(query []byte, f func(raw, key, value []byte)) {
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte("&"))
		key, value, _ := bytes.Cut(pair, []byte("="))
		if len(pair) > 0 && !isAPIToken(key) {
			f(pair, key, value)
		}
	}
}

func isAPIToken(key []byte) bool {
	if len(key) < len(apiToken) {
		return false
	}
	if bytes.IndexByte(key, '%') >= 0 {
		var room [64]byte
		key, _ = appendDecoded(room[:0], key, true)
	}
	return strings.EqualFold(string(key), apiToken)
}

// withoutToken returns query without its apiToken: itself if it has none.
func withoutToken(query []byte) []byte {
	clean := true
	for rest := query; len(rest) > 0 && clean; {
		var pair []byte
		pair, rest, _ = bytes.Cut(rest, []byte("&"))
		key, _, _ := bytes.Cut(pair, []byte("="))
		clean = !isAPIToken(key)
	}
	if clean {
		return query
	}
	var kept []byte
	eachPair(query, func(raw, _, _ []byte) {
		if len(kept) > 0 {
			kept = append(kept, '&')
		}
		kept = append(kept, raw...)
	})
	return kept
}

// decodedString returns text decoded. Its escapes must be valid.
func decodedString(text []byte, plus bool) string {
	if bytes.IndexByte(text, '%') < 0 && (!plus || bytes.IndexByte(text, '+') < 0) {
		return string(text)
	}
	decoded, _ := appendDecoded(make([]byte, 0, len(text)), text, plus)
	return string(decoded)
}
