package subscription

import (
	"log/slog"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
)

// Options bound what clients may ask for. Zero values mean the defaults.
type Options struct {
	Space                    *space.Space
	MaxSubscriptions         int           // in all; 1000
	MaxPerOwner              int           // 100
	MaxItems                 int           // in all; 100 000
	MaxItemsPerSubscription  int           // 10 000
	MaxQueueSize             int           // of an item; 1000
	MaxPublishRequests       int           // that wait, of an owner; 100
	MaxNotifications         int           // in one Publish response; 10 000
	MaxRetransmission        int           // kept messages of a subscription; 100
	MinInterval, MaxInterval time.Duration // publishing; 10 ms, 1 h
	Logger                   *slog.Logger
}

// Manager has the subscriptions of all sessions.
type Manager struct{}

// NewManager returns a manager. Close ends it.
func NewManager(o Options) *Manager { panic("not written") }

// Close deletes everything: no timer remains. Publish requests that wait are dropped.
func (m *Manager) Close() { panic("not written") }

// Owner is the part of one session.
type Owner struct{}

// NewOwner returns the owner of a new session. user tells whether a subscription may be
// transferred: only between owners of the same user (OPC 10000-4, 5.14.7).
func (m *Manager) NewOwner(user string) *Owner { panic("not written") }

// Close ends a session's part. deleteSubscriptions: as CloseSession asks; otherwise the subscriptions
// live on without owner until their lifetime ends, and can be transferred. Waiting Publish
// requests are answered with BadSessionClosed.
func (o *Owner) Close(deleteSubscriptions bool) { panic("not written") }

// The services. Each returns the response without its header set, or a Bad status for a
// ServiceFault. Requests may be kept.

func (o *Owner) Create(r *ua.CreateSubscriptionRequest) (*ua.CreateSubscriptionResponse, ua.StatusCode) {
	panic("not written")
}

func (o *Owner) Modify(r *ua.ModifySubscriptionRequest) (*ua.ModifySubscriptionResponse, ua.StatusCode) {
	panic("not written")
}

func (o *Owner) Delete(r *ua.DeleteSubscriptionsRequest) (*ua.DeleteSubscriptionsResponse, ua.StatusCode) {
	panic("not written")
}

func (o *Owner) SetPublishingMode(r *ua.SetPublishingModeRequest) (*ua.SetPublishingModeResponse, ua.StatusCode) {
	panic("not written")
}

func (o *Owner) Republish(r *ua.RepublishRequest) (*ua.RepublishResponse, ua.StatusCode) {
	panic("not written")
}

func (o *Owner) Transfer(r *ua.TransferSubscriptionsRequest) (*ua.TransferSubscriptionsResponse, ua.StatusCode) {
	panic("not written")
}

func (o *Owner) CreateItems(r *ua.CreateMonitoredItemsRequest) (*ua.CreateMonitoredItemsResponse, ua.StatusCode) {
	panic("not written")
}

func (o *Owner) ModifyItems(r *ua.ModifyMonitoredItemsRequest) (*ua.ModifyMonitoredItemsResponse, ua.StatusCode) {
	panic("not written")
}

func (o *Owner) DeleteItems(r *ua.DeleteMonitoredItemsRequest) (*ua.DeleteMonitoredItemsResponse, ua.StatusCode) {
	panic("not written")
}

func (o *Owner) SetMonitoringMode(r *ua.SetMonitoringModeRequest) (*ua.SetMonitoringModeResponse, ua.StatusCode) {
	panic("not written")
}

// Publish takes a Publish request. respond is called exactly once, later or at once, from any
// goroutine, without locks held, with the response (header not set) or with nil and a Bad status.
// timeout is how long the request may wait (its TimeoutHint); 0: as long as it takes.
func (o *Owner) Publish(r *ua.PublishRequest, timeout time.Duration, respond func(*ua.PublishResponse, ua.StatusCode)) {
	panic("not written")
}

// CancelPublish answers waiting Publish requests with that request handle with
// BadRequestCancelledByClient and says how many there were (OPC 10000-4, 5.7.5).
func (o *Owner) CancelPublish(requestHandle uint32) int { panic("not written") }
