package service

import (
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// statusOf is the status code of an operation whose transaction has ended.
func (n *Node) statusOf(r *core.Result) ua.StatusCode {
	if r.Repeat == core.Conflict {
		return ua.StatusBadEntryExists
	}
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

// received is what became of a value that a node of the kind serverReceives was given.
func received(err error) core.Result {
	return core.Result{Outcome: core.OutcomeOf(err), Message: err.Error()}
}
