package guard

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gopcua/opcua/ua"
)

// maxWhere is how long the path of a refusal may get, in bytes, before its end is cut.
const maxWhere = 256

// Refusal is why a body is not decoded. Its texts are short and hold nothing of the body but
// numbers.
type Refusal struct {
	// Status is for the ServiceFault: BadServiceUnsupported, BadDecodingError for what is
	// malformed, BadEncodingLimitsExceeded for what is too much.
	Status ua.StatusCode
	// Handle is the request handle, if the request header could be read so far; else 0.
	Handle uint32
	// Where is the path in the structure, such as CallRequest.MethodsToCall[3].InputArguments.
	Where  string
	Reason string
}

func (r *Refusal) Error() string {
	if r.Where == "" {
		return "opcua: request refused: " + r.Reason
	}
	return "opcua: request refused: " + r.Where + ": " + r.Reason
}

// Unwrap returns the status.
func (r *Refusal) Unwrap() error { return r.Status }

// refusal is made once the body is refused. service is nil if it is not known.
func (w *walker) refusal(service *program) *Refusal {
	where := strings.TrimPrefix(w.where, ".")
	if service != nil {
		where = service.name + w.where
	}
	if len(where) > maxWhere {
		where = where[:maxWhere] + "…"
	}
	return &Refusal{Status: w.status, Where: where, Reason: w.reason}
}

// fail notes the refusal and returns false, for the callers to hand on.
func (w *walker) fail(status ua.StatusCode, format string, args ...any) bool {
	w.status, w.reason = status, fmt.Sprintf(format, args...)
	return false
}

func (w *walker) malformed(format string, args ...any) bool {
	return w.fail(ua.StatusBadDecodingError, format, args...)
}

func (w *walker) excessive(format string, args ...any) bool {
	return w.fail(ua.StatusBadEncodingLimitsExceeded, format, args...)
}

// in and at put the step to where they are called in front of the path; the way back from a
// refusal thus spells it out, and the way there costs nothing.
func (w *walker) in(name string) bool { return w.step("." + name) }
func (w *walker) at(index int) bool   { return w.step("[" + strconv.Itoa(index) + "]") }

func (w *walker) step(text string) bool {
	w.where = text + w.where
	if len(w.where) > 2*maxWhere { // the inner end goes first
		w.where = w.where[:2*maxWhere]
	}
	return false
}
