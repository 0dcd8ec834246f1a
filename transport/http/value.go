package http

import (
	"encoding/base64"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"github.com/flowsync-go/flowsync/core"
)

// value makes the request's value from its body, or from its parameters if it has none. It
// aliases the request or x.buf.
func (x *exchange) value() ([]byte, *refusal) {
	body := x.ctx.Request.Body()
	if len(body) > x.route.MaxBody { // chunked: the head did not tell
		return nil, refuseTooLarge(x.route.MaxBody)
	}
	if len(body) == 0 {
		x.buf = x.appendParams(x.buf[:0])
		return x.buf, nil
	}
	switch x.media.kind {
	case mediaJSON:
		return x.jsonValue(body)
	case mediaBinary:
		x.buf = append(x.buf[:0], '"')
		x.buf = base64.StdEncoding.AppendEncode(x.buf, body)
		x.buf = append(x.buf, '"')
		return x.buf, nil
	default:
		text, err := x.media.text(body)
		if err != nil {
			return nil, refuse(fasthttp.StatusBadRequest, err.Error())
		}
		x.buf = appendJSONString(x.buf[:0], string(text))
		return x.buf, nil
	}
}

func (x *exchange) jsonValue(body []byte) ([]byte, *refusal) {
	skipped := 0
	if len(body) >= len(byteOrderMark) && string(body[:len(byteOrderMark)]) == string(byteOrderMark) {
		skipped = len(byteOrderMark)
	}
	value := body[skipped:]
	offset, err := core.ValidJSON(value)
	if err == nil {
		return value, nil
	}
	detail := fmt.Sprintf("the body is not valid JSON at byte %d: %v", offset+skipped, err)
	if !x.media.declared {
		detail += "; if it is not meant to be JSON, say what it is with a Content-Type"
	}
	return nil, refuse(fasthttp.StatusBadRequest, detail)
}

// appendParams appends the object that stands for a request without body: the route's
// parameters and those of the query, as strings; one that is repeated in the query as an array
// of strings. A parameter of the route hides one of the query that has its name.
func (x *exchange) appendParams(b []byte) []byte {
	b = append(b, '{')
	for i, name := range x.route.params {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSONString(b, name)
		b = append(b, ':')
		b = appendJSONString(b, decodedString(x.found.params[i], false))
	}
	if len(x.target.query) > 0 {
		b = x.appendQuery(b)
	}
	return append(b, '}')
}

func (x *exchange) appendQuery(b []byte) []byte {
	names, values := queryParams(x.target.query)
	for _, name := range names {
		if slices.Contains(x.route.params, name) {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = appendJSONString(b, name)
		b = append(b, ':')
		all := values[name]
		if len(all) == 1 {
			b = appendJSONString(b, all[0])
			continue
		}
		for i, value := range all {
			b = append(b, "[,"[min(i, 1)])
			b = appendJSONString(b, value)
		}
		b = append(b, ']')
	}
	return b
}

// queryParams returns the parameters of a query, decoded, and their names in the order in
// which they first came.
func queryParams(query []byte) (names []string, values map[string][]string) {
	values = make(map[string][]string)
	eachPair(query, func(_, key, value []byte) {
		name := decodedString(key, true)
		if _, seen := values[name]; !seen {
			names = append(names, name)
		}
		values[name] = append(values[name], decodedString(value, true))
	})
	return names, values
}

// meta describes the request to rules.
func (x *exchange) meta() *Meta {
	m := &Meta{Method: x.route.Method, Path: string(x.target.path), Params: make(map[string]string, len(x.route.params))}
	for i, name := range x.route.params {
		m.Params[name] = decodedString(x.found.params[i], false)
	}
	_, m.Query = queryParams(x.target.query)
	return m
}

// decodesToText says whether text is valid UTF-8 once decoded.
func decodesToText(text []byte) bool {
	plain := true
	for _, c := range text {
		if c == '%' || c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return true
	}
	decoded, ok := appendDecoded(make([]byte, 0, len(text)), text, false)
	return ok && utf8.Valid(decoded)
}

// appendJSONString appends text, which is valid UTF-8, as a JSON string: only what must be
// escaped is. What is not valid becomes U+FFFD.
func appendJSONString(b []byte, text string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, text[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, text[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	b = append(b, text[from:]...)
	return append(b, '"')
}
