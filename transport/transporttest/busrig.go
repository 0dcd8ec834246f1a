package transporttest

import (
	"context"
	"testing"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// BusFactory makes a fresh rig for one case. It fails t if it cannot.
type BusFactory func(t *testing.T) BusRig

// BusRig is a bus under test with what it needs around it. The suite calls Bus, makes an engine
// on it, adds nodes, and calls Start, then Peer; at the end it closes the engine and then the
// rig. Peer may also be called before Start.
type BusRig interface {
	// Bus is the bus under test, always the same one, not yet bound to an engine.
	Bus() core.Bus
	// Start connects the bus. It returns when requests of all attached nodes get through and
	// their answers are read, or with an error.
	Start(ctx context.Context) error
	// Peer connects a new far side. It returns when the peer can publish and subscribe.
	Peer(ctx context.Context) (Peer, error)
	// Features says what the bus can do.
	Features() Features
	// Close closes the bus, the peers and everything around it. No goroutine remains. It may
	// be called while requests are held, and again: further calls do nothing.
	Close(ctx context.Context) error
}

// Peer is the far side of a bus: a client of the same broker, who plays the responder. Its
// methods may be called from many goroutines, and from within a handler.
type Peer interface {
	// Subscribe calls handler for every message that arrives on topic (no wildcards), in the
	// order of arrival and one at a time. It returns when the subscription is in force. The
	// handler does not block and keeps nothing of its message without copying it.
	Subscribe(topic string, handler func(Message)) error
	// Publish sends a message. It may return before the message has arrived anywhere.
	Publish(Message) error
}

// Message is what a peer receives and sends. Fields that the bus has no notion of stay empty
// when received and are ignored when sent. Nothing of it is kept after Publish has returned.
type Message struct {
	Topic           string
	Payload         []byte
	Retain          bool // sent: keep it for later subscribers
	CorrelationData []byte
	ResponseTopic   string
	ContentType     string
	Expiry          time.Duration // received: whole seconds; 0: none
	Properties      []core.Property
}

// Features says which cases apply to a bus. The zero value is a bus that carries payloads and
// nothing else.
type Features struct {
	// Properties: requests carry Response Topic, Correlation Data, Content Type, Expiry and user
	// properties, and answers may carry Correlation Data (MQTT 5 §3.3.2.3).
	Properties bool
	// Retain: the broker keeps retained messages and gives them to later subscribers.
	Retain bool
	// Wait: requests of nodes with core.NodeOptions.Wait wait for the broker, from before Start on.
	Wait bool
	// NoSubscriber: requests of nodes with core.NodeOptions.FailFast, which have QoS 1, end as
	// no_subscriber when no peer is subscribed to them.
	NoSubscriber bool
	// MaxPayload is the size of the largest answer or request that gets through, in bytes.
	// 0: at least 256 KiB.
	MaxPayload int
}

// Breaker is implemented by a rig whose bus can lose what it is connected to.
type Breaker interface {
	// Break takes the broker away, as if its machine had lost power. It returns when it is gone.
	Break() error
	// Mend brings it back, without anything it had stored. Peers need not work any more; the
	// suite makes a new one, once the bus has connected again.
	Mend() error
	// Connected waits until the bus has connected again and reads answers.
	Connected(ctx context.Context) error
}
