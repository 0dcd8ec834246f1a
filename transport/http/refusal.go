package http

import (
	"errors"
	"os"
	"strconv"

	"github.com/valyala/fasthttp"
)

// refusal is how a request ends before anything is begun. A status below 300 has no document.
type refusal struct {
	status    int
	detail    string
	allow     string // Allow
	preflight string // Access-Control-Allow-Methods
	challenge string // WWW-Authenticate
	end       bool   // close the connection: where the next request begins is not certain
}

func refuse(status int, detail string) *refusal { return &refusal{status: status, detail: detail} }

func refuseFraming(err error) *refusal {
	return &refusal{status: fasthttp.StatusBadRequest, detail: "not a valid HTTP/1.1 request: " + err.Error(), end: true}
}

func refuseTooLarge(limit int) *refusal {
	return refuse(fasthttp.StatusRequestEntityTooLarge, "the body is too large: at most "+strconv.Itoa(limit)+" bytes are taken here")
}

// judge finds the route of a request whose head has arrived, or why it is refused. It looks at
// nothing but the head, so that it can decide before a body is asked for with 100 Continue. It
// fills in what the exchange knows of the request.
func (s *Server) judge(x *exchange) *refusal {
	h := &x.ctx.Request.Header
	if p := h.Protocol(); string(p) != "HTTP/1.1" && string(p) != "HTTP/1.0" {
		return &refusal{status: fasthttp.StatusHTTPVersionNotSupported, detail: "speak HTTP/1.1", end: true}
	}
	if err := x.head.parse(h.RawHeaders()); err != nil {
		return refuseFraming(err)
	}
	var ok bool
	if x.target, ok = parseTarget(h.RequestURI()); !ok {
		return refuse(fasthttp.StatusBadRequest, "the request target must be a path, or an absolute URL without user and fragment")
	}
	if r := s.judgeSender(x); r != nil {
		return r
	}
	if string(x.target.path) == "*" {
		return &refusal{status: fasthttp.StatusNoContent, allow: allowed(s.router.all)}
	}
	if r := s.judgeTarget(x); r != nil {
		return r
	}
	return s.judgeBody(x)
}

// judgeSender decides whether this sender may ask anything: browsers first, as their
// preflights carry no credentials.
func (s *Server) judgeSender(x *exchange) *refusal {
	for _, host := range [][]byte{x.head.host, x.target.authority} {
		if err := s.guard.judge(host, x.head.origin, x.head.fetchSite, x.conn.loopback); err != nil {
			return refuse(fasthttp.StatusForbidden, err.Error())
		}
		if x.target.authority == nil {
			break
		}
	}
	x.cors = len(x.head.origin) > 0 && s.guard.Allows(string(x.head.origin))
	if x.cors && x.head.preflight != nil && x.ctx.IsOptions() {
		if validEscapes(x.target.path) && s.router.find(x.target.path, &x.found) {
			allow := x.found.resource.allow
			return &refusal{status: fasthttp.StatusNoContent, allow: allow, preflight: allow}
		}
	}
	if !s.token.admits(x.head.authorization) {
		r := refuse(fasthttp.StatusUnauthorized, "send the header Authorization: Bearer <token>")
		r.challenge = `Bearer realm="flowsync"`
		if len(x.head.authorization) > 0 {
			r.detail, r.challenge = "the token is not the right one", r.challenge+`, error="invalid_token"`
		}
		return r
	}
	return nil
}

// judgeTarget finds the route.
func (s *Server) judgeTarget(x *exchange) *refusal {
	if !validEscapes(x.target.path) || !validEscapes(x.target.query) {
		return refuse(fasthttp.StatusBadRequest, "the request target has an invalid percent-escape")
	}
	if !s.router.find(x.target.path, &x.found) {
		return refuse(fasthttp.StatusNotFound, "nothing is served on this path")
	}
	for _, param := range x.found.params {
		if !decodesToText(param) {
			return refuse(fasthttp.StatusBadRequest, "the path is not valid UTF-8")
		}
	}
	if !decodesToText(x.target.query) {
		return refuse(fasthttp.StatusBadRequest, "the query is not valid UTF-8")
	}
	allow := x.found.resource.allow
	if x.ctx.IsOptions() {
		return &refusal{status: fasthttp.StatusNoContent, allow: allow}
	}
	if x.route = x.found.resource.route(x.ctx.Method()); x.route == nil {
		return &refusal{status: fasthttp.StatusMethodNotAllowed, detail: "this path takes " + allow, allow: allow}
	}
	return nil
}

// judgeBody decides whether a body like this is taken.
func (s *Server) judgeBody(x *exchange) *refusal {
	length := x.ctx.Request.Header.ContentLength()
	if length == 0 || length == -2 { // none
		return nil
	}
	if length > x.route.MaxBody {
		return refuseTooLarge(x.route.MaxBody)
	}
	if len(x.head.contentEncoding) > 0 && !is(x.head.contentEncoding, "identity") {
		return refuse(fasthttp.StatusUnsupportedMediaType, "send the body without Content-Encoding")
	}
	var err error
	if x.media, err = parseMedia(x.head.contentType); err != nil {
		return refuse(fasthttp.StatusUnsupportedMediaType, err.Error())
	}
	return nil
}

// handleExpect answers "Expect: 100-continue": whatever the head is refused for is said before
// the requester sends his body.
func (s *Server) handleExpect(ctx *fasthttp.RequestCtx) int {
	x := s.take(ctx)
	defer s.give(x)
	r := s.judge(x)
	if r == nil {
		return fasthttp.StatusContinue
	}
	r.end = true
	x.refuse(r)
	return r.status
}

// handleError answers a request that could not be read, of which fasthttp keeps nothing. It
// closes the connection.
func (s *Server) handleError(ctx *fasthttp.RequestCtx, err error) {
	x := s.take(ctx)
	defer s.give(x)
	x.refuse(s.unreadable(err))
}

func (s *Server) unreadable(err error) *refusal {
	var small *fasthttp.ErrSmallBuffer
	r := &refusal{end: true}
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		r.status = fasthttp.StatusRequestEntityTooLarge
		r.detail = "the body is too large: no route takes more than " + strconv.Itoa(s.maxBody) + " bytes"
	case errors.As(err, &small):
		r.status = fasthttp.StatusRequestHeaderFieldsTooLarge
		r.detail = "request line and header are too large: at most " + strconv.Itoa(maxHeader) + " bytes are taken"
	case errors.Is(err, os.ErrDeadlineExceeded):
		r.status = fasthttp.StatusRequestTimeout
		r.detail = "the request did not arrive within " + s.options.ReadTimeout.String()
	default:
		return refuseFraming(errors.New("the request line, the header or the body is malformed"))
	}
	return r
}
