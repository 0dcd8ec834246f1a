package responder

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/script"
)

// Options of a responder.
type Options struct {
	Broker   string // host:port
	ClientID string
	Clean    bool     // the broker forgets the session with the connection
	Filters  []string // topic filters of requests
	QoS      byte     // of the subscription
	Logger   *slog.Logger
	// Deadline is how long requests are held at most, by the gateway's nodes: what Late and Extend go by.
	// By topic without /treq; others: a second.
	Deadline map[string]time.Duration
}

// again is how long is waited before another try to connect.
const again = 50 * time.Millisecond

// maxPending bounds the answers that are to be sent later. More are not sent.
const maxPending = 100_000

// Run answers until ctx ends. connected is called each time the subscription stands.
func Run(ctx context.Context, o Options, connected func()) {
	r := &responder{o: &o}
	for ctx.Err() == nil {
		if c, err := connect(ctx, &o, r.take); err != nil {
			o.Logger.Debug("no connection", "error", err)
		} else {
			r.client.Store(c)
			connected()
			err = c.serve(ctx)
			r.client.Store(nil)
			o.Logger.Debug("connection lost", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}

// responder is what outlives a connection.
type responder struct {
	o       *Options
	client  atomic.Pointer[client] // nil: none at the moment
	pending atomic.Int64
	past    past // the reader's
}

// request is one that was received.
type request struct {
	topic  string // without /treq
	id     string
	idRaw  []byte // the correlation data
	marker uint64
	qos    byte
	limit  time.Duration
}

// take answers a message. It runs on the reader.
func (r *responder) take(p *packets.Packet) {
	topic, ok := strings.CutSuffix(p.TopicName, "/treq")
	id := idIn(p.Payload)
	marker := history.MarkerIn(p.Payload)
	if !ok || id == "" || marker == 0 || marker == history.Mixed {
		r.o.Logger.Warn("no request", "topic", p.TopicName, "payload", fmt.Sprintf("%.200q", p.Payload))
		return
	}
	q := &request{topic: topic, id: id, idRaw: p.Properties.CorrelationData, marker: marker, qos: byte(marker >> 8 & 1), limit: time.Second}
	if limit, ok := r.o.Deadline[topic]; ok {
		q.limit = limit
	}
	r.obey(q)
	r.past.keep(q)
}

// obey does what the script says.
func (r *responder) obey(q *request) {
	switch script.Of(q.marker) {
	case script.Soon:
		r.later(2*time.Millisecond+time.Duration(q.marker>>9&7)*time.Millisecond, q, q.answer())
	case script.Slow:
		r.later(q.limit/4, q, q.answer())
	case script.Late:
		r.later(q.limit+q.limit/4, q, q.answer())
	case script.Silent:
	case script.Error:
		r.send(q, fmt.Appendf(nil, `{"id":"%s","timestamp":1,"error":{"code":%d,"message":"%s"}}`, q.id, 409+q.marker>>8%3*50, history.Text(q.marker)))
	case script.Twice:
		r.send(q, q.answer())
		r.send(q, q.answer())
	case script.Again:
		r.send(q, q.answer())
		r.later(20*time.Millisecond, q, q.answer())
	case script.Unusable:
		r.send(q, fmt.Appendf(nil, `{"id":"%s","timestamp":1,"result":"%s"}`, q.id, history.Text(q.marker)))
	case script.Extend:
		r.send(q, q.extend(q.limit/2))
		r.later(q.limit+q.limit/4, q, q.answer())
	case script.Endless:
		for i := range 5 {
			r.later(time.Duration(i)*q.limit/3, q, q.extend(q.limit/2))
		}
	default:
		r.disturb(q)
	}
}

// disturb does those scripts that are an echo in the end.
func (r *responder) disturb(q *request) {
	switch script.Of(q.marker) {
	case script.Malformed:
		r.send(q, fmt.Appendf(nil, `{"id":"%s","value":`, q.id))
	case script.Stranger:
		r.send(q, fmt.Appendf(nil, `{"id":"%08x-0000-4000-8000-%012x","value":"stranger"}`, uint32(q.marker*2654435761), q.marker&0xffffffffffff))
	case script.Disagree:
		if other := r.past.pick(q.marker); other != nil {
			r.sendWith(q, q.answer(), other.idRaw)
		}
	case script.Past:
		if other := r.past.pick(q.marker); other != nil {
			r.send(other, other.answer())
		}
	case script.Correlated:
		r.sendWith(q, fmt.Appendf(nil, `{"value":%s}`, q.value(0)), q.idRaw)
		return
	case script.Upper:
		r.send(q, fmt.Appendf(nil, `{"id":"%s","value":%s}`, strings.ToUpper(q.id), q.value(0)))
		return
	case script.Big:
		r.send(q, fmt.Appendf(nil, `{"id":"%s","timestamp":1,"value":%s}`, q.id, q.value(20_000)))
		return
	}
	r.send(q, q.answer())
}

// later sends a message after a while, over the connection there is then.
func (r *responder) later(after time.Duration, q *request, payload []byte) {
	if r.pending.Add(1) > maxPending {
		r.pending.Add(-1)
		return
	}
	time.AfterFunc(after, func() {
		defer r.pending.Add(-1)
		r.send(q, payload)
	})
}

func (r *responder) send(q *request, payload []byte) { r.sendWith(q, payload, nil) }

func (r *responder) sendWith(q *request, payload, correlation []byte) {
	c := r.client.Load()
	if c == nil {
		return
	}
	p := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: packets.Publish, Qos: q.qos},
		ProtocolVersion: mqtt5, TopicName: q.topic + "/tres", Payload: payload,
		Properties: packets.Properties{CorrelationData: correlation},
	}
	if q.qos > 0 {
		p.PacketID = c.packetID()
	}
	c.write(p.PublishEncode)
}
