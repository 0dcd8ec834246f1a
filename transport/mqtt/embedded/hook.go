package embedded

import (
	"errors"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// hook is what the broker calls. Its methods run on the goroutine that reads a client, or on
// that of whoever publishes from within the process.
type hook struct {
	broker.HookBase
	b *Broker
}

var errTooManySessions = errors.New("too many sessions")

func (h *hook) ID() string { return "flowsync" }

func (h *hook) Provides(method byte) bool {
	switch method {
	case broker.OnConnect, broker.OnConnectAuthenticate, broker.OnACLCheck, broker.OnSelectSubscribers,
		broker.OnPublish, broker.OnPublished, broker.OnPublishDropped,
		broker.OnSessionEstablish, broker.OnSessionEstablished, broker.OnDisconnect,
		broker.OnSubscribe, broker.OnSubscribed, broker.OnUnsubscribed, broker.OnClientExpired,
		broker.OnPacketRead, broker.OnQosPublish, broker.OnQosComplete, broker.OnQosDropped,
		broker.OnWill, broker.OnWillSent, broker.OnRetainedExpired:
		return true
	}
	return false
}

func (h *hook) OnConnectAuthenticate(*broker.Client, packets.Packet) bool { return true }

func (h *hook) OnACLCheck(*broker.Client, string, bool) bool { return true }

// OnConnect bounds the sessions that outlive their connection: the broker keeps any number.
func (h *hook) OnConnect(cl *broker.Client, _ packets.Packet) error {
	if _, known := h.b.server.Clients.Get(cl.ID); !known && h.b.server.Clients.Len() >= 2*h.b.options.MaxClients {
		h.b.counters.refused.Add(1)
		h.b.refused.report("remote", cl.Net.Remote, "limit", h.b.options.MaxClients)
		return errTooManySessions
	}
	return nil
}

// OnSelectSubscribers picks one member of each share group, one who is away only if all are. The
// broker would not look: a request that waits in somebody's session is not answered in time.
func (h *hook) OnSelectSubscribers(subs *broker.Subscribers, pk packets.Packet) *broker.Subscribers {
	mend(subs, pk.TopicName)
	for _, group := range subs.Shared {
		var chosen string
		for id := range group {
			chosen = id
			if cl, ok := h.b.server.Clients.Get(id); ok && !cl.Closed() {
				break
			}
		}
		sub := group[chosen]
		if other, twice := subs.SharedSelected[chosen]; twice {
			sub = other.Merge(sub)
		}
		subs.SharedSelected[chosen] = sub
	}
	return subs
}

// OnPublish is called before a message is retained and delivered. Now it is decided whether it is
// an answer: who is delivered it may add the node whose answer it would be then.
func (h *hook) OnPublish(cl *broker.Client, pk packets.Packet) (packets.Packet, error) {
	answer, _ := h.b.answers.Load(pk.TopicName)
	if c, ok := cl.Net.Conn.(*conn); ok {
		c.answer = answer
	}
	if pk.FixedHeader.Retain {
		pk.FixedHeader.Retain = h.b.admitRetained(pk.TopicName, len(pk.Payload))
	} else if answer != nil && h.b.ours(answer) {
		return pk, packets.CodeSuccessIgnore // do not look for subscribers
	}
	return pk, nil
}

// OnPublished is called after a message was given to the clients that subscribed to it, and
// never for a stored one: whatever its retain flag says, it is live.
func (h *hook) OnPublished(cl *broker.Client, pk packets.Packet) {
	if c, ok := cl.Net.Conn.(*conn); ok {
		h.b.deliver(&pk, c.answer)
		return
	}
	answer, _ := h.b.answers.Load(pk.TopicName) // published in this process
	h.b.deliver(&pk, answer)
}

func (h *hook) OnWill(_ *broker.Client, will broker.Will) (broker.Will, error) {
	if will.Retain {
		will.Retain = h.b.admitRetained(will.TopicName, len(will.Payload))
	}
	return will, nil
}

func (h *hook) OnWillSent(_ *broker.Client, pk packets.Packet) {
	answer, _ := h.b.answers.Load(pk.TopicName)
	h.b.deliver(&pk, answer)
}

func (h *hook) OnRetainedExpired(topic string) { h.b.retained.forget(topic) }

func (h *hook) OnPublishDropped(cl *broker.Client, pk packets.Packet) {
	h.b.counters.dropped.Add(1)
	if c, ok := cl.Net.Conn.(*conn); ok {
		c.unacked.distrust() // its packet id is not told
	}
	h.b.dropped.report("client", cl.ID, "topic", pk.TopicName)
}

func (b *Broker) admitRetained(topic string, payload int) bool {
	if b.retained.admit(topic, payload) {
		return true
	}
	b.counters.notRetained.Add(1)
	b.notRetained.report("topic", topic, "limit", b.options.MaxRetained)
	return false
}

// deliver is our side of a message: what handlers want, and an answer, if it is one. In this
// order, so that who has his answer knows that handlers will see it.
func (b *Broker) deliver(pk *packets.Packet, answer *answerTopic) {
	if b.closed.Load() {
		return
	}
	b.countLost(pk.TopicName, b.handlers.offer(mqtt.Message{
		Topic:       pk.TopicName,
		Payload:     pk.Payload,
		QoS:         pk.FixedHeader.Qos,
		ContentType: pk.Properties.ContentType,
	}))
	if answer != nil {
		b.counters.answers.Add(1)
		b.sink.Resolve(core.Answer{Node: answer.node, Payload: pk.Payload, CorrelationData: pk.Properties.CorrelationData})
	}
}

// countLost reports messages that found the queue of the handlers full.
func (b *Broker) countLost(topic string, lost int) {
	if lost > 0 {
		b.counters.handlersDropped.Add(uint64(lost))
		b.handlersLost.report("topic", topic)
	}
}
