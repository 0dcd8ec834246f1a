package embedded

import (
	"fmt"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// unheard says of a request that is about to be published that nobody is subscribed to it, if its
// node fails fast; nil otherwise. There is no acknowledgement inside of the process, nor would the
// broker say 0x10 in one. Our handlers count; so does a session without a connection that keeps
// what it is sent. A retained request is given to who subscribes later, so nobody can say that.
func (b *Broker) unheard(node *core.Node) error {
	if !node.FailFast() || node.Retain() || b.heard(node.RequestTopic()) {
		return nil
	}
	b.counters.noSubscriber.Add(1)
	return fmt.Errorf("%w to %s", core.ErrNoSubscriber, node.RequestTopic())
}

func (b *Broker) heard(topic string) bool {
	if b.handlers.wants(topic) {
		return true
	}
	all := b.subscribers(topic)
	for id, sub := range all.Subscriptions {
		if b.receives(id, &sub) {
			return true
		}
	}
	for _, group := range all.Shared {
		for id, sub := range group {
			if b.receives(id, &sub) {
				return true
			}
		}
	}
	return false
}

// receives says whether a client is given what he subscribed to, now or when he comes back.
func (b *Broker) receives(id string, sub *packets.Subscription) bool {
	client, ok := b.server.Clients.Get(id)
	return ok && (sub.Qos > 0 || !client.Closed())
}

// Broker returns what the broker can do, in the words of one that is outside of the process.
func (b *Broker) Broker() mqtt.BrokerInfo {
	return mqtt.BrokerInfo{
		Version:        "5",
		ReceiveMaximum: receiveMaximum,
		MaxPacket:      b.options.MaxPacket,
		MaxQoS:         2, Retain: true, Wildcards: true, SharedSubscriptions: true, SubscriptionIdentifiers: true,
		NoSubscriber: mqtt.Reported,
	}
}
