package http

import (
	"bytes"
	"errors"
)

// head is what the server looks at in the field lines of a request. The slices alias the
// request's buffer and are nil if the field is absent.
type head struct {
	host, origin, fetchSite, authorization []byte
	contentType, contentEncoding           []byte
	preflight                              []byte // Access-Control-Request-Method
	requestTimeout, traceparent            []byte
	key                                    []byte // the last Idempotency-Key
	keys                                   int    // how many of them there are
	prefer, tracestate                     [][]byte
	contentLength, transferEncoding        bool
	manyTraceparents                       bool
}

// What is wrong with the framing of a request. RFC 9112 sections 2.2, 3.2, 5.1, 5.2, 6.1, 6.3.
var (
	errLineEnding    = errors.New("a field line does not end in CR LF")
	errFolded        = errors.New("a field line is folded")
	errFieldName     = errors.New("a field name has characters that it may not have")
	errFieldValue    = errors.New("a field value has control characters")
	errCoding        = errors.New("Transfer-Encoding must be chunked and nothing else")
	errTwoLengths    = errors.New("Content-Length and Transfer-Encoding are both there")
	errLength        = errors.New("Content-Length is not a number")
	errRepeatedField = errors.New("a field that may be there once is there twice")
)

// parse reads the field lines raw, from after the request line to the empty line. It accepts
// one reading only of where the request ends: fasthttp has parsed the same bytes before, and
// wherever it was lenient this is an error.
func (h *head) parse(raw []byte) error {
	*h = head{prefer: h.prefer[:0], tracestate: h.tracestate[:0]}
	for len(raw) > 0 {
		i := bytes.IndexByte(raw, '\n')
		if i < 1 || raw[i-1] != '\r' {
			return errLineEnding
		}
		line := raw[:i-1]
		raw = raw[i+1:]
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			return errFolded
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 1 || !isToken(line[:colon]) {
			return errFieldName
		}
		value := bytes.Trim(line[colon+1:], " \t")
		if hasControl(value) {
			return errFieldValue
		}
		if err := h.note(line[:colon], value); err != nil {
			return err
		}
	}
	if h.contentLength && h.transferEncoding {
		return errTwoLengths
	}
	return nil
}

// note keeps a field that the server looks at. The length of the name decides first: most
// fields are none of ours.
func (h *head) note(name, value []byte) error {
	switch len(name) {
	case len("Host"):
		if is(name, "host") {
			return once(&h.host, value)
		}
	case len("Origin"): // and Prefer
		if is(name, "origin") {
			return once(&h.origin, value)
		}
		if is(name, "prefer") {
			h.prefer = append(h.prefer, value)
		}
	case len("tracestate"):
		if is(name, "tracestate") {
			h.tracestate = append(h.tracestate, value)
		}
	case len("traceparent"):
		if is(name, "traceparent") {
			h.manyTraceparents = h.traceparent != nil
			h.traceparent = value
		}
	case len("Content-Type"):
		if is(name, "content-type") {
			return once(&h.contentType, value)
		}
	case len("Authorization"):
		if is(name, "authorization") {
			return once(&h.authorization, value)
		}
	case len("Content-Length"): // and Sec-Fetch-Site
		if is(name, "content-length") {
			return h.noteLength(value)
		}
		if is(name, "sec-fetch-site") {
			return once(&h.fetchSite, value)
		}
	case len("Request-Timeout"): // and Idempotency-Key
		if is(name, "request-timeout") {
			h.requestTimeout = value
		}
		if is(name, "idempotency-key") {
			h.key = value
			h.keys++
		}
	case len("Content-Encoding"):
		if is(name, "content-encoding") {
			return once(&h.contentEncoding, value)
		}
	case len("Transfer-Encoding"):
		if is(name, "transfer-encoding") {
			return h.noteCoding(value)
		}
	case len("Access-Control-Request-Method"):
		if is(name, "access-control-request-method") {
			h.preflight = value
		}
	}
	return nil
}

func (h *head) noteLength(value []byte) error {
	if h.contentLength {
		return errRepeatedField
	}
	h.contentLength = true
	if len(value) == 0 || len(value) > 18 {
		return errLength
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return errLength
		}
	}
	return nil
}

func (h *head) noteCoding(value []byte) error {
	if h.transferEncoding {
		return errRepeatedField
	}
	h.transferEncoding = true
	if !is(value, "chunked") {
		return errCoding
	}
	return nil
}

func once(field *[]byte, value []byte) error {
	if *field != nil {
		return errRepeatedField
	}
	*field = value
	if value == nil {
		*field = []byte{}
	}
	return nil
}

// is says whether text equals lower, which is in lower case, without regard to case.
func is(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// tokenBytes are the characters of a token (RFC 9110 section 5.6.2).
var tokenBytes = func() (table [256]bool) {
	for c := '0'; c <= '9'; c++ {
		table[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		table[c], table[c-'a'+'A'] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		table[c] = true
	}
	return table
}()

func isToken[T ~string | ~[]byte](text T) bool {
	for i := range len(text) {
		if !tokenBytes[text[i]] {
			return false
		}
	}
	return len(text) > 0
}

// hasControl says whether a field value has a character that it may not have.
func hasControl[T ~string | ~[]byte](value T) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}
