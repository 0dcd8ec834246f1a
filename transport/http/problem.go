package http

import (
	"strconv"

	"github.com/flowsync-go/flowsync/core"
)

const problemType = "application/problem+json"

// ProblemTypeBase and the outcome's word together are the type of a problem document.
const ProblemTypeBase = "https://github.com/flowsync-go/flowsync#outcome-"

// ProblemTypeConflict is the type of the one that says that an idempotency key was used before, for
// another request.
const ProblemTypeConflict = "https://github.com/flowsync-go/flowsync#idempotency-conflict"

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

func titleOf(r *core.Result) string {
	if r.Repeat == core.Conflict {
		return "The idempotency key was used for another request"
	}
	return titles[r.Outcome]
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
	switch {
	case p.result == nil:
		b = append(b, "about:blank"...)
	case p.result.Repeat == core.Conflict:
		b = append(b, ProblemTypeConflict...)
	default:
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

// appendResult appends what the engine says of the end. A conflict is no end of a transaction, and
// has no outcome.
func appendResult(b []byte, r *core.Result) []byte {
	if !r.ID.IsZero() {
		b = append(b, `,"id":"`...)
		b = r.ID.Append(b)
		b = append(b, '"')
	}
	if r.Outcome != 0 {
		b = append(b, `,"outcome":"`...)
		b = append(b, r.Outcome.String()...)
		b = append(b, '"')
	}
	if r.Repeat == core.InDoubt {
		b = append(b, `,"inDoubt":true`...)
	}
	b = append(b, `,"retrySafe":`...)
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
