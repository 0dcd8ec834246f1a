package requester

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/valyala/fasthttp"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
)

// problem is the document of a failure (RFC 9457) as flowsync writes it.
type problem struct {
	ID        string `json:"id"`
	Outcome   string `json:"outcome"`
	RetrySafe *bool  `json:"retrySafe"`
	InDoubt   bool   `json:"inDoubt"`
}

// replied is what an HTTP reply says.
func replied(r *fasthttp.Response) history.Replied {
	status := r.StatusCode()
	e := history.Replied{
		Way: history.Whole, Status: uint32(status), Marker: history.MarkerIn(r.Body()),
		Replayed: len(r.Header.Peek("Idempotency-Replayed")) > 0,
		InDoubt:  len(r.Header.Peek("Flowsync-In-Doubt")) > 0,
	}
	if status < http.StatusMultipleChoices {
		e.Outcome = "answered"
		if real := r.Header.Peek("Flowsync-Outcome"); len(real) > 0 {
			e.Outcome, e.Fallback = string(real), true
		}
		return e
	}
	var p problem
	if !bytes.HasPrefix(r.Header.ContentType(), []byte("application/problem+json")) || json.Unmarshal(r.Body(), &p) != nil {
		e.Way = history.Other
		return e
	}
	e.Outcome, e.RetrySafe, e.InDoubt = p.Outcome, p.RetrySafe, p.InDoubt
	e.ID, _ = history.ParseID(p.ID) // a refusal has none
	switch {
	case p.Outcome != "":
	case status == http.StatusUnprocessableEntity:
		e.Conflict = true
	default:
		e.Way = history.Other
	}
	return e
}
