package service

import (
	"fmt"
	"strings"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// statusOf is the status code of an operation whose transaction has ended.
func (n *Node) statusOf(r *core.Result) ua.StatusCode {
	switch r.Outcome {
	case core.Answered:
		return ua.StatusOK
	case core.ResponderError:
		if status, ok := value.BadStatus(r.Code, r.CodeName); ok {
			return status
		}
		return ua.StatusBadUnexpectedError
	case core.Timeout:
		return n.TimeoutStatus
	case core.NotPublished:
		return ua.StatusBadNotConnected
	case core.NoSubscriber:
		return ua.StatusBadNoCommunication
	case core.Shed:
		return ua.StatusBadResourceUnavailable
	case core.BadResponse:
		return ua.StatusBadUnknownResponse
	case core.RuleFailed:
		return ua.StatusBadInternalError
	case core.Cancelled:
		return ua.StatusBadRequestCancelledByClient
	case core.Shutdown:
		return ua.StatusBadShutdown
	}
	return ua.StatusBadInternalError // no outcome there is
}

// maxInfo bounds the text of a diagnostic info, in bytes.
const maxInfo = 1024

// infoOf says in words how a transaction ended: for integrators.
func (n *Node) infoOf(r *core.Result) string {
	detail := r.Message
	if r.Outcome == core.Timeout && n.TimeoutMessage != "" {
		detail = n.TimeoutMessage
	}
	text := fmt.Sprintf("%s (id %s, retry is safe: %t): %s", r.Outcome, r.ID, r.RetrySafe(), detail)
	return clip(text)
}

func clip(text string) string {
	if len(text) > maxInfo {
		return strings.ToValidUTF8(text[:maxInfo], "")
	}
	return text
}

// statusOfReceive is the status code of what a node of the kind serverReceives was given.
func statusOfReceive(err error) ua.StatusCode {
	if err == nil {
		return ua.StatusOK
	}
	outcome := core.OutcomeOf(err)
	return (&Node{}).statusOf(&core.Result{Outcome: outcome})
}
