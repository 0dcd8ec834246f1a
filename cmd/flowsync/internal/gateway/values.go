package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
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

	mu     sync.Mutex // guards failed; held for one message's way through the rules
	run    *rules.Run // nil: there are no rules
	failed error      // what came of the message that is on its way
}

// receive implements Receive of an HTTP route. What the rules drop or hold back is received all
// the same; what they fail on is not.
func (n *intake) receive(value []byte, meta *http.Meta) error {
	message := strconv.AppendInt([]byte(`{"timestamp":`), time.Now().UnixMilli(), 10)
	message = append(message, `,"value":`...)
	message = append(append(message, value...), '}')
	if n.run == nil {
		return n.publish(message)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failed = nil
	n.run.Push(rules.Input{Payload: message, Topic: n.topic, HTTP: httpContext(meta)})
	return n.failed
}

// emit takes what comes out of the rules, during a receive or later, when a burst is over.
func (n *intake) emit(out rules.Output) {
	if out.Err != nil {
		n.failed = fmt.Errorf("%w: %w", core.ErrRuleFailed, out.Err)
		return
	}
	n.failed = n.publish(out.Payload)
}

func (n *intake) publish(message []byte) error {
	return n.link.PublishMessage(mqtt.Message{
		Topic: n.topic, Payload: message, QoS: n.qos, Retain: n.retain, ContentType: "application/json",
	})
}

// outlet keeps the last value seen on the topic of a serverProvides node.
type outlet struct {
	name   string
	topic  string
	run    *rules.Run // nil: there are no rules
	logger *slog.Logger
	log    rate.Sometimes
	last   atomic.Pointer[[]byte]
}

// handle is called with every message on the node's topic.
func (o *outlet) handle(m mqtt.Message) {
	if o.run == nil {
		o.keep(m.Payload)
		return
	}
	o.run.Push(rules.Input{Payload: append([]byte(nil), m.Payload...), Topic: m.Topic})
}

// emit takes what comes out of the rules.
func (o *outlet) emit(out rules.Output) {
	if out.Err != nil {
		o.refuse(out.Err)
		return
	}
	o.keep(out.Payload)
}

func (o *outlet) keep(payload []byte) {
	message, err := core.DecodeAnswer(payload) // it need not have an id
	if err == nil && message.Value == nil {
		err = errors.New("the message has no value member")
	}
	if err != nil {
		o.refuse(err)
		return
	}
	value := append([]byte(nil), message.Value...)
	o.last.Store(&value)
}

func (o *outlet) refuse(err error) {
	o.log.Do(func() {
		o.logger.Warn("message is not a value, the last one is kept", "node", o.name, "topic", o.topic, "error", err)
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
