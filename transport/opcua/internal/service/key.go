package service

import (
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
)

// KeyArgument is the input argument of a Method that is the idempotency key of a Call.
const KeyArgument = "idempotencyKey"

// maxKey bounds it, in bytes.
const maxKey = 255

// noKey is what a client means that leaves the key out of its arguments as null.
var noKey = ua.MustVariant("")

// key is the idempotency key of a Call, whose arguments fit. nil: it has none, as the node asks for
// none, or the argument is null or empty.
func (r *request) key(n *Node, arguments []*ua.Variant, to *result) (*core.Key, ua.StatusCode) {
	if !n.Keyed {
		return nil, ua.StatusOK
	}
	text, _ := arguments[n.KeyAt].Value().(string)
	switch {
	case text == "":
		return nil, ua.StatusOK
	case len(text) > maxKey:
		to.inputs = make([]ua.StatusCode, len(arguments))
		to.inputs[n.KeyAt] = ua.StatusBadOutOfRange
		return nil, ua.StatusBadInvalidArgument
	}
	return &core.Key{Text: text, User: r.client.session.User(), Parameters: n.Space.ID.String()}, ua.StatusOK
}
