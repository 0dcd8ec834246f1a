package http

import (
	"github.com/valyala/fasthttp"

	"github.com/flowsync-go/flowsync/core"
)

// fallsBack says whether the fallback takes the place of this end.
func (t *Transaction) fallsBack(o core.Outcome) bool {
	return t.Fallback != nil && (o == core.Timeout || o == core.Shed || o == core.NotPublished)
}

// substitute replies with the fallback. What really became of the request is in the header, and
// so is a doubt, which a value must not hide; when it is worth asking again is as true as ever.
func (x *exchange) substitute(r *core.Result) {
	fallback := x.route.Transaction.Fallback
	h := &x.ctx.Response.Header
	x.ctx.SetStatusCode(fasthttp.StatusNoContent)
	if string(fallback) != "null" {
		x.ctx.SetStatusCode(fasthttp.StatusOK)
		h.SetContentType(jsonType)
		x.ctx.SetBody(fallback)
	}
	h.Set(outcomeHeader, r.Outcome.String())
	if r.Repeat == core.InDoubt {
		h.Set(doubtHeader, "true")
	}
	x.retryAfter(r)
	x.headers()
}
