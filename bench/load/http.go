package load

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

// HTTPOptions are what is asked over HTTP. URL is required.
type HTTPOptions struct {
	// URL of a route, http:// or https://. {seq} in its path or query stands for the number of the
	// request.
	URL string
	// Method is POST (also if empty), PUT, PATCH, DELETE or GET.
	Method string
	// Body is what is sent, JSON, with {seq} for the number of the request. Empty: an object with the
	// number and so much padding that it has Payload bytes; no body with GET and DELETE.
	Body string
	// Payload is the size of a body that is made, in bytes: MinPayload (also if it is 0) to MaxPayload.
	Payload int
	// Expect is what a right answer is: ExpectEcho (also if empty): the body that was sent, as JSON;
	// ExpectAny: any JSON, so that wrong answers cannot be told; else a JSON text with {seq} for the
	// number of the request, whose members the answer must have. It may have others.
	Expect string
	// Header is sent with each request. nil: none.
	Header http.Header
	// TLS is how https:// is spoken. nil: the system's certificates are trusted.
	TLS *tls.Config
}

// The bounds of bodies, in bytes.
const (
	MinPayload = 32
	MaxPayload = 1 << 20
)

// HTTP is a [Target] that speaks HTTP/1.1, with a connection for each lane.
type HTTP struct {
	url     string
	address string
	tls     *tls.Config // nil: plain
	header  fasthttp.RequestHeader
	uri     template
	body    template // no parts: none
	payload int
	expect  expectation
	dialer  net.Dialer
}

// NewHTTP checks the options. The error lists all that is wrong.
func NewHTTP(o HTTPOptions) (*HTTP, error) {
	t := &HTTP{url: o.URL, payload: o.Payload}
	expect, err := newExpectation(o.Expect)
	t.expect = expect
	err = errors.Join(err, t.parseURL(o), t.setBody(o), t.setHeader(o))
	if err != nil {
		return nil, err
	}
	if t.expect.kind == echo && len(t.body.parts) == 0 {
		return nil, fmt.Errorf("a %s without a body cannot be echoed: say what is expected, such as '{\"order\":\"{seq}\"}', or any", o.Method)
	}
	return t, nil
}

// setHeader adds the fields that are given. It comes after the body, whose type they may change.
func (t *HTTP) setHeader(o HTTPOptions) error {
	for name, values := range o.Header {
		for _, value := range values {
			if err := checkField(name, value); err != nil {
				return err
			}
			t.header.Add(name, value)
		}
	}
	return nil
}

// framing are fields that say where a request ends, or what becomes of its connection.
var framing = []string{"Connection", "Content-Length", "Expect", "Transfer-Encoding", "Upgrade"}

// checkField says whether a field may be sent (RFC 9110, 5.5 and 5.6.2). The value is not shown: it
// may be secret.
func checkField(name, value string) error {
	token := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}
	switch {
	case name == "" || strings.ContainsFunc(name, func(r rune) bool { return !token(r) }):
		return fmt.Errorf("the header %q has a name that is none: write such as X-Plant", name)
	case slices.Contains(framing, http.CanonicalHeaderKey(name)):
		return fmt.Errorf("the header %s is not free: it says where a request ends, or what becomes of its connection", name)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return fmt.Errorf("the header %s has a control character in its value", name)
	}
	return nil
}

func (t *HTTP) parseURL(o HTTPOptions) error {
	number := strconv.Itoa(firstSeq)
	u, err := url.Parse(strings.ReplaceAll(o.URL, mark, number))
	if err != nil || u.Host == "" || u.Opaque != "" {
		return fmt.Errorf("%q is not a URL: write such as http://127.0.0.1:8080/data/press/mayStart", o.URL)
	}
	port := u.Port()
	switch u.Scheme {
	case "http":
		port = or(port, "80")
	case "https":
		port = or(port, "443")
		t.tls = new(tls.Config)
		if o.TLS != nil {
			t.tls = o.TLS.Clone()
		}
		t.tls.ServerName = or(t.tls.ServerName, u.Hostname())
	default:
		return fmt.Errorf("%q: the scheme %q is unknown, want http or https", o.URL, u.Scheme)
	}
	if u.User != nil || u.Fragment != "" {
		return fmt.Errorf("%q: a URL with a user or a #fragment cannot be asked", u.Redacted())
	}
	t.address = net.JoinHostPort(u.Hostname(), port)
	t.uri = newTemplate(rawURI(o.URL))
	t.header.SetHost(u.Host)
	return nil
}

// rawURI is a URL without its scheme and host.
func rawURI(text string) string {
	_, rest, _ := strings.Cut(text, "://")
	at := strings.IndexAny(rest, "/?")
	switch {
	case at < 0:
		return "/"
	case rest[at] == '?':
		return "/" + rest[at:]
	}
	return rest[at:]
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (t *HTTP) setBody(o HTTPOptions) error {
	method := or(o.Method, http.MethodPost)
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
	case http.MethodGet, http.MethodDelete:
		t.payload = 0
	default:
		return fmt.Errorf("the method %q is unknown, want POST, PUT, PATCH, DELETE or GET", method)
	}
	t.header.SetMethod(method)
	text := o.Body
	if text == "" && method != http.MethodGet && method != http.MethodDelete {
		var err error
		if text, err = padded(max(t.payload, 0)); err != nil {
			return err
		}
	}
	if text == "" {
		return nil
	}
	t.body = newTemplate(text)
	example := t.body.append(nil, firstSeq)
	t.payload = len(example)
	if len(example) > MaxPayload {
		return fmt.Errorf("a body of %d bytes, want at most %d", len(example), MaxPayload)
	}
	if _, err := decode(example); err != nil {
		return fmt.Errorf("the body %.200q is not JSON: write such as '{\"order\":{seq}}', in which {seq} is the number of the request", text)
	}
	t.header.SetContentType("application/json")
	return nil
}

// padded is a body of that size. A few of its letters are those of this target only: an answer to
// what another asked under the same number is not taken for right.
func padded(size int) (string, error) {
	if size == 0 {
		size = MinPayload
	}
	if size < MinPayload || size > MaxPayload {
		return "", fmt.Errorf("a payload of %d bytes, want %d to %d", size, MinPayload, MaxPayload)
	}
	const frame = len(`{"seq":1000000000,"pad":""}`)
	pad := fmt.Sprintf("%05x", rand.Uint32N(1<<20)) + strings.Repeat("x", size)
	return `{"seq":` + mark + `,"pad":"` + pad[:size-frame] + `"}`, nil
}

// String implements [Target].
func (t *HTTP) String() string { return t.url }

// Describe implements [Describer].
func (t *HTTP) Describe(r *Report) {
	r.PayloadBytes = t.payload
	r.Expectation = t.expect.word
	r.Checked = t.expect.checks()
}
