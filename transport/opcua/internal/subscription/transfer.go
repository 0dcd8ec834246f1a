package subscription

import (
	"time"

	"github.com/gopcua/opcua/ua"
)

// Transfer takes subscriptions over from another session of the same user, or from one that has
// ended (5.14.7). The old owner gets a last notice.
func (o *Owner) Transfer(r *ua.TransferSubscriptionsRequest) (*ua.TransferSubscriptionsResponse, ua.StatusCode) {
	if status := count(len(r.SubscriptionIDs)); status != ua.StatusOK {
		return nil, status
	}
	results := make([]*ua.TransferResult, len(r.SubscriptionIDs))
	for i, id := range r.SubscriptionIDs {
		results[i] = o.take(id, r.SendInitialValues)
	}
	o.dispatch()
	return &ua.TransferSubscriptionsResponse{Results: results}, ua.StatusOK
}

func (o *Owner) take(id uint32, initial bool) *ua.TransferResult {
	s := o.manager.find(id)
	if s == nil {
		return &ua.TransferResult{StatusCode: ua.StatusBadSubscriptionIDInvalid}
	}
	result, old := s.transfer(o, initial)
	if old != nil && old != o {
		old.dispatch()
	}
	return result
}

// transfer gives a subscription to another owner and returns the old one.
func (s *subscription) transfer(o *Owner, initial bool) (*ua.TransferResult, *Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.owner
	switch {
	case s.closed:
		return &ua.TransferResult{StatusCode: ua.StatusBadSubscriptionIDInvalid}, nil
	case s.user != o.user:
		return &ua.TransferResult{StatusCode: ua.StatusBadUserAccessDenied}, nil
	case old == o:
	default:
		if status := o.adopt(s); status != ua.StatusOK {
			return &ua.TransferResult{StatusCode: status}, nil
		}
		if old != nil {
			old.notify(notice{s.id, s.sent.next, ua.StatusGoodSubscriptionTransferred})
			old.drop(s)
		}
	}
	s.alive()
	if initial {
		now := time.Now()
		for _, it := range s.items {
			it.resend(now)
		}
	}
	if s.owes || s.more {
		o.line(s)
	}
	return &ua.TransferResult{AvailableSequenceNumbers: s.sent.available()}, old
}

// lockFor locks a subscription, if it is the owner's.
func (s *subscription) lockFor(o *Owner) bool {
	s.mu.Lock()
	if s.closed || s.owner != o {
		s.mu.Unlock()
		return false
	}
	return true
}

// delete ends a subscription, if it is still the owner's. With nil it ends in any case.
func (s *subscription) delete(o *Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && (o == nil || s.owner == o) {
		s.close()
	}
}

// orphan leaves a subscription without owner, until it is transferred or its lifetime ends.
func (s *subscription) orphan(o *Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner == o {
		s.owner = nil
	}
}
