package gateway

import (
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// endsPublisher tells responders how the transactions of nodes with outcomes ended, on Topic/tend.
// It observes the engine, whose ends come on any goroutine, the link's own among them: so they are
// queued, and one goroutine publishes them in the order in which they came. What cannot be published
// is counted, and logged at debug: a responder that needs to know asks at QoS 1.
type endsPublisher struct {
	link    link
	logger  *slog.Logger
	nodes   map[*core.Node]string // topics; complete before the first transaction
	queue   *queue[mqtt.Message]
	stopped chan struct{}
	lost    atomic.Uint64
	log     rate.Sometimes
}

// endOverhead is what a waiting end takes besides its payload and topic, in bytes, about.
const endOverhead = 128

func startEndsPublisher(l link, logger *slog.Logger) *endsPublisher {
	p := &endsPublisher{
		link: l, logger: logger, nodes: map[*core.Node]string{}, queue: newQueue[mqtt.Message](),
		stopped: make(chan struct{}), log: rate.Sometimes{Interval: time.Second},
	}
	go p.work()
	return p
}

// add makes a node one whose ends are published.
func (p *endsPublisher) add(n *core.Node) { p.nodes[n] = n.Topic() + "/tend" }

// Ended implements core.Observer. What was refused before it got an id is nothing that a responder
// could know of.
func (p *endsPublisher) Ended(node *core.Node, r core.Result) {
	topic, ok := p.nodes[node]
	if !ok || r.ID.IsZero() {
		return
	}
	m := mqtt.Message{
		Topic: topic, Payload: appendEnd(make([]byte, 0, 160), &r, time.Now()), QoS: node.QoS(), ContentType: "application/json",
	}
	if !p.queue.push(m, endOverhead+len(m.Topic)+len(m.Payload)) {
		p.lose(topic, core.ErrShed)
	}
}

// Stray implements core.Observer.
func (*endsPublisher) Stray(*core.Node, *core.Stray) {}

// appendEnd appends the message about an end.
func appendEnd(dst []byte, r *core.Result, now time.Time) []byte {
	dst = append(dst, `{"id":"`...)
	dst = append(dst, r.ID.String()...)
	dst = append(dst, `","timestamp":`...)
	dst = strconv.AppendInt(dst, now.UnixMilli(), 10)
	dst = append(dst, `,"outcome":"`...)
	dst = append(dst, r.Outcome.String()...)
	dst = append(dst, `","retrySafe":`...)
	dst = strconv.AppendBool(dst, r.RetrySafe())
	dst = append(dst, `,"elapsedMs":`...)
	dst = strconv.AppendInt(dst, r.Elapsed.Milliseconds(), 10)
	return append(dst, '}')
}

func (p *endsPublisher) work() {
	defer close(p.stopped)
	for {
		m, ok := p.queue.pop()
		if !ok {
			return
		}
		if err := p.link.PublishMessage(m); err != nil {
			p.lose(m.Topic, err)
		}
	}
}

func (p *endsPublisher) lose(topic string, err error) {
	n := p.lost.Add(1)
	p.log.Do(func() {
		p.logger.Debug("the end of a request could not be published", "topic", topic, "error", err, "lost", n)
	})
}

// close publishes what waits and returns when that is done: publishing does not wait.
func (p *endsPublisher) close() {
	p.queue.close()
	<-p.stopped
}
