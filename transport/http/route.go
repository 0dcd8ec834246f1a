package http

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/flowsync-go/flowsync/core"
)

// Route says what happens to requests of one method on one path. Exactly one of Transaction,
// Receive and Provide is set.
type Route struct {
	// Method is GET, POST, PUT, PATCH or DELETE.
	Method string
	// Path is the whole path, see [JoinPath]. A segment {name} is a parameter.
	Path string
	// MaxBody bounds a request body, in bytes: 1 to 512 000. 0: 100 000.
	MaxBody int
	// NeedMeta says that Call.Meta or the meta of Receive is looked at: a *[Meta]. It costs
	// allocations, so it is not made otherwise.
	NeedMeta bool
	// Where names the place in the file that the route comes from; errors quote it.
	Where string

	// Transaction holds requests open until they are answered.
	Transaction *Transaction
	// Receive takes the value of a request (JSON text, valid during the call); nil is answered
	// 204. An error wraps one of core's sentinel errors to say how it failed; any other means
	// that it was not published. meta is nil unless NeedMeta is set.
	Receive func(value []byte, meta *Meta) error
	// Provide returns the JSON text that GETs are answered with; false: there is none yet.
	Provide func() (value []byte, ok bool)
}

// Transaction is how a route starts transactions.
type Transaction struct {
	Node *core.Node
	// TimeoutCode is the status of a timeout, 400 to 599. 0: 500.
	TimeoutCode int
	// TimeoutMessage is the detail of a timeout. Empty: a text of ours.
	TimeoutMessage string
	// Fallback is JSON text that is given as the answer when the outcome is timeout, shed or
	// not_published, with a header Flowsync-Outcome that says which; null is 204. At most 512 000
	// bytes. nil: none.
	Fallback []byte
	// Keys says that the header Idempotency-Key becomes [core.Call.Key]. Else it is not looked at.
	Keys bool
}

// Meta is what rules may know of the request beside its value. It marshals to JSON with the
// lower-case names method, path, params and query, and may be kept.
type Meta struct {
	Method string `json:"method"`
	// Path is the path as the requester wrote it.
	Path string `json:"path"`
	// Params are the route's parameters, decoded.
	Params map[string]string `json:"params"`
	// Query are the query parameters, decoded, without apiToken.
	Query map[string][]string `json:"query"`
}

// JoinPath joins prefix, base path and route of a node with single slashes.
func JoinPath(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		for segment := range strings.SplitSeq(part, "/") {
			if segment != "" {
				b.WriteByte('/')
				b.WriteString(segment)
			}
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// methods that a route may have.
var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

func knownMethod(method string) bool {
	for _, m := range methods {
		if m == method {
			return true
		}
	}
	return false
}

func (r *Route) String() string {
	text := r.Method + " " + r.Path
	if r.Where != "" {
		text += " (" + r.Where + ")"
	}
	return text
}

// complete fills in defaults and reports everything that is wrong with the route itself.
func (r *Route) complete(haveEngine bool) error {
	var errs []error
	fault := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("http: route %s: "+format, append([]any{r}, args...)...))
	}
	if !knownMethod(r.Method) {
		fault("the method must be one of %s", strings.Join(methods, ", "))
	}
	if r.MaxBody == 0 {
		r.MaxBody = DefaultMaxBody
	}
	if r.MaxBody < 1 || r.MaxBody > LargestMaxBody {
		fault("the largest body is %d bytes, want 1 to %d", r.MaxBody, LargestMaxBody)
	}
	kinds := 0
	for _, set := range []bool{r.Transaction != nil, r.Receive != nil, r.Provide != nil} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		fault("set one of Transaction, Receive and Provide, not %d", kinds)
	}
	if r.Transaction != nil {
		var err error
		if r.Transaction, err = r.Transaction.own(); err != nil {
			fault("%w", err)
		}
		if !haveEngine {
			fault("a transaction needs Options.Engine")
		}
	}
	return errors.Join(errs...)
}

// defaultTimeoutCode is the status of a timeout where none is configured.
const defaultTimeoutCode = 500

// checkFallback says what is wrong with a fallback.
func checkFallback(text []byte) error {
	if len(text) > LargestMaxBody {
		return fmt.Errorf("it has %d bytes, want at most %d", len(text), LargestMaxBody)
	}
	if offset, err := core.ValidJSON(text); err != nil {
		return fmt.Errorf("it is not valid JSON at byte %d: %w", offset, err)
	}
	return nil
}

// own returns a copy that is the route's, with defaults filled in, and what is wrong with it.
func (t *Transaction) own() (*Transaction, error) {
	c, errs := *t, []error(nil)
	if c.Node == nil {
		errs = append(errs, errors.New("a transaction needs a Node"))
	}
	if c.TimeoutCode == 0 {
		c.TimeoutCode = defaultTimeoutCode
	}
	if c.TimeoutCode < 400 || c.TimeoutCode > 599 {
		errs = append(errs, fmt.Errorf("the timeout code is %d, want 400 to 599", c.TimeoutCode))
	}
	if c.Fallback != nil {
		if err := checkFallback(c.Fallback); err != nil {
			errs = append(errs, fmt.Errorf("the fallback: %w", err))
		}
		c.Fallback = append([]byte{}, bytes.TrimSpace(c.Fallback)...)
	}
	return &c, errors.Join(errs...)
}
