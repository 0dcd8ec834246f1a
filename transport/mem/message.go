package mem

import (
	"strconv"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// Message is what travels on the bus. Messages that a handler receives are shared by all
// subscribers: they may be kept, not changed. The properties are those of MQTT 5 §3.3.2.3.
type Message struct {
	Topic   string
	Payload []byte
	// Retain: when sent, keep it for later subscribers; when received, it was kept from before.
	Retain          bool
	CorrelationData []byte
	ResponseTopic   string
	ContentType     string
	Expiry          time.Duration // whole seconds; 0: none
	Properties      []core.Property
}

// clone copies everything that the sender may change.
func (m *Message) clone() *Message {
	c := *m
	c.Payload = append([]byte{}, m.Payload...)
	if m.CorrelationData != nil {
		c.CorrelationData = append([]byte{}, m.CorrelationData...)
	}
	c.Properties = append([]core.Property(nil), m.Properties...)
	return &c
}

// frameSize is how many bytes a request or an answer has beside its value.
const frameSize = len(`{"id":"00000000-0000-0000-0000-000000000000","timestamp":1234567890123,"value":null}`)

// messageOf makes the message of a request, with the properties that responders see on MQTT. How
// much time is left is said when it leaves.
func messageOf(r *core.Request) *Message {
	properties := make([]core.Property, 1, 1+len(r.Properties))
	return &Message{
		Topic:           r.Node.RequestTopic(),
		Payload:         r.AppendMessage(make([]byte, 0, max(len(r.Message), len(r.Value)+frameSize))),
		Retain:          r.Node.Retain(),
		CorrelationData: append([]byte{}, r.ID[:]...),
		ResponseTopic:   r.Node.AnswerTopic(),
		ContentType:     "application/json",
		Properties:      append(properties, r.Properties...),
	}
}

// setTimeLeft says in a message of messageOf how much time is left, rounded up.
func (m *Message) setTimeLeft(left time.Duration) {
	left = max(left, 1)
	ms := (left + time.Millisecond - 1) / time.Millisecond
	m.Properties[0] = core.Property{Name: "flowsync-timeout-ms", Value: strconv.FormatInt(int64(ms), 10)}
	m.Expiry = (left + time.Second - 1).Truncate(time.Second)
}

// Request is a request as a responder sees it. It stays valid and may be answered from any
// goroutine, at any time, more than once.
type Request struct {
	*Message
	ID    core.ID
	Value []byte // JSON text

	bus *Bus
}

// Answer answers with a value, which is JSON text; nil means null.
func (r *Request) Answer(value []byte) error {
	payload := make([]byte, 0, len(value)+frameSize)
	payload = core.AppendRequest(payload, r.ID, time.Now().UnixMilli(), value) // answers have the same form
	return r.bus.send(&Message{Topic: r.ResponseTopic, Payload: payload})
}

// Fail answers with an error.
func (r *Request) Fail(code int64, message string) error {
	payload := append(r.ID.Append([]byte(`{"id":"`)), `","error":{"code":`...)
	payload = strconv.AppendInt(payload, code, 10)
	payload = append(payload, `,"message":`...)
	payload = appendQuoted(payload, message)
	return r.Send(append(payload, "}}"...))
}

// Send publishes any payload on the answer topic of the request.
func (r *Request) Send(payload []byte) error {
	return r.bus.Send(Message{Topic: r.ResponseTopic, Payload: payload})
}
