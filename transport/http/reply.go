package http

import (
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/flowsync-go/flowsync/core"
)

const (
	jsonType    = "application/json"
	problemType = "application/problem+json"
)

// ProblemTypeBase and the outcome's word together are the type of a problem document.
const ProblemTypeBase = "https://github.com/flowsync-go/flowsync#outcome-"

// retryAfter is when to come back after shed and not_published: in whole seconds, see retryHeader.
// After shed the connection is not read before, see rest.
const (
	retryAfter  = time.Second
	retryHeader = "1"
)

var (
	headerCacheControl = []byte("Cache-Control")
	headerOptions      = []byte("X-Content-Type-Options")
	valueNoStore       = []byte("no-store")
	valueNoSniff       = []byte("nosniff")
)

// headers sets what every reply has.
func (x *exchange) headers() {
	h := &x.ctx.Response.Header
	h.SetCanonical(headerCacheControl, valueNoStore)
	h.SetCanonical(headerOptions, valueNoSniff)
	if len(x.server.options.AllowOrigins) > 0 {
		h.Set("Vary", "Origin")
	}
	if x.cors {
		h.Set("Access-Control-Allow-Origin", string(x.head.origin))
		h.Set("Access-Control-Expose-Headers", "*, ETag, Location, Retry-After")
	}
}

// refuse writes a refusal.
func (x *exchange) refuse(r *refusal) {
	x.headers()
	h := &x.ctx.Response.Header
	if r.allow != "" {
		h.Set("Allow", r.allow)
	}
	if r.preflight != "" {
		h.Set("Access-Control-Allow-Methods", r.preflight)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Prefer, Request-Timeout, traceparent, tracestate")
		h.Set("Access-Control-Max-Age", "600")
	}
	if r.challenge != "" {
		h.Set("WWW-Authenticate", r.challenge)
	}
	if r.end {
		x.ctx.SetConnectionClose()
		x.conn.linger = true
	}
	x.ctx.SetStatusCode(r.status)
	if r.status >= 300 {
		x.writeProblem(problem{status: r.status, title: fasthttp.StatusMessage(r.status), detail: r.detail})
	}
}

// reply writes how the transaction ended.
func (x *exchange) reply() {
	if x.conn.gone {
		return
	}
	x.server.rest(x.conn, x.result.Outcome)
	if x.result.Outcome != core.Answered {
		x.fail(&x.result)
		return
	}
	h := &x.ctx.Response.Header
	x.ctx.SetStatusCode(fasthttp.StatusOK)
	if x.null {
		x.ctx.SetStatusCode(fasthttp.StatusNoContent)
	} else {
		h.SetContentType(jsonType)
	}
	if own, ok := x.result.Extra.(*answerHTTP); ok {
		own.apply(&x.ctx.Response)
	}
	x.headers()
}

// fail writes a transaction that was not answered as a problem document.
func (x *exchange) fail(r *core.Result) {
	p := problem{status: x.statusOf(r), title: titles[r.Outcome], detail: r.Message, result: r}
	if t := x.route.Transaction; t != nil && r.Outcome == core.Timeout && t.TimeoutMessage != "" {
		p.detail = t.TimeoutMessage
	}
	x.headers()
	if r.Outcome == core.Shed || r.Outcome == core.NotPublished {
		x.ctx.Response.Header.Set("Retry-After", retryHeader)
	}
	x.ctx.SetStatusCode(p.status)
	x.writeProblem(p)
}

// statusClientClosed is what a log would show for a requester who left; nobody is sent it but
// one whose transaction was cancelled by somebody else.
const statusClientClosed = 499

func (x *exchange) statusOf(r *core.Result) int {
	switch r.Outcome {
	case core.ResponderError:
		if r.CodeName == "" && r.Code >= 400 && r.Code <= 599 {
			return int(r.Code)
		}
		return fasthttp.StatusBadGateway
	case core.Timeout:
		if x.route.Transaction != nil {
			return x.route.Transaction.TimeoutCode
		}
	case core.NotPublished, core.NoSubscriber, core.Shutdown:
		return fasthttp.StatusServiceUnavailable
	case core.Shed:
		return fasthttp.StatusTooManyRequests
	case core.BadResponse:
		return fasthttp.StatusBadGateway
	case core.Cancelled:
		return statusClientClosed
	}
	return fasthttp.StatusInternalServerError
}

var titles = map[core.Outcome]string{
	core.ResponderError: "The responder reported an error",
	core.Timeout:        "No answer came in time",
	core.NotPublished:   "The request was not published",
	core.NoSubscriber:   "No responder is there",
	core.Shed:           "Too many requests",
	core.BadResponse:    "The answer is unusable",
	core.RuleFailed:     "A rule failed",
	core.Cancelled:      "The request was cancelled",
	core.Shutdown:       "The gateway is shutting down",
}

// problem is a problem document (RFC 9457).
type problem struct {
	status        int
	title, detail string
	result        *core.Result // nil: no transaction
}

func (x *exchange) writeProblem(p problem) {
	x.ctx.Response.Header.SetContentType(problemType)
	x.buf = p.append(x.buf[:0])
	x.ctx.SetBody(x.buf)
}

func (p *problem) append(b []byte) []byte {
	b = append(b, `{"type":"`...)
	if p.result == nil {
		b = append(b, "about:blank"...)
	} else {
		b = append(b, ProblemTypeBase...)
		b = append(b, p.result.Outcome.String()...)
	}
	b = append(b, `","title":`...)
	b = appendJSONString(b, p.title)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(p.status), 10)
	b = append(b, `,"detail":`...)
	b = appendJSONString(b, p.detail)
	if r := p.result; r != nil {
		b = appendResult(b, r)
	}
	return append(b, '}')
}

func appendResult(b []byte, r *core.Result) []byte {
	if !r.ID.IsZero() {
		b = append(b, `,"id":"`...)
		b = r.ID.Append(b)
		b = append(b, '"')
	}
	b = append(b, `,"outcome":"`...)
	b = append(b, r.Outcome.String()...)
	b = append(b, `","retrySafe":`...)
	b = strconv.AppendBool(b, r.RetrySafe())
	b = append(b, `,"elapsedMs":`...)
	b = strconv.AppendInt(b, r.Elapsed.Milliseconds(), 10)
	if r.Outcome == core.ResponderError {
		b = append(b, `,"code":`...)
		if r.CodeName != "" {
			b = appendJSONString(b, r.CodeName)
		} else {
			b = strconv.AppendInt(b, r.Code, 10)
		}
	}
	return b
}
