package subscription

import (
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"
)

// publish is a Publish request that waits.
type publish struct {
	handle   uint32
	results  []ua.StatusCode // of its acknowledgements
	deadline time.Time       // zero: none
	bound    func() bool     // the channel it came over is the session's
	respond  func(*ua.PublishResponse, ua.StatusCode)
}

// notice is a StatusChangeNotification: the last word on a subscription.
type notice struct {
	subscription, sequence uint32
	status                 ua.StatusCode
}

func (n notice) response() *ua.PublishResponse {
	change := &ua.StatusChangeNotification{Status: n.status, DiagnosticInfo: &ua.DiagnosticInfo{}}
	return &ua.PublishResponse{
		SubscriptionID: n.subscription,
		NotificationMessage: &ua.NotificationMessage{
			SequenceNumber: n.sequence, PublishTime: time.Now(),
			NotificationData: []*ua.ExtensionObject{ua.NewExtensionObject(change)},
		},
	}
}

// Publish takes a Publish request. respond is called exactly once, later or at once, from any
// goroutine, without locks held, with the response (header not set) or with nil and a Bad status.
// It is never called for what waits when the Manager is closed. timeout is how long the request may
// wait (its TimeoutHint); 0: as long as it takes. bound says whether the channel that it came over is
// still the session's, else it is refused with BadSecureChannelClosed. It is called with a lock held,
// and not while the request waits: see [Owner.EndPublish].
func (o *Owner) Publish(r *ua.PublishRequest, timeout time.Duration, bound func() bool, respond func(*ua.PublishResponse, ua.StatusCode)) {
	if len(r.SubscriptionAcknowledgements) > maxOperations {
		respond(nil, ua.StatusBadTooManyOperations)
		return
	}
	p := &publish{results: o.acknowledge(r.SubscriptionAcknowledgements), bound: bound, respond: respond}
	if r.RequestHeader != nil {
		p.handle = r.RequestHeader.RequestHandle
	}
	if timeout > 0 {
		p.deadline = time.Now().Add(timeout)
	}
	oldest, status := o.enqueue(p)
	if status != ua.StatusOK {
		respond(nil, status)
		return
	}
	if oldest != nil {
		oldest.respond(nil, ua.StatusBadTooManyPublishRequests)
	}
	o.dispatch()
}

func (o *Owner) acknowledge(acks []*ua.SubscriptionAcknowledgement) []ua.StatusCode {
	if len(acks) == 0 {
		return nil
	}
	results := make([]ua.StatusCode, len(acks))
	for i, a := range acks {
		results[i] = ua.StatusBadSubscriptionIDInvalid
		if a == nil {
			continue
		}
		if s := o.find(a.SubscriptionID); s != nil {
			results[i] = s.sent.acknowledge(a.SequenceNumber)
			s.mu.Unlock()
		}
	}
	return results
}

// enqueue lets a request wait. If too many do, the oldest has to go (5.14.5.2). A session may move to
// another channel meanwhile:
//
//  1. the request was judged by the channel that the session had;
//  2. the session moves, and
//  3. EndPublish ends what waits, under the lock.
//
// With the lock, what still finds the session where it was is found by 3.
func (o *Owner) enqueue(p *publish) (oldest *publish, status ua.StatusCode) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if status := o.mayWait(p); status != ua.StatusOK {
		return nil, status
	}
	o.waiting = append(o.waiting, p)
	o.expire(p.deadline)
	if len(o.waiting) > o.manager.options.MaxPublishRequests {
		oldest = o.waiting[0]
		o.waiting = slices.Delete(o.waiting, 0, 1)
	}
	return oldest, ua.StatusOK
}

// mayWait says whether a request may; the lock must be held.
func (o *Owner) mayWait(p *publish) ua.StatusCode {
	switch {
	case o.closed:
		return ua.StatusBadSessionClosed
	case !p.bound():
		return ua.StatusBadSecureChannelClosed
	}
	return ua.StatusOK
}

// expire sets the timer for a deadline; the lock must be held. It may fire earlier than need be.
func (o *Owner) expire(deadline time.Time) {
	for _, p := range o.waiting {
		if !p.deadline.IsZero() && p.deadline.Before(deadline) {
			return
		}
	}
	switch {
	case deadline.IsZero():
	case o.expiry == nil:
		o.expiry = time.AfterFunc(time.Until(deadline), o.timeOut)
	default:
		o.expiry.Reset(time.Until(deadline))
	}
}

// timeOut answers the requests that have waited as long as they may.
func (o *Owner) timeOut() {
	defer o.manager.rescue(nil)
	now := time.Now()
	o.reject(ua.StatusBadTimeout, func(p *publish) bool {
		return !p.deadline.IsZero() && !p.deadline.After(now)
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	var next time.Time
	for _, p := range o.waiting {
		if !p.deadline.IsZero() && (next.IsZero() || p.deadline.Before(next)) {
			next = p.deadline
		}
	}
	o.expire(next)
}

// reject answers some of the requests that wait, and says how many.
func (o *Owner) reject(status ua.StatusCode, which func(*publish) bool) int {
	var rejected []*publish
	o.mu.Lock()
	o.waiting = slices.DeleteFunc(o.waiting, func(p *publish) bool {
		if which(p) {
			rejected = append(rejected, p)
			return true
		}
		return false
	})
	o.mu.Unlock()
	for _, p := range rejected {
		p.respond(nil, status)
	}
	return len(rejected)
}

// CancelPublish answers waiting Publish requests with that request handle with
// BadRequestCancelledByClient and says how many there were (OPC 10000-4, 5.7.5).
func (o *Owner) CancelPublish(requestHandle uint32) int {
	return o.reject(ua.StatusBadRequestCancelledByClient, func(p *publish) bool { return p.handle == requestHandle })
}

// EndPublish answers all Publish requests that wait with a status and says how many there were: the
// channel they came over is not the session's any more. It is called when bound says so.
func (o *Owner) EndPublish(status ua.StatusCode) int {
	return o.reject(status, func(*publish) bool { return true })
}
