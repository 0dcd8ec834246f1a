package core

import (
	"slices"
	"time"
)

// Property is a name and value that travels with a request beside its payload (MQTT 5 user
// property).
type Property struct{ Name, Value string }

// Call is what a requester asks. Nothing in it is kept after Begin returns, except Meta and Key,
// which are handed to the bus as they are.
type Call struct {
	Node *Node
	// Value is the JSON text of the request's value. nil means null.
	Value []byte
	// Timeout is how long the requester himself waits, 0: as long as it takes. It may shorten the
	// node's timeout, never lengthen it, and bounds what a responder may add to that
	// ([NodeOptions.MaxExtend]).
	Timeout time.Duration
	// Properties travel with the request.
	Properties []Property
	// Meta is for whoever stands between engine and bus (rules); the engine does not look at it.
	Meta any
	// Key, if set, says which requests are one and the same, see package idempotency; the engine
	// does not look at it.
	Key *Key
}

// Key tells a request that is sent again from a new one.
type Key struct {
	// Text is the requester's idempotency key, 1 to 255 bytes.
	Text string
	// User is who asks; keys of different users have nothing to do with each other.
	User string
	// Parameters are what makes the request what it is besides its value. Whoever uses a key
	// again with another value or other parameters has made a mistake.
	Parameters string
}

// Request is what the bus carries to responders. See [Bus] for how long it is valid.
type Request struct {
	ID         ID
	Node       *Node
	Timestamp  int64 // Unix time in ms at which the transaction began
	Value      []byte
	Timeout    time.Duration // what was left until Deadline when the engine gave it to the bus
	Deadline   time.Time     // with monotonic clock reading; a bus that keeps the request goes by it
	Properties []Property
	Meta       any
	Key        *Key
	// Message, if set, is the whole message and replaces id, timestamp and value: rules set it.
	Message []byte
}

// Clone returns a copy that stays valid, for a bus that does not publish at once.
func (r *Request) Clone() *Request {
	own := *r
	own.Value = slices.Clone(r.Value)
	own.Message = slices.Clone(r.Message)
	own.Properties = slices.Clone(r.Properties)
	return &own
}

// AppendMessage appends the request as it goes over the wire,
// {"id":"…","timestamp":…,"value":…}, and returns the extended buffer.
func (r *Request) AppendMessage(dst []byte) []byte {
	if r.Message != nil {
		return append(dst, r.Message...)
	}
	return AppendRequest(dst, r.ID, r.Timestamp, r.Value)
}

// Answer is a message as it arrived on the answer topic of Node.
type Answer struct {
	Node    *Node
	Payload []byte
	// CorrelationData is the MQTT 5 property of that name; nil if there was none. It finds the
	// transaction when the payload has no id.
	CorrelationData []byte
	// Stale marks a message that the broker had retained from before: it is counted, never used.
	Stale bool
}

// Reply is the content of an answer. Byte slices alias the payload.
type Reply struct {
	// Payload is the whole message.
	Payload []byte
	// ID is the zero value if there was an id, but not the text of a UUID.
	ID ID
	// HasID says whether the payload had an id.
	HasID bool
	// Value is the JSON text of the value member; nil if there is none. An error member beats it.
	Value []byte
	// Error is the error member; nil if there is none or it is unusable.
	Error *ReplyError
	// HTTP is the JSON text of the http member; nil if there is none.
	HTTP []byte
	// Extend is the JSON text of the extend member; nil if there is none. With a value or an error
	// it means nothing.
	Extend []byte
	// Problem says why the answer cannot complete its transaction with success although its id
	// is readable: an unusable error member, or neither value, error nor extend.
	Problem error
	// Completer is that of the transaction which the answer is for, so that
	// [NodeOptions.Inspect] can tell what was asked. Inspect only.
	Completer Completer
	// Extra is set by [NodeOptions.Inspect] and handed on in [Result].
	Extra any
}

// extendsOnly says whether a reply asks for time and says nothing else.
func (r *Reply) extendsOnly() bool { return r.Value == nil && r.Error == nil && r.Problem == nil }

// ReplyError is the error member of an answer.
type ReplyError struct {
	// Code is the number, valid if CodeName is empty.
	Code int64
	// CodeName is set when the code was given as a name (OPC UA status codes).
	CodeName string
	Message  string
}

// Result is how a transaction ended.
type Result struct {
	ID      ID // zero if it was refused before it got one
	Outcome Outcome
	// Value is the JSON text of the answer's value. It is valid during Complete only.
	Value []byte
	// Code, CodeName and Message come from the responder's error; Message is also the detail
	// of every other failure. They are owned by the receiver.
	Code     int64
	CodeName string
	Message  string
	// Extra is what Inspect left in the reply.
	Extra   any
	Elapsed time.Duration // from Begin to the end, monotonic
	Sent    bool          // it was handed over
	Repeat  Repeat        // what the request was to an earlier one with its key
}

// Repeat says what a request with an idempotency key was to an earlier one that had the same.
type Repeat uint8

// The kinds of repeats. The zero value is none of them: the request was the first, or has no key.
const (
	Joined   Repeat = iota + 1 // the other one was held; both have ended in this way
	Replayed                   // the other one had ended in this way
	InDoubt                    // the other one was published, and has not been answered until now
	Conflict                   // the other one was another request: nothing was done, and Outcome is 0
)

// RetrySafe says whether the request may be repeated without the risk of a second execution. It
// never is while an earlier one with its key is in doubt, whatever the outcome of this one.
func (r *Result) RetrySafe() bool { return r.Repeat != InDoubt && r.Outcome.RetrySafe(r.Sent) }

// Stray is an answer that completed nothing. One that prolonged its transaction is among them.
type Stray struct {
	Kind AnswerKind
	ID   ID // zero if it had none
	// Outcome and Lateness say how the transaction had ended and how long before; both are
	// zero unless Kind is Late or Duplicate.
	Outcome  Outcome
	Lateness time.Duration
	Payload  []byte
	Err      error         // what is wrong with a malformed one, or why one was ignored
	Added    time.Duration // what one of the kind Extended has added
}

// Completer is told how a transaction ended, exactly once, outside every lock. It must not
// block. It may be called before Begin returns.
type Completer interface {
	Complete(Result)
}
