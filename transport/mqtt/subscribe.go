package mqtt

import (
	"context"
	"errors"
	"fmt"

	"github.com/eclipse/paho.golang/paho"
)

// One SUBSCRIBE has at most this many filters and about this many bytes of them.
const (
	subscribeFilters = 64
	subscribeBytes   = 8 << 10
)

// MQTT 5 §3.8.3.1.
const (
	retainSendNew   = 1 // retained messages come if the subscription is new
	retainSendNever = 2
)

// subscribe makes all subscriptions that are not active, those that were refused too. An error
// ends the connection.
func (s *subscriber) subscribe(ctx context.Context, on *session) error {
	s.mu.RLock()
	all := s.all
	s.mu.RUnlock()
	var batch []*subscription
	size := 0
	for i, sub := range all {
		if sub.active.Load() {
			continue
		}
		if sub.node == nil { // alone, for it has an identifier
			if err := s.request(ctx, on, all[i:i+1], i+1); err != nil {
				return err
			}
			continue
		}
		if len(batch) == subscribeFilters || size+len(sub.filter) > subscribeBytes {
			if err := s.request(ctx, on, batch, 0); err != nil {
				return err
			}
			batch, size = batch[:0], 0
		}
		batch = append(batch, sub)
		size += len(sub.filter) + 3
	}
	if len(batch) == 0 {
		return nil
	}
	return s.request(ctx, on, batch, 0)
}

// request sends one SUBSCRIBE and looks at what the broker says to each filter.
func (s *subscriber) request(ctx context.Context, on *session, batch []*subscription, id int) error {
	want := &paho.Subscribe{}
	if id != 0 && on.connack.Properties.SubIDAvailable {
		want.Properties = &paho.SubscribeProperties{SubscriptionIdentifier: &id}
	}
	s.mu.RLock()
	for _, sub := range batch {
		o := paho.SubscribeOptions{Topic: sub.filter, QoS: sub.qos, RetainHandling: retainSendNew}
		if sub.node != nil {
			o.RetainHandling = retainSendNever
		}
		want.Subscriptions = append(want.Subscriptions, o)
	}
	s.mu.RUnlock()
	suback, err := on.client.Subscribe(ctx, want)
	switch {
	case errors.Is(err, paho.ErrInvalidArguments): // the broker has said before that it cannot
		for _, sub := range batch {
			s.refused(sub, err.Error())
		}
		return nil
	case suback == nil:
		return fmt.Errorf("subscribing: %w", err)
	case len(suback.Reasons) != len(batch):
		return fmt.Errorf("subscribing: the broker acknowledged %d of %d topic filters", len(suback.Reasons), len(batch))
	}
	words := ""
	if suback.Properties != nil {
		words = suback.Properties.ReasonString
	}
	for i, sub := range batch {
		if code := suback.Reasons[i]; code >= reasonFailure {
			s.refused(sub, reasonText(code, words))
			continue
		}
		s.accepted(sub, want.Subscriptions[i].QoS)
	}
	return nil
}

func (s *subscriber) accepted(sub *subscription, qos byte) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if sub.qos == qos { // it may have been raised meanwhile
		sub.active.Store(true)
	}
	if sub.refusal.Swap(nil) != nil {
		s.link.log.Info("the broker now accepts the subscription", "filter", sub.filter)
	}
}

// refused is loud, but says the same of the same filter only once.
func (s *subscriber) refused(sub *subscription, why string) {
	s.bus.counters.refused.Add(1)
	if before := sub.refusal.Swap(&why); before == nil || *before != why {
		s.link.log.Error("the broker refused a subscription: nothing that depends on it works until its access rules allow it",
			"filter", sub.filter, "reason", why, "retry", retryRefused)
	}
}
