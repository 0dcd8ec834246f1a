package responder

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

// timeoutProperty is the user property in which a requester says how long he waits, in ms from
// when the request is received.
const timeoutProperty = "flowsync-timeout-ms"

// Responder answers requests until it is closed.
type Responder struct {
	options  Options
	began    time.Time
	counters counters
	schedule *schedule
	client   atomic.Pointer[paho.Client] // nil while there is no connection

	// Used by paho's delivering goroutine. A connection that ends and the next one may overlap.
	receiving sync.Mutex
	script    *script
	seen      *seen
	number    uint64

	once       sync.Once
	ready      chan struct{} // closed when it is subscribed for the first time
	cancel     context.CancelFunc
	goroutines sync.WaitGroup
}

// Start checks the options and begins to connect, again and again if need be. The error lists
// everything that is wrong with the options.
func Start(options Options) (*Responder, error) {
	checked, err := options.complete()
	if err != nil {
		return nil, err
	}
	r := &Responder{
		options:  checked,
		began:    time.Now(),
		schedule: newSchedule(checked.MaxWaiting, checked.MaxWaitingBytes),
		seen:     newSeen(checked.Remember),
		ready:    make(chan struct{}),
	}
	r.script = newScript(&r.options)
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.goroutines.Go(func() { r.keep(ctx) })
	r.goroutines.Go(func() { r.send(ctx) })
	return r, nil
}

// Ready waits until the responder is subscribed for the first time, or until ctx ends.
func (r *Responder) Ready(ctx context.Context) error {
	select {
	case <-r.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("not yet connected to %s and subscribed: %w", r.options.Address, ctx.Err())
	}
}

func (r *Responder) subscribed() { r.once.Do(func() { close(r.ready) }) }

// Close drops the answers that wait, and returns when nothing runs any more.
func (r *Responder) Close() {
	r.cancel()
	r.goroutines.Wait()
}

// receive takes one message from the broker.
func (r *Responder) receive(p paho.PublishReceived) (bool, error) {
	now := time.Now()
	asked, ok := r.read(p.Packet)
	if !ok {
		return true, nil
	}
	r.counters.received.Add(1)
	r.receiving.Lock()
	defer r.receiving.Unlock()
	if r.seen.add(asked.ID) {
		r.counters.seenTwice.Add(1)
	}
	act, delay := r.script.decide(asked)
	if act == Silence {
		r.counters.silent.Add(1)
		return true, nil
	}
	r.number++
	due, rank := r.script.place(now, delay, r.number)
	if !r.schedule.add(entry{due, rank, r.options.answer(asked, act, now)}) {
		r.counters.overflow.Add(1)
	}
	return true, nil
}

// read makes a request of a message. What is on other topics is passed over.
func (r *Responder) read(p *paho.Publish) (*request, bool) {
	asked := &request{timeout: assumedTimeout}
	responseTopic := ""
	if p.Properties != nil {
		responseTopic = p.Properties.ResponseTopic
		asked.correlation = p.Properties.CorrelationData
		asked.timeout = timeoutOf(p.Properties.User)
	}
	topic, ok := answerTopic(p.Topic, responseTopic)
	if !ok && topic == "" {
		return nil, false
	}
	asked.topic = topic
	if !ok || asked.decode(p.Payload) != nil {
		r.counters.malformed.Add(1)
		return nil, false
	}
	return asked, true
}

func timeoutOf(properties paho.UserProperties) time.Duration {
	ms, err := strconv.ParseInt(properties.Get(timeoutProperty), 10, 64)
	if err != nil || ms <= 0 || ms > math.MaxInt32 {
		return assumedTimeout
	}
	return min(time.Duration(ms)*time.Millisecond, maxDelay)
}

// send is the goroutine that sends what is due.
func (r *Responder) send(ctx context.Context) {
	var batch []answer
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		due, wait := r.schedule.take(time.Now(), batch)
		for i := range due {
			r.publish(ctx, &due[i])
		}
		if len(due) > 0 {
			batch = due
			continue
		}
		if wait < 0 {
			wait = maxDelay
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-r.schedule.wakeUp:
		case <-ctx.Done():
		}
	}
}

func (r *Responder) publish(ctx context.Context, a *answer) {
	for range a.times {
		if r.publishOnce(ctx, a) {
			r.counters.sent[a.act].Add(1)
		} else {
			r.counters.unsent.Add(1)
		}
	}
}

func (r *Responder) publishOnce(ctx context.Context, a *answer) bool {
	client := r.client.Load()
	if client == nil {
		return false
	}
	message := &paho.Publish{Topic: a.topic, Payload: a.payload, QoS: r.options.QoS, Retain: a.retain}
	if a.correlation != nil {
		message.Properties = &paho.PublishProperties{CorrelationData: a.correlation}
	}
	// With QoS 1 and 2 it waits for a free place among those in flight, not for the
	// acknowledgement.
	_, err := client.PublishWithOptions(ctx, message, paho.PublishOptions{Method: paho.PublishMethod_AsyncSend})
	return err == nil
}
