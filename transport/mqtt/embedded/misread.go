package embedded

import (
	"strings"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// Three things the broker's index of subscriptions (topics.go of mochi-mqtt v2.7.9) takes in another
// way than MQTT 5 has it:
//
//   - In a shared subscription it forgets that a wildcard at the first level does not match a topic
//     that begins with $ (§4.7.2). What it finds too much is left out again.
//   - It does not find a/+/# for a/b (§4.7.1.2 includes the parent level). That cannot be mended from
//     outside, so whoever subscribes like that is told in the log what to do.
//   - It takes a shared subscription of a shared one, which brokers read in different ways, for one of
//     topics that begin with $share/, in any case of letters: its client would never hear anything.
//     It is refused.

// subscribers returns who subscribed to a topic.
func (b *Broker) subscribers(topic string) *broker.Subscribers {
	all := b.server.Topics.Subscribers(topic)
	mend(all, topic)
	return all
}

func mend(all *broker.Subscribers, topic string) {
	if !strings.HasPrefix(topic, "$") {
		return
	}
	for filter := range all.Shared {
		if !mqtt.Match(filter, topic) {
			delete(all.Shared, filter)
		}
	}
}

// losesParent says whether a filter is one of those that the broker does not find for the topic
// above.
func losesParent(filter string) bool { return strings.HasSuffix("/"+mqtt.Unshared(filter), "/+/#") }

// caution tells of filters that are given less than they ask for.
func (b *Broker) caution(cl *broker.Client, filters []packets.Subscription) {
	for i := range filters {
		if filter := filters[i].Filter; losesParent(filter) {
			b.parentLost.report("client", cl.ID, "filter", filter, "subscribe_too", strings.TrimSuffix(filter, "/#"))
		}
	}
}

// sharesShare says whether the broker takes a filter for a shared subscription of a shared one.
func sharesShare(filter string) bool {
	if !broker.IsSharedFilter(filter) {
		return false
	}
	_, rest, _ := strings.Cut(filter, "/")
	_, inner, _ := strings.Cut(rest, "/")
	return broker.IsSharedFilter(inner)
}

// refuse makes filters that are not to be granted such as the broker refuses, as invalid.
func refuse(filters []packets.Subscription) {
	for i := range filters {
		if sharesShare(filters[i].Filter) {
			filters[i].Filter = ""
		}
	}
}
