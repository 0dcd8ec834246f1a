package mqtt

import (
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/flowsync-go/flowsync/core"
)

// route is where the requests of a node go.
type route struct {
	form
	account      account
	publisher    *publisher
	subscription *subscription // of the answer topic
	waits        bool          // for a connection
	unheard      error         // what no subscriber ends a request with; nil: that ends nothing
}

// Attach implements [core.Attacher]: the node's answer topic is subscribed. Until the broker
// has agreed to that, requests of the node are not published. Attaching does not wait for it.
func (b *Bus) Attach(node *core.Node) error {
	if b.sink == nil {
		return fmt.Errorf("mqtt: node %q: the bus is not bound to an engine", node.Name())
	}
	if err := errors.Join(ValidateTopic(node.RequestTopic()), ValidateTopic(node.AnswerTopic())); err != nil {
		return fmt.Errorf("mqtt: node %q: %w", node.Name(), err)
	}
	rt := &route{
		form:         formOf(node),
		publisher:    b.pick(node.Topic()),
		subscription: b.answers.add(node.AnswerTopic(), 1, node, nil),
		waits:        node.Wait(),
	}
	rt.account.route = rt
	if node.FailFast() && !node.Retain() { // who subscribes later is given what is retained
		rt.unheard = fmt.Errorf("%w to %s", core.ErrNoSubscriber, node.RequestTopic())
	}
	b.routes.Store(node, rt)
	b.knowledge.attach(node)
	return nil
}

// pick returns the publishing connection for a topic: always the same, to keep the order.
func (b *Bus) pick(topic string) *publisher {
	return b.publishers[maphash.String(b.seed, topic)%uint64(len(b.publishers))]
}

// way returns the connection for the requests of a node, or for requesters why they cannot go out.
func (b *Bus) way(rt *route) (*conn, error) {
	if err := b.answers.trouble(rt.subscription); err != nil {
		return nil, err
	}
	return rt.publisher.connection()
}

// passing says whether what keeps a request from going out passes by itself, so that it may wait.
func passing(err error) bool {
	return errors.Is(err, errAway) || errors.Is(err, errEnded) || errors.Is(err, errNotSubscribed) || errors.Is(err, errNotStarted)
}
