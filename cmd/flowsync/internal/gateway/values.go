package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// intake publishes what a serverReceives node receives, as {"timestamp","value"}.
type intake struct {
	link   link
	topic  string
	qos    byte
	retain bool
	rules  *rules.Pipeline // nil: none
}

// receive implements Receive of an HTTP route.
func (n *intake) receive(value []byte, meta *http.Meta) error {
	message := strconv.AppendInt([]byte(`{"timestamp":`), time.Now().UnixMilli(), 10)
	message = append(message, `,"value":`...)
	message = append(append(message, value...), '}')
	if n.rules != nil {
		var err error
		message, err = n.rules.Apply(rules.Input{Payload: message, Topic: n.topic, HTTP: httpContext(meta)})
		if errors.Is(err, rules.ErrFiltered) {
			return nil // the rules say that this value is not for others
		}
		if err != nil {
			return fmt.Errorf("%w: %w", core.ErrRuleFailed, err)
		}
	}
	return n.link.PublishMessage(mqtt.Message{Topic: n.topic, Payload: message, QoS: n.qos, Retain: n.retain, ContentType: "application/json"})
}

// outlet keeps the last value seen on the topic of a serverProvides node.
type outlet struct {
	name   string
	rules  *rules.Pipeline // nil: none
	logger *slog.Logger
	log    rate.Sometimes
	last   atomic.Pointer[[]byte]
}

// handle is called with every message on the node's topic.
func (o *outlet) handle(m mqtt.Message) {
	payload := m.Payload
	if o.rules != nil {
		var err error
		payload, err = o.rules.Apply(rules.Input{Payload: payload, Topic: m.Topic})
		if errors.Is(err, rules.ErrFiltered) {
			return
		}
		if err != nil {
			o.refuse(m.Topic, err)
			return
		}
	}
	message, err := core.DecodeAnswer(payload) // it need not have an id
	if err == nil && message.Value == nil {
		err = errors.New("the message has no value member")
	}
	if err != nil {
		o.refuse(m.Topic, err)
		return
	}
	value := append([]byte(nil), message.Value...)
	o.last.Store(&value)
}

func (o *outlet) refuse(topic string, err error) {
	o.log.Do(func() {
		o.logger.Warn("message is not a value, the last one is kept", "node", o.name, "topic", topic, "error", err)
	})
}

// provide implements Provide of an HTTP route.
func (o *outlet) provide() ([]byte, bool) {
	last := o.last.Load()
	if last == nil {
		return nil, false
	}
	return *last, true
}
