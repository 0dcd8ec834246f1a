package gateway

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// inputOverhead is what a waiting message takes besides topic and payload, in bytes, about.
const inputOverhead = 256

// relay is a running mapping.
type relay struct {
	name    string
	run     *rules.Run
	link    link
	target  target
	logger  *slog.Logger
	queue   *queue[rules.Input]
	end     atomic.Pointer[time.Time] // set by close: when to give up what still waits
	stopped chan struct{}

	dropped, failed  atomic.Uint64
	dropLog, failLog rate.Sometimes
}

// target is where a relay publishes. The topic may contain {name} of variables.
type target struct {
	topic  string
	qos    byte
	retain bool
}

func newRelay(name string, pipeline *rules.Pipeline, to target, l link, logger *slog.Logger) *relay {
	r := &relay{
		name: name, link: l, target: to, logger: logger,
		queue: newQueue[rules.Input](), stopped: make(chan struct{}),
		dropLog: rate.Sometimes{Interval: time.Second}, failLog: rate.Sometimes{Interval: time.Second},
	}
	r.run = pipeline.Start(r.emit)
	go r.work()
	return r
}

// handler returns what a subscription of the mapping calls.
func (r *relay) handler(names []string, filter, label string) mqtt.Handler {
	return func(m mqtt.Message) {
		in := rules.Input{
			Payload: append([]byte(nil), m.Payload...),
			Topic:   m.Topic,
			Vars:    capture(filter, names, m.Topic),
			Label:   label,
		}
		if !r.queue.push(in, inputOverhead+len(in.Topic)+len(in.Payload)) {
			r.drop(m.Topic)
		}
	}
}

func (r *relay) drop(topic string) {
	n := r.dropped.Add(1)
	why := "mapping is too slow, message dropped"
	if r.end.Load() != nil {
		why = "mapping has stopped, message dropped"
	}
	r.dropLog.Do(func() {
		r.logger.Warn(why, "mapping", r.name, "topic", topic, "dropped", n)
	})
}

func (r *relay) work() {
	defer close(r.stopped)
	lost := 0
	for {
		in, ok := r.queue.pop()
		if !ok {
			break
		}
		if end := r.end.Load(); end != nil && !time.Now().Before(*end) {
			lost++
			continue
		}
		r.run.Push(in)
	}
	r.run.Close()
	if lost > 0 {
		r.logger.Warn("mapping was too slow to finish before the shutdown, messages lost", "mapping", r.name, "lost", lost)
	}
}

// emit publishes what comes out of the rules.
func (r *relay) emit(out rules.Output) {
	err := out.Err
	if err == nil {
		var topic string
		if topic, err = rules.Expand(r.target.topic, out.Vars); err == nil {
			err = r.link.PublishMessage(mqtt.Message{
				Topic: topic, Payload: out.Payload, QoS: r.target.qos, Retain: r.target.retain,
			})
		}
	}
	if err == nil {
		return
	}
	n := r.failed.Add(1)
	r.failLog.Do(func() {
		r.logger.Warn("mapping failed, message lost", "mapping", r.name, "error", err, "failed", n)
	})
}

// close takes nothing more and maps what waits, until end; what is left then is counted and
// logged. It returns when the goroutine has ended: soon after end, as long as one message takes.
func (r *relay) close(end time.Time) {
	r.end.Store(&end)
	r.queue.close()
	<-r.stopped
}

// capture returns what the wildcards of a filter stand for in a topic that matches it; names has
// one name for each wildcard, empty for those without.
func capture(filter string, names []string, topic string) map[string]string {
	vars := map[string]string{}
	levels := strings.Split(topic, "/")
	wildcard := 0
	for i, level := range strings.Split(filter, "/") {
		if level != "+" && level != "#" {
			continue
		}
		if wildcard < len(names) && names[wildcard] != "" {
			value := ""
			switch {
			case level == "#" && i <= len(levels): // sport/# also matches sport (MQTT 5, 4.7.1.2)
				value = strings.Join(levels[i:], "/")
			case i < len(levels):
				value = levels[i]
			}
			vars[names[wildcard]] = value
		}
		wildcard++
	}
	return vars
}
