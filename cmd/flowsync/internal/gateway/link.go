package gateway

import (
	"context"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// link is the broker as the gateway sees it.
type link interface {
	core.Bus
	core.Binder
	core.Attacher
	// PublishMessage does not wait and keeps nothing of the message; nil means accepted.
	PublishMessage(mqtt.Message) error
	// Subscribe calls the handler on a goroutine of the link, which it must not block.
	Subscribe(filter string, qos byte, handle mqtt.Handler) error
	Ready() bool
	Close(context.Context) error
}
