package http

import (
	"strconv"

	"github.com/valyala/fasthttp"

	"github.com/flowsync-go/flowsync/core"
)

// maxKey bounds an idempotency key, in bytes.
const maxKey = 255

// key reads the request's Idempotency-Key, if the route asks for one. nil: it has none.
//
// The field is a string in quotes (draft-ietf-httpapi-idempotency-key-header); most who send it
// leave the quotes out, and mean the same key. Without them it has no spaces, quotes and commas: a
// proxy may have joined two fields by a comma.
func (x *exchange) key() (*core.Key, *refusal) {
	if !x.route.Transaction.Keys || x.head.keys == 0 {
		return nil, nil
	}
	if x.head.keys > 1 {
		return nil, refuse(fasthttp.StatusBadRequest, "Idempotency-Key is there more than once")
	}
	text, ok := parseKey(x.head.key)
	if !ok {
		return nil, refuse(fasthttp.StatusBadRequest, "Idempotency-Key must be 1 to "+strconv.Itoa(maxKey)+
			` characters of visible ASCII; put it in quotes, "…", if it has spaces, quotes or commas`)
	}
	return &core.Key{Text: text, Parameters: x.identity()}, nil
}

// parseKey reads a key with or without quotes.
func parseKey(field []byte) (key string, ok bool) {
	if len(field) > 0 && field[0] == '"' {
		return parseQuoted(field[1:])
	}
	for _, c := range field {
		if c <= ' ' || c > '~' || c == '"' || c == ',' {
			return "", false
		}
	}
	return string(field), 0 < len(field) && len(field) <= maxKey
}

// parseQuoted reads the rest of a string (RFC 8941 section 3.3.3), to its end and that of the field.
func parseQuoted(rest []byte) (key string, ok bool) {
	var text []byte
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			return string(text), i == len(rest)-1 && 0 < len(text) && len(text) <= maxKey
		case c == '\\':
			if i++; i == len(rest) || rest[i] != '"' && rest[i] != '\\' {
				return "", false
			}
			text = append(text, rest[i])
		case c < ' ' || c > '~':
			return "", false
		default:
			text = append(text, c)
		}
	}
	return "", false
}

// identity is what makes the request what it is besides its value: method, route, the route's
// parameters, decoded, and the query. What the value's text is made from (its Content-Type) is no
// part of it.
func (x *exchange) identity() string {
	b := append(make([]byte, 0, 128), x.route.Method...)
	b = append(append(b, ' '), x.route.Path...)
	for _, param := range x.found.params {
		b = append(b, ' ')
		b = appendJSONString(b, decodedString(param, false))
	}
	b = append(b, '?')
	return string(append(b, withoutToken(x.target.query)...))
}
