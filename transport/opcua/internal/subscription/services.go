package subscription

import (
	"time"

	"github.com/gopcua/opcua/ua"
)

// The services. Each returns the response without its header set, or a Bad status for a
// ServiceFault. Nothing of a request is kept: ids that are decoded share its memory.

// maxOperations is how many there may be in one request.
const maxOperations = 10_000

// count checks the number of operations in a request.
func count(n int) ua.StatusCode {
	switch {
	case n == 0:
		return ua.StatusBadNothingToDo
	case n > maxOperations:
		return ua.StatusBadTooManyOperations
	default:
		return ua.StatusOK
	}
}

// Create makes a subscription (OPC 10000-4, 5.14.2).
func (o *Owner) Create(r *ua.CreateSubscriptionRequest) (*ua.CreateSubscriptionResponse, ua.StatusCode) {
	p := o.manager.options.revise(r.RequestedPublishingInterval, r.RequestedLifetimeCount, r.RequestedMaxKeepAliveCount,
		r.MaxNotificationsPerPublish, r.Priority)
	s := newSubscription(o, p, r.PublishingEnabled)
	s.mu.Lock()
	defer s.mu.Unlock()
	if status := o.adopt(s); status != ua.StatusOK {
		return nil, status
	}
	s.start()
	return &ua.CreateSubscriptionResponse{
		SubscriptionID:            s.id,
		RevisedPublishingInterval: toMilliseconds(p.interval),
		RevisedLifetimeCount:      p.lifetime,
		RevisedMaxKeepAliveCount:  p.keepAlive,
	}, ua.StatusOK
}

// Modify changes a subscription's parameters (5.14.3).
func (o *Owner) Modify(r *ua.ModifySubscriptionRequest) (*ua.ModifySubscriptionResponse, ua.StatusCode) {
	s := o.find(r.SubscriptionID)
	if s == nil {
		return nil, ua.StatusBadSubscriptionIDInvalid
	}
	defer s.mu.Unlock()
	p := o.manager.options.revise(r.RequestedPublishingInterval, r.RequestedLifetimeCount, r.RequestedMaxKeepAliveCount,
		r.MaxNotificationsPerPublish, r.Priority)
	s.modify(p)
	return &ua.ModifySubscriptionResponse{
		RevisedPublishingInterval: toMilliseconds(p.interval),
		RevisedLifetimeCount:      p.lifetime,
		RevisedMaxKeepAliveCount:  p.keepAlive,
	}, ua.StatusOK
}

// Delete ends subscriptions (5.14.8). With the last one, waiting Publish requests end.
func (o *Owner) Delete(r *ua.DeleteSubscriptionsRequest) (*ua.DeleteSubscriptionsResponse, ua.StatusCode) {
	if status := count(len(r.SubscriptionIDs)); status != ua.StatusOK {
		return nil, status
	}
	results := o.each(r.SubscriptionIDs, (*subscription).close)
	o.dispatch()
	return &ua.DeleteSubscriptionsResponse{Results: results}, ua.StatusOK
}

// each does something with subscriptions of the owner.
func (o *Owner) each(ids []uint32, do func(*subscription)) []ua.StatusCode {
	results := make([]ua.StatusCode, len(ids))
	for i, id := range ids {
		if s := o.find(id); s != nil {
			do(s)
			s.mu.Unlock()
		} else {
			results[i] = ua.StatusBadSubscriptionIDInvalid
		}
	}
	return results
}

// SetPublishingMode enables or disables notifications; keep-alive messages are sent in any case
// (5.14.4).
func (o *Owner) SetPublishingMode(r *ua.SetPublishingModeRequest) (*ua.SetPublishingModeResponse, ua.StatusCode) {
	if status := count(len(r.SubscriptionIDs)); status != ua.StatusOK {
		return nil, status
	}
	results := o.each(r.SubscriptionIDs, func(s *subscription) { s.enable(r.PublishingEnabled) })
	return &ua.SetPublishingModeResponse{Results: results}, ua.StatusOK
}

