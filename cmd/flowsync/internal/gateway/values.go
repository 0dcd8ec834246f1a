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
//
// With rules it takes one request after the other: rules keep state, and the order in which
// they see requests must be that of what they publish. So a slow rule delays the requests of
// its node (and, as rules are evaluated under one lock, those of others).
type intake struct {
	link   link
	name   string
	topic  string
	qos    byte
	retain bool
	closed *atomic.Bool // the gateway drains: nothing more is received
	run    *rules.Run   // nil: there are no rules
	logger *slog.Logger
	log    rate.Sometimes

	order sync.Mutex // held for one message's way through the rules

	mu        sync.Mutex // guards all below; leaf
	receiving bool       // a request is on its way, and is told what fails
	failed    error      // what came of it
}

// refusedClosing is core.ErrClosed in words for requesters.
type refusedClosing struct{}

func (refusedClosing) Error() string { return "the gateway is shutting down" }

func (refusedClosing) Unwrap() error { return core.ErrClosed }

// receive implements Receive of an HTTP route, and of an OPC UA node, which has no meta. What the rules drop or hold back is received all
// the same; what they fail on is not.
func (n *intake) receive(value []byte, meta *http.Meta) error {
	if n.closed.Load() {
		return refusedClosing{}
	}
	message := strconv.AppendInt([]byte(`{"timestamp":`), time.Now().UnixMilli(), 10)
	message = append(message, `,"value":`...)
	message = append(append(message, value...), '}')
	if n.run == nil {
		return n.publish(message)
	}
	n.order.Lock()
	defer n.order.Unlock()
	n.begin()
	n.run.Push(rules.Input{Payload: message, Topic: n.topic, HTTP: httpContext(meta)})
	return n.end()
}

func (n *intake) begin() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.receiving, n.failed = true, nil
}

func (n *intake) end() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.receiving = false
	return n.failed
}

// emit takes what comes out of the rules, during a receive or later, when a burst is over. A
// failure is the request's that is on its way. Without one it is nobody's, and logged. When a
// burst's timer is just ahead of a request that waits for it, the request is told: its message
// would have been of that burst a moment earlier.
func (n *intake) emit(out rules.Output) {
	err := out.Err
	if err != nil {
		err = fmt.Errorf("%w: %w", core.ErrRuleFailed, err)
	} else {
		err = n.publish(out.Payload)
	}
	if err == nil {
		return
	}
	n.mu.Lock()
	told := n.receiving
	if told {
		n.failed = errors.Join(n.failed, err)
	}
	n.mu.Unlock()
	if !told {
		n.log.Do(func() {
			n.logger.Warn("messages that were held back are lost", "node", n.name, "topic", n.topic, "error", err)
		})
	}
}

func (n *intake) publish(message []byte) error {
	return n.link.PublishMessage(mqtt.Message{
		Topic: n.topic, Payload: message, QoS: n.qos, Retain: n.retain, ContentType: "application/json",
	})
}

// outlet gives on the values seen on the topic of a serverProvides node.
type outlet struct {
	name   string
	topic  string
	take   func(value []byte) error // JSON text, which is its own to keep
	run    *rules.Run               // nil: there are no rules
	logger *slog.Logger
	log    rate.Sometimes
}

// handle is called with every message on the node's topic.
func (o *outlet) handle(m mqtt.Message) {
	if o.run == nil {
		o.give(m.Payload)
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
	o.give(out.Payload)
}

func (o *outlet) give(payload []byte) {
	message, err := core.DecodeAnswer(payload) // it need not have an id
	if err == nil && message.Value == nil {
		err = errors.New("the message has no value member")
	}
	if err == nil {
		err = o.take(append([]byte(nil), message.Value...))
	}
	if err != nil {
		o.refuse(err)
	}
}

func (o *outlet) refuse(err error) {
	o.log.Do(func() {
		o.logger.Warn("message is not a value, the last one is kept", "node", o.name, "topic", o.topic, "error", err)
	})
}

// lastValue is the last value of an outlet.
type lastValue struct{ text atomic.Pointer[[]byte] }

func (v *lastValue) set(value []byte) error {
	v.text.Store(&value)
	return nil
}

// get implements Provide of an HTTP route.
func (v *lastValue) get() ([]byte, bool) {
	text := v.text.Load()
	if text == nil {
		return nil, false
	}
	return *text, true
}
