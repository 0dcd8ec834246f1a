package http

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/flowsync-go/flowsync/core"
)

// The limits of what an answer may say about its reply: headers in number, and each of them
// in bytes.
const (
	maxAnswerHeaders     = 32
	maxAnswerHeaderName  = 64
	maxAnswerHeaderValue = 1 << 10
)

// answerHTTP is the http member of an answer, checked. It is immutable.
type answerHTTP struct {
	status  int // 0: not given
	headers []core.Property
}

// Inspect checks the http member of an answer, {"status":2xx|3xx,"headers":{"Name":"value"}},
// and leaves it in the reply's Extra, for the server to apply. Allowed headers are
// Content-Type, Location, Retry-After, ETag and X-*. Whatever is wrong is an error that wraps
// [core.ErrBadResponse]. With an error the http member is ignored, and the error's code must be a
// number. It is meant for [core.NodeOptions.Inspect] of nodes that this server
// serves; it keeps no part of the payload.
func Inspect(r *core.Reply) error {
	if r.Error != nil { // it has a status of its own
		if r.Error.CodeName != "" {
			return fmt.Errorf("%w: the code of its error is %.40q, want a number", core.ErrBadResponse, r.Error.CodeName)
		}
		return nil
	}
	if len(r.HTTP) == 0 || string(r.HTTP) == "null" {
		return nil
	}
	a, err := parseAnswerHTTP(r.HTTP)
	if err == nil && a.bodiless() && len(r.Value) > 0 && string(r.Value) != "null" {
		err = fmt.Errorf("status %d allows no value", a.status)
	}
	if err != nil {
		return fmt.Errorf("%w: its http member: %w", core.ErrBadResponse, err)
	}
	r.Extra = a
	return nil
}

func parseAnswerHTTP(text []byte) (*answerHTTP, error) {
	var raw struct {
		Status  *int              `json:"status"`
		Headers map[string]string `json:"headers"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&raw); err != nil {
		return nil, fmt.Errorf("want status (a number) and headers (an object of strings): %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one value")
	}
	a := new(answerHTTP)
	if raw.Status != nil {
		if a.status = *raw.Status; a.status < 200 || a.status > 399 {
			return nil, fmt.Errorf("status is %d, want 200 to 399; report failures with an error member", a.status)
		}
	}
	if len(raw.Headers) > maxAnswerHeaders {
		return nil, fmt.Errorf("%d headers, at most %d are taken", len(raw.Headers), maxAnswerHeaders)
	}
	seen := make(map[string]bool, len(raw.Headers))
	for name, value := range raw.Headers {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if err := checkAnswerHeader(canonical, value); err != nil {
			return nil, err
		}
		if seen[canonical] {
			return nil, fmt.Errorf("header %q is there twice", canonical)
		}
		seen[canonical] = true
		a.headers = append(a.headers, core.Property{Name: canonical, Value: value})
	}
	return a, nil
}

func checkAnswerHeader(name, value string) error {
	if len(name) > maxAnswerHeaderName || !isToken(name) {
		return fmt.Errorf("%.80q is not a header name of at most %d bytes", name, maxAnswerHeaderName)
	}
	switch name {
	case "Content-Type", "Location", "Retry-After", "Etag":
	default:
		if !strings.HasPrefix(name, "X-") || name == "X-" {
			return fmt.Errorf("header %q is not allowed: Content-Type, Location, Retry-After, ETag and X-* are", name)
		}
	}
	if len(value) > maxAnswerHeaderValue || hasControl(value) || strings.ContainsFunc(value, func(r rune) bool { return r > '~' }) {
		return fmt.Errorf("header %s: the value must be printable ASCII, at most %d bytes", name, maxAnswerHeaderValue)
	}
	return nil
}

// bodiless says whether a reply with this status has no body (RFC 9110 section 6.4.1).
func (a *answerHTTP) bodiless() bool {
	return a.status == fasthttp.StatusNoContent || a.status == fasthttp.StatusResetContent || a.status == fasthttp.StatusNotModified
}

func (a *answerHTTP) apply(r *fasthttp.Response) {
	if a.status != 0 {
		r.SetStatusCode(a.status)
	}
	for _, h := range a.headers {
		if h.Name == "Etag" {
			r.Header.SetCanonical([]byte("ETag"), []byte(h.Value))
			continue
		}
		r.Header.Set(h.Name, h.Value)
	}
}
