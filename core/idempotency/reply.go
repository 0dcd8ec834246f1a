package idempotency

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/flowsync-go/flowsync/core"
)

// answerExtra is what Inspect leaves in the Extra of a transaction with a key, so that Complete
// gets what else the reply is made of. Complete takes it apart again.
type answerExtra struct {
	http  []byte
	extra any
}

// Inspect returns what must be the [core.NodeOptions.Inspect] of a node with keys: rules, which
// may change the reply, and then protocol, which sets Extra. Either may be nil. protocol sees
// the Completer of one of those who asked, or nil. What it leaves in Extra is given to all who
// asked at the same time, so it must not be changed later.
func (t *Table) Inspect(rules, protocol func(*core.Reply) error) func(*core.Reply) error {
	return func(r *core.Reply) error {
		e, keyed := r.Completer.(*entry)
		if keyed {
			r.Completer = e.asker()
		}
		if err := inspect(r, rules, protocol); err != nil {
			return err
		}
		if keyed {
			r.Extra = &answerExtra{slices.Clone(r.HTTP), r.Extra}
		}
		return nil
	}
}

// inspect runs the two. The first may replace the whole reply, and what it leaves may be nothing
// that the second has to look at.
func inspect(r *core.Reply, rules, protocol func(*core.Reply) error) error {
	asker := r.Completer
	if rules != nil {
		if err := rules(r); err != nil {
			return err
		}
		r.Completer = asker
	}
	if protocol == nil || !usable(r) {
		return nil
	}
	return protocol(r)
}

func usable(r *core.Reply) bool { return r.Problem == nil && (r.Value != nil || r.Error != nil) }

// asker is the completer of one of those who wait; nil: there is none.
func (e *entry) asker() core.Completer {
	e.table.mu.Lock()
	defer e.table.mu.Unlock()
	if len(e.waiters) == 0 {
		return nil
	}
	return e.waiters[0].done
}

func unwrap(r *core.Result) (http []byte) {
	x, ok := r.Extra.(*answerExtra)
	if !ok {
		return nil
	}
	r.Extra = x.extra
	return x.http
}

// encodeReply makes of a result the message that is kept: an answer, without what nobody needs any
// more. Value and http are kept byte for byte.
func encodeReply(r *core.Result, http []byte) []byte {
	if r.Outcome == core.Answered {
		return appendValue(nil, r.Value, http)
	}
	return appendError(nil, &core.ReplyError{Code: r.Code, CodeName: r.CodeName, Message: r.Message})
}

func appendValue(dst, value, http []byte) []byte {
	dst = slices.Grow(dst, len(`{"value":,"http":}`)+len(value)+len(http))
	dst = append(dst, `{"value":`...)
	dst = append(dst, value...)
	if http != nil {
		dst = append(dst, `,"http":`...)
		dst = append(dst, http...)
	}
	return append(dst, '}')
}

func appendError(dst []byte, e *core.ReplyError) []byte {
	dst = append(dst, `{"error":{"code":`...)
	if e.CodeName != "" {
		dst = appendString(dst, e.CodeName)
	} else {
		dst = strconv.AppendInt(dst, e.Code, 10)
	}
	dst = append(dst, `,"message":`...)
	dst = appendString(dst, e.Message)
	return append(dst, '}', '}')
}

func appendString(dst []byte, s string) []byte {
	text, _ := json.Marshal(s) // a string always can
	return append(dst, text...)
}

// giveAgain fills in what a kept reply says to another requester. The slices of the result alias
// the message.
func (n *node) giveAgain(message []byte, to core.Completer, r *core.Result) {
	reply, err := core.DecodeAnswer(message)
	if err == nil {
		reply.Payload, reply.ID, reply.HasID, reply.Completer = message, r.ID, true, to
		err = inspect(&reply, nil, n.options.Protocol)
	}
	if err == nil {
		err = reply.Problem
	}
	switch {
	case errors.Is(err, core.ErrRuleFailed):
		r.Outcome, r.Message = core.RuleFailed, err.Error()
	case err != nil: // the node is another one than it was before a restart
		r.Outcome, r.Message = core.BadResponse, err.Error()
	case reply.Error != nil:
		r.Outcome, r.Code, r.CodeName, r.Message = core.ResponderError, reply.Error.Code, reply.Error.CodeName, reply.Error.Message
	default:
		r.Outcome, r.Value, r.Extra = core.Answered, reply.Value, reply.Extra
	}
}
