package requester

import (
	"errors"
	"regexp"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// judge reads a reply, and which request it is for.
func judge(r rawclient.Response) (history.Replied, uint32) {
	e := history.Replied{Way: history.Whole}
	response, err := r.Decode()
	if response == nil {
		return history.Replied{Way: history.Other}, r.ID
	}
	id := response.Header().RequestHandle
	if err != nil {
		fault(&e, err)
		return e, id
	}
	switch v := response.(type) {
	case *ua.CallResponse:
		if len(v.Results) == 1 {
			result(&e, v.Results[0].StatusCode, v.DiagnosticInfos)
			e.Marker = markerIn(v.Results[0].OutputArguments, e.Marker)
			return e, id
		}
	case *ua.WriteResponse:
		if len(v.Results) == 1 {
			result(&e, v.Results[0], v.DiagnosticInfos)
			return e, id
		}
	}
	e.Way = history.Other
	return e, id
}

// fault is a request that failed as a whole.
func fault(e *history.Replied, err error) {
	var status ua.StatusCode
	_ = errors.As(err, &status)
	e.Status = uint32(status)
	switch status {
	case ua.StatusBadRequestCancelledByClient, ua.StatusBadSessionClosed:
		e.Outcome = "cancelled"
	default:
		e.Way = history.Other
	}
}

// markerIn is the marker that the outputs carry.
func markerIn(outputs []*ua.Variant, marker uint64) uint64 {
	var all []byte
	for _, o := range outputs {
		if text, ok := o.Value().(string); ok {
			all = append(append(all, text...), ' ')
		}
	}
	if m := history.MarkerIn(all); m != 0 {
		return m
	}
	return marker
}

// outcomes are the words that status codes stand for, if nothing else is said.
var outcomes = map[ua.StatusCode]string{
	ua.StatusOK: "answered", ua.StatusBadTimeout: "timeout", ua.StatusBadNotConnected: "not_published",
	ua.StatusBadNoCommunication: "no_subscriber", ua.StatusBadResourceUnavailable: "shed",
	ua.StatusBadUnknownResponse: "bad_response", ua.StatusBadInternalError: "rule_failed",
	ua.StatusBadShutdown: "shutdown", ua.StatusBadUnexpectedError: "responder_error",
}

// said is how the gateway says in diagnostic info how an operation ended.
var said = regexp.MustCompile(`^([a-z_]+) \(([^)]*)\)`)

var facts = regexp.MustCompile(`(\w+) ([^,]+)`)

// result is how an operation ended.
func result(e *history.Replied, status ua.StatusCode, infos []*ua.DiagnosticInfo) {
	e.Status, e.Outcome = uint32(status), outcomes[status]
	e.Fallback = status == ua.StatusUncertainSubstituteValue
	e.Conflict = status == ua.StatusBadEntryExists
	if len(infos) == 1 && infos[0] != nil {
		text := infos[0].AdditionalInfo
		e.Marker = history.MarkerIn([]byte(text))
		if m := said.FindStringSubmatch(text); m != nil && !e.Conflict {
			e.Outcome = m[1]
			tell(e, m[2])
		}
	}
	if e.Outcome == "" && !e.Conflict {
		e.Way = history.Other
	}
}

// tell reads what stands behind the word: id, retrySafe, inDoubt, replayed.
func tell(e *history.Replied, text string) {
	for _, m := range facts.FindAllStringSubmatch(text, -1) {
		switch name, value := m[1], m[2]; name {
		case "id":
			e.ID, _ = history.ParseID(value)
		case "retrySafe":
			safe := value == "true"
			e.RetrySafe = &safe
		case "inDoubt":
			e.InDoubt = value == "true"
		case "replayed":
			e.Replayed = value == "true"
		}
	}
}
