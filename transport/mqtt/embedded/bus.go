package embedded

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

var (
	_ core.Bus      = (*Broker)(nil)
	_ core.Binder   = (*Broker)(nil)
	_ core.Attacher = (*Broker)(nil)

	errClosed = errors.New("the embedded broker is closed")
)

// Bind implements [core.Binder].
func (b *Broker) Bind(sink core.Sink) { b.sink = sink }

// Attach implements [core.Attacher]: messages on the node's answer topic are answers from now
// on. What was retained there before is not looked at.
func (b *Broker) Attach(node *core.Node) error {
	if b.sink == nil {
		return fmt.Errorf("embedded: node %q: the broker is not bound to an engine", node.Name())
	}
	if err := errors.Join(mqtt.ValidateTopic(node.RequestTopic()), mqtt.ValidateTopic(node.AnswerTopic())); err != nil {
		return fmt.Errorf("embedded: node %q: %w", node.Name(), err)
	}
	b.answers.Store(node.AnswerTopic(), &answerTopic{node: node})
	b.openLane(node)
	return nil
}

// Publish implements [core.Bus]. It gives the request to the queue of each client that
// subscribed to it, and does not wait.
func (b *Broker) Publish(r *core.Request) error {
	if !b.closed.Load() && b.short(r) {
		return nil
	}
	topic := r.Node.RequestTopic()
	payload := r.AppendMessage(nil)
	if err := b.refusal(topic, payload); err != nil {
		return err
	}
	if b.handlers.full(topic, len(payload)) {
		return fmt.Errorf("%w: too many messages wait for the handlers of %q", core.ErrShed, topic)
	}
	if err := b.unheard(r.Node); err != nil {
		return err
	}
	p := mqtt.RequestProperties(r)
	pk := packet(topic, payload, r.Node.QoS(), r.Node.Retain())
	pk.Properties = packets.Properties{
		ResponseTopic:         p.ResponseTopic,
		CorrelationData:       p.CorrelationData,
		MessageExpiryInterval: p.MessageExpiry,
		ContentType:           p.ContentType,
		User:                  userProperties(p.User),
	}
	if !b.sink.Sent(r.ID) {
		b.counters.expired.Add(1)
		return nil
	}
	b.counters.requests.Add(1)
	return b.inject(pk)
}

// PublishMessage publishes a message that is no request. It does not wait and keeps nothing of
// it; nil means that each subscriber's queue has it, or that what was dropped is counted. The error wraps
// [core.ErrNotSent] when the broker is closed or does not take such a message.
func (b *Broker) PublishMessage(m mqtt.Message) error {
	if err := mqtt.ValidateTopic(m.Topic); err != nil {
		return fmt.Errorf("%w: %w", core.ErrNotSent, err)
	}
	if m.QoS > 2 {
		return fmt.Errorf("%w: QoS %d, want 0, 1 or 2", core.ErrNotSent, m.QoS)
	}
	if err := b.refusal(m.Topic, m.Payload); err != nil {
		return err
	}
	pk := packet(m.Topic, append([]byte(nil), m.Payload...), m.QoS, m.Retain)
	if m.ContentType != "" {
		if len(m.ContentType) > maxContentType || strings.ContainsFunc(m.ContentType, notPrintableASCII) {
			return fmt.Errorf("%w: content type %.40q is no media type", core.ErrNotSent, m.ContentType)
		}
		pk.Properties.ContentType = m.ContentType
	}
	return b.inject(pk)
}

// Subscribe calls handle for each message that matches filter, from now on. Stored retained
// messages come first, with Retain set; those that are published now come without it. A prefix
// $share/group/ is left out, because no second gateway shares this broker; as MQTT has it, stored
// messages are not given to shared subscriptions.
//
// All handlers run on one goroutine, in the order of publishing: a slow one holds up the others,
// but never an answer. Topics that begin with $SYS have stored messages only.
func (b *Broker) Subscribe(filter string, qos byte, handle mqtt.Handler) error {
	if err := mqtt.ValidateFilter(filter); err != nil {
		return fmt.Errorf("embedded: %w", err)
	}
	if qos > 2 {
		return fmt.Errorf("embedded: subscription to %q: QoS %d, want 0, 1 or 2", filter, qos)
	}
	if b.closed.Load() {
		return fmt.Errorf("embedded: subscription to %q: %w", filter, errClosed)
	}
	plain := mqtt.Unshared(filter)
	sub := &subscription{filter: plain, qos: qos, handle: handle}
	b.countLost(filter, b.handlers.subscribe(sub, func() []mqtt.Message {
		if plain != filter {
			return nil
		}
		return b.stored(plain)
	}))
	b.generations.bump()
	return nil
}

// stored returns the retained messages that match a filter, ordered by topic.
func (b *Broker) stored(filter string) []mqtt.Message {
	var all []mqtt.Message
	for topic, pk := range b.server.Topics.Retained.GetAll() {
		if mqtt.Match(filter, topic) {
			all = append(all, mqtt.Message{Topic: topic, Payload: pk.Payload, QoS: pk.FixedHeader.Qos, Retain: true, ContentType: pk.Properties.ContentType})
		}
	}
	slices.SortFunc(all, func(x, y mqtt.Message) int { return strings.Compare(x.Topic, y.Topic) })
	return all
}

// refusal says why nothing is published, nil if it is.
func (b *Broker) refusal(topic string, payload []byte) error {
	if b.closed.Load() {
		return fmt.Errorf("%w: %w", core.ErrNotSent, errClosed)
	}
	if len(payload) > b.options.MaxPacket {
		return fmt.Errorf("%w: %d bytes for %q, the embedded broker takes %d", core.ErrNotSent, len(payload), topic, b.options.MaxPacket)
	}
	return nil
}

// inject gives a packet to the broker as if our client had sent it. An error means that nobody
// was given it.
func (b *Broker) inject(pk packets.Packet) error {
	if err := b.server.InjectPacket(b.self, pk); err != nil {
		return fmt.Errorf("%w: %w", core.ErrRefused, err)
	}
	return nil
}

// maxContentType is what RFC 6838 §4.2 allows for type and subtype, with room for parameters.
const maxContentType = 1024

// notPrintableASCII: RFC 9110 §8.3.1 allows nothing else in a media type.
func notPrintableASCII(r rune) bool { return r < ' ' || r > '~' }

func packet(topic string, payload []byte, qos byte, retain bool) packets.Packet {
	return packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos, Retain: retain},
		TopicName:   topic,
		Payload:     payload,
		PacketID:    uint16(min(qos, 1)), // required above QoS 0; nobody acknowledges to us
	}
}

func userProperties(from []core.Property) []packets.UserProperty {
	to := make([]packets.UserProperty, len(from))
	for i, p := range from {
		to[i] = packets.UserProperty{Key: p.Name, Val: p.Value}
	}
	return to
}