// Republish gives a message again that was not acknowledged (5.14.6).
func (o *Owner) Republish(r *ua.RepublishRequest) (*ua.RepublishResponse, ua.StatusCode) {
	s := o.find(r.SubscriptionID)
	if s == nil {
		return nil, ua.StatusBadSubscriptionIDInvalid
	}
	defer s.mu.Unlock()
	s.alive()
	m := s.sent.again(r.RetransmitSequenceNumber)
	if m == nil {
		return nil, ua.StatusBadMessageNotAvailable
	}
	return &ua.RepublishResponse{NotificationMessage: m}, ua.StatusOK
}

// items finds the subscription of an item service, locked, and checks the rest of the request.
func (o *Owner) items(id uint32, operations int, timestamps ua.TimestampsToReturn) (*subscription, ua.StatusCode) {
	if status := count(operations); status != ua.StatusOK {
		return nil, status
	}
	if timestamps > ua.TimestampsToReturnNeither {
		return nil, ua.StatusBadTimestampsToReturnInvalid
	}
	s := o.find(id)
	if s == nil {
		return nil, ua.StatusBadSubscriptionIDInvalid
	}
	s.alive()
	return s, ua.StatusOK
}

// CreateItems makes monitored items (5.13.2).
func (o *Owner) CreateItems(r *ua.CreateMonitoredItemsRequest) (*ua.CreateMonitoredItemsResponse, ua.StatusCode) {
	s, status := o.items(r.SubscriptionID, len(r.ItemsToCreate), r.TimestampsToReturn)
	if status != ua.StatusOK {
		return nil, status
	}
	defer s.mu.Unlock()
	now := time.Now()
	results := make([]*ua.MonitoredItemCreateResult, len(r.ItemsToCreate))
	for i, c := range r.ItemsToCreate {
		results[i] = s.createItem(c, r.TimestampsToReturn, now)
	}
	return &ua.CreateMonitoredItemsResponse{Results: results}, ua.StatusOK
}

// ModifyItems changes parameters of monitored items (5.13.3).
func (o *Owner) ModifyItems(r *ua.ModifyMonitoredItemsRequest) (*ua.ModifyMonitoredItemsResponse, ua.StatusCode) {
	s, status := o.items(r.SubscriptionID, len(r.ItemsToModify), r.TimestampsToReturn)
	if status != ua.StatusOK {
		return nil, status
	}
	defer s.mu.Unlock()
	results := make([]*ua.MonitoredItemModifyResult, len(r.ItemsToModify))
	for i, m := range r.ItemsToModify {
		results[i] = s.modifyItem(m, r.TimestampsToReturn)
	}
	return &ua.ModifyMonitoredItemsResponse{Results: results}, ua.StatusOK
}

// DeleteItems ends monitored items (5.13.6).
func (o *Owner) DeleteItems(r *ua.DeleteMonitoredItemsRequest) (*ua.DeleteMonitoredItemsResponse, ua.StatusCode) {
	s, status := o.items(r.SubscriptionID, len(r.MonitoredItemIDs), ua.TimestampsToReturnNeither)
	if status != ua.StatusOK {
		return nil, status
	}
	defer s.mu.Unlock()
	results := make([]ua.StatusCode, len(r.MonitoredItemIDs))
	for i, id := range r.MonitoredItemIDs {
		results[i] = s.deleteItem(id)
	}
	return &ua.DeleteMonitoredItemsResponse{Results: results}, ua.StatusOK
}

// SetMonitoringMode enables and disables sampling and reporting of items (5.13.4).
func (o *Owner) SetMonitoringMode(r *ua.SetMonitoringModeRequest) (*ua.SetMonitoringModeResponse, ua.StatusCode) {
	if r.MonitoringMode > ua.MonitoringModeReporting {
		return nil, ua.StatusBadMonitoringModeInvalid
	}
	s, status := o.items(r.SubscriptionID, len(r.MonitoredItemIDs), ua.TimestampsToReturnNeither)
	if status != ua.StatusOK {
		return nil, status
	}
	defer s.mu.Unlock()
	now := time.Now()
	results := make([]ua.StatusCode, len(r.MonitoredItemIDs))
	for i, id := range r.MonitoredItemIDs {
		results[i] = s.setMode(id, r.MonitoringMode, now)
	}
	return &ua.SetMonitoringModeResponse{Results: results}, ua.StatusOK
}
