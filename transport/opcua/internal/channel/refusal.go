package channel

import (
	"errors"
	"fmt"

	"github.com/gopcua/opcua/ua"
)

// refusal is why a connection is ended by this side.
type refusal struct {
	status ua.StatusCode // for the peer
	reason string        // for the peer and the log
	detail error         // for the log only
	flush  bool          // what waits to be written goes out before
}

func (r *refusal) Error() string {
	text := r.status.Error()
	if r.reason != "" {
		text += ": " + r.reason
	}
	if r.detail != nil {
		text += ": " + r.detail.Error()
	}
	return text
}

func (r *refusal) Unwrap() []error { return []error{r.status, r.detail} }

// refuse says the reason to the peer.
func refuse(status ua.StatusCode, format string, args ...any) error {
	return &refusal{status: status, reason: fmt.Sprintf(format, args...)}
}

// insecure is what is wrong with the security of a message. The peer hears only that something
// is: what exactly would help an attacker more than an honest client (OPC 10000-6, 6.7.6).
func insecure(format string, args ...any) error {
	return &refusal{status: ua.StatusBadSecurityChecksFailed, detail: fmt.Errorf(format, args...)}
}

// errGone means that the connection has ended, or is ending, without this side's doing.
var errGone = errors.New("the connection has ended")

// refusalOf makes of an error of the handler what the peer gets to see.
func refusalOf(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	var status ua.StatusCode
	if errors.As(err, &status) && status != ua.StatusOK {
		return &refusal{status: status, detail: err}
	}
	return &refusal{status: ua.StatusBadTCPInternalError, detail: err}
}
