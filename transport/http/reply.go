package http

import (
	"time"

	"github.com/valyala/fasthttp"

	"github.com/flowsync-go/flowsync/core"
)

const jsonType = "application/json"

// What headers of a reply tell besides its status and body.
const (
	outcomeHeader  = "Flowsync-Outcome"     // with a fallback: what really became of the request
	doubtHeader    = "Flowsync-In-Doubt"    // with a fallback: the request may have been carried out
	replayedHeader = "Idempotency-Replayed" // the reply was given before, to a request with this key
)

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
		h.Set("Access-Control-Expose-Headers", "*, ETag, Flowsync-In-Doubt, Flowsync-Outcome, Idempotency-Replayed, Location, Retry-After")
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
	h := &x.ctx.Response.Header
	if x.result.Repeat == core.Replayed {
		h.Set(replayedHeader, "true")
	}
	switch {
	case x.result.Outcome == core.Answered:
	case x.route.Transaction.fallsBack(x.result.Outcome):
		x.substitute(&x.result)
		return
	default:
		x.fail(&x.result)
		return
	}
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
	p := problem{status: x.statusOf(r), title: titleOf(r), detail: r.Message, result: r}
	if t := x.route.Transaction; t != nil && r.Outcome == core.Timeout && t.TimeoutMessage != "" {
		p.detail = t.TimeoutMessage
	}
	x.headers()
	x.retryAfter(r)
	x.ctx.SetStatusCode(p.status)
	x.writeProblem(p)
}

// retryAfter says when to ask again, where it is known that nothing was done.
func (x *exchange) retryAfter(r *core.Result) {
	if r.Outcome == core.Shed || r.Outcome == core.NotPublished {
		x.ctx.Response.Header.Set("Retry-After", retryHeader)
	}
}

// statusClientClosed is what a log would show for a requester who left; nobody is sent it but
// one whose transaction was cancelled by somebody else.
const statusClientClosed = 499

func (x *exchange) statusOf(r *core.Result) int {
	if r.Repeat == core.Conflict {
		return fasthttp.StatusUnprocessableEntity
	}
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
