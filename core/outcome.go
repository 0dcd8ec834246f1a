package core

import "strconv"

// Outcome says how a transaction ended. The same word is used in replies, logs and metrics.
type Outcome uint8

// The outcomes. The zero value is none of them.
const (
	Answered       Outcome = iota + 1 // a valid answer
	ResponderError                    // an answer with an error member
	Timeout                           // handed over, then nothing before the deadline
	NotPublished                      // never handed over, or refused by the broker
	NoSubscriber                      // the broker says that nobody listens
	Shed                              // a limit was reached
	BadResponse                       // the id matches, the rest is unusable
	RuleFailed                        // a rule failed or dropped the message
	Cancelled                         // the requester is gone
	Shutdown                          // refused while draining, or the drain time is over
	outcomeEnd
)

var outcomeNames = [outcomeEnd]string{
	"", "answered", "responder_error", "timeout", "not_published", "no_subscriber",
	"shed", "bad_response", "rule_failed", "cancelled", "shutdown",
}

// Outcomes returns all outcomes in their order.
func Outcomes() []Outcome {
	all := make([]Outcome, 0, outcomeEnd-1)
	for o := Answered; o < outcomeEnd; o++ {
		all = append(all, o)
	}
	return all
}

// String returns the outcome's word, such as "not_published".
func (o Outcome) String() string {
	if o == 0 || o >= outcomeEnd {
		return "outcome(" + strconv.Itoa(int(o)) + ")"
	}
	return outcomeNames[o]
}

// RetrySafe says whether the same request may be sent again without the risk that it is
// carried out twice. sent is whether it left the process.
func (o Outcome) RetrySafe(sent bool) bool {
	switch o {
	case NotPublished, NoSubscriber, Shed:
		return true
	case RuleFailed, Shutdown:
		return !sent
	default:
		return false
	}
}

// AnswerKind says what became of an answer.
type AnswerKind uint8

// The kinds of answers. The zero value is none of them.
const (
	Matched   AnswerKind = iota + 1 // it completed a transaction
	Duplicate                       // its transaction had ended with an answer or responder error
	Late                            // its transaction had ended otherwise
	Unknown                         // no held transaction and none of the remembered ends has its id
	Foreign                         // its id was made by another instance
	Malformed                       // not a JSON object, no id, or ids that disagree
	Stale                           // a retained message from before
	Ignored                         // valid, but asks for something that is not enabled
	Extended                        // it prolonged its transaction
	answerKindEnd
)

var answerKindNames = [answerKindEnd]string{
	"", "matched", "duplicate", "late", "unknown", "foreign", "malformed", "stale", "ignored", "extended",
}

// AnswerKinds returns all kinds in their order.
func AnswerKinds() []AnswerKind {
	all := make([]AnswerKind, 0, answerKindEnd-1)
	for k := Matched; k < answerKindEnd; k++ {
		all = append(all, k)
	}
	return all
}

// String returns the kind's word, such as "duplicate".
func (k AnswerKind) String() string {
	if k == 0 || k >= answerKindEnd {
		return "answerkind(" + strconv.Itoa(int(k)) + ")"
	}
	return answerKindNames[k]
}
