package core

import "errors"

// What a bus, a rule or a transport says when it cannot go on with a transaction. Wrap them
// with %w and a text that says what happened; the text reaches the requester as detail.
var (
	// ErrNotSent: no byte of the request left the process. Ends as not_published; it does not
	// end a transaction that was marked sent.
	ErrNotSent = errors.New("request was not published")
	// ErrRefused: the broker refused the request. Ends as not_published even when sent.
	ErrRefused = errors.New("broker refused the request")
	// ErrNoSubscriber: the broker says that nobody listens. Ends as no_subscriber.
	ErrNoSubscriber = errors.New("no responder is subscribed")
	// ErrShed: a limit of the bus was reached. Ends as shed.
	ErrShed = errors.New("limit reached")
	// ErrRuleFailed: a rule failed or dropped the message. Ends as rule_failed.
	ErrRuleFailed = errors.New("rule failed")
	// ErrBadResponse: the answer cannot be given to the requester. Ends as bad_response.
	ErrBadResponse = errors.New("unusable answer")
)

// ErrClosed is returned by AddNode after Close.
var ErrClosed = errors.New("core: engine is closed")

// OutcomeOf maps an error of a bus, a rule or a transport to the outcome it stands for.
func OutcomeOf(err error) Outcome {
	switch {
	case errors.Is(err, ErrClosed):
		return Shutdown
	case errors.Is(err, ErrNoSubscriber):
		return NoSubscriber
	case errors.Is(err, ErrShed):
		return Shed
	case errors.Is(err, ErrRuleFailed):
		return RuleFailed
	case errors.Is(err, ErrBadResponse):
		return BadResponse
	default:
		return NotPublished
	}
}
