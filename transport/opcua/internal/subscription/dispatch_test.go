package subscription

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPublishWithoutSubscriptionIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		s.publish(1)
		assert.Equal(t, ua.StatusBadNoSubscription, s.take()[0].status)
	})
}

func TestWaitingRequestsEndWithTheLastSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		one, other := s.subscribe(), s.subscribe()
		s.publish(2)
		m, _ := s.Delete(&ua.DeleteSubscriptionsRequest{SubscriptionIDs: []uint32{one, one}})
		assert.Equal(t, []ua.StatusCode{ua.StatusOK, ua.StatusBadSubscriptionIDInvalid}, m.Results)
		s.none()
		_, _ = s.Delete(&ua.DeleteSubscriptionsRequest{SubscriptionIDs: []uint32{other}})
		got := s.take()
		require.Len(t, got, 2)
		assert.Equal(t, ua.StatusBadNoSubscription, got[0].status)
		assert.Equal(t, ua.StatusBadNoSubscription, got[1].status)
	})
}

func TestTheOldestOfTooManyRequestsIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{MaxPublishRequests: 2}).open("ann")
		s.subscribe()
		var ended []int
		for i := range 4 {
			s.Publish(&ua.PublishRequest{}, 0, always, func(_ *ua.PublishResponse, status ua.StatusCode) {
				assert.Equal(t, ua.StatusBadTooManyPublishRequests, status)
				ended = append(ended, i)
			})
		}
		assert.Equal(t, []int{0, 1}, ended)
	})
}

func TestTooManyAcknowledgementsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		s.subscribe()
		s.request(&ua.PublishRequest{SubscriptionAcknowledgements: make([]*ua.SubscriptionAcknowledgement, 10_001)}, 0)
		assert.Equal(t, ua.StatusBadTooManyOperations, s.take()[0].status)
	})
}

func TestRequestsWaitAsLongAsTheyMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.RequestedPublishingInterval = 60_000 })
		for _, timeout := range []time.Duration{300 * ms, 100 * ms, 0, 200 * ms, 100 * ms, 250 * ms} {
			s.request(&ua.PublishRequest{}, timeout)
		}
		time.Sleep(150 * ms)
		s.request(&ua.PublishRequest{}, 10*ms) // while the timer is set for a later one
		time.Sleep(time.Minute - 151*ms)
		var at []time.Duration
		for _, m := range s.take() {
			assert.Equal(t, ua.StatusBadTimeout, m.status)
			at = append(at, m.at)
		}
		assert.Equal(t, []time.Duration{100 * ms, 100 * ms, 160 * ms, 200 * ms, 250 * ms, 300 * ms}, at)
		time.Sleep(1 * ms)
		assert.Equal(t, time.Minute, s.one().at, "the one without limit")
	})
}

// A request that was taken, but for which there was nothing after all, still ends in time.
func TestARequestThatIsGivenBackKeepsItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		sub := r.m.find(s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.RequestedPublishingInterval = 60_000 }))
		s.request(&ua.PublishRequest{}, 100*ms)
		s.Owner.mu.Lock()
		p := s.pop()
		s.Owner.mu.Unlock()
		s.request(&ua.PublishRequest{}, time.Second)
		s.serve(sub, p)
		time.Sleep(101 * ms)
		got := s.take()
		require.Len(t, got, 1)
		assert.Equal(t, 100*ms, got[0].at)
	})
}

func TestARequestThatIsTakenWhileTheSessionClosesIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		sub := r.m.find(s.subscribe())
		s.publish(1)
		s.Owner.mu.Lock()
		p := s.pop()
		s.Owner.mu.Unlock()
		s.Close(true)
		s.serve(sub, p)
		assert.Equal(t, ua.StatusBadSessionClosed, s.take()[0].status)
	})
}

func TestRequestsAreCancelledByTheirHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		s.subscribe()
		for _, handle := range []uint32{1, 2, 2} {
			s.request(&ua.PublishRequest{RequestHeader: &ua.RequestHeader{RequestHandle: handle}}, 0)
		}
		assert.Equal(t, 2, s.CancelPublish(2))
		assert.Equal(t, 0, s.CancelPublish(3))
		got := s.take()
		require.Len(t, got, 2)
		assert.Equal(t, ua.StatusBadRequestCancelledByClient, got[0].status)
		time.Sleep(100 * ms)
		s.one()
	})
}

func TestAMessageIsSplitAndTheRestFollowsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.MaxNotificationsPerPublish = 2 })
		r.store(speed, 0.0)
		s.monitor(id, want(speed))
		for i := range 4 {
			r.store(speed, float64(i+1))
		}
		s.publish(2)
		time.Sleep(100 * ms)
		got := s.take()
		require.Len(t, got, 2)
		assert.Equal(t, []any{0.0, 1.0}, got[0].values())
		assert.True(t, got[0].MoreNotifications)
		assert.Equal(t, []any{2.0, 3.0}, got[1].values())
		assert.True(t, got[1].MoreNotifications)
		assert.Equal(t, uint32(2), got[1].NotificationMessage.SequenceNumber)
		time.Sleep(20 * ms)
		s.publish(2)
		last := s.one()
		assert.Equal(t, []any{4.0}, last.values())
		assert.Equal(t, 120*ms, last.at)
		assert.False(t, last.MoreNotifications)
	})
}

func TestWithoutMoreToSendTheRequestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.MaxNotificationsPerPublish = 1 })
		first := s.monitor(id, want(speed))
		r.store(speed, 1.0)
		s.publish(1)
		time.Sleep(100 * ms)
		assert.True(t, s.one().MoreNotifications)
		_, status := s.DeleteItems(&ua.DeleteMonitoredItemsRequest{SubscriptionID: id, MonitoredItemIDs: []uint32{first}})
		require.Equal(t, ua.StatusOK, status)
		s.publish(1)
		s.none()
		time.Sleep(300 * ms)
		assert.Equal(t, 400*ms, s.one().at, "until the keep-alive")
	})
}

func TestTheHighestPriorityIsServedFirstThenTheLongestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		var ids []uint32
		for _, priority := range []uint8{1, 5, 5, 9} {
			id := s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.Priority = priority })
			ids = append(ids, id)
			time.Sleep(1 * ms)
		}
		time.Sleep(150 * ms)
		var order []uint32
		for range ids {
			s.publish(1)
			order = append(order, s.one().SubscriptionID)
		}
		assert.Equal(t, []uint32{ids[3], ids[1], ids[2], ids[0]}, order)
	})
}

func TestNoticesAreBoundedAndComeFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{MaxPerOwner: 2}).open("ann")
		var gone []uint32
		for range 3 {
			gone = append(gone, s.subscribe())
			time.Sleep(time.Second)
		}
		alive := s.subscribe()
		time.Sleep(150 * ms)
		s.publish(3)
		var order []uint32
		for _, m := range s.take() {
			order = append(order, m.SubscriptionID)
		}
		assert.Equal(t, []uint32{gone[1], gone[2], alive}, order)
	})
}

// Responses must leave in the order of their sequence numbers, also when respond sends the next
// request, as a client in the same process would.
func TestRespondMayPublishAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.MaxNotificationsPerPublish = 1 })
		s.monitor(id, want(speed, func(r *createRequest) { r.RequestedParameters.QueueSize = 1000 }))
		for i := range 500 {
			r.store(speed, float64(i))
		}
		var got []uint32
		var again func(*ua.PublishResponse, ua.StatusCode)
		again = func(m *ua.PublishResponse, status ua.StatusCode) {
			if status == ua.StatusOK && len(m.NotificationMessage.NotificationData) > 0 {
				got = append(got, m.NotificationMessage.SequenceNumber)
				s.Publish(&ua.PublishRequest{}, 0, always, again)
			}
		}
		s.Publish(&ua.PublishRequest{}, 0, always, again)
		time.Sleep(150 * ms)
		synctest.Wait()
		require.Len(t, got, 501)
		for i, n := range got {
			require.Equal(t, uint32(i+1), n)
		}
	})
}

func TestResponsesDoNotOvertakeEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.MaxNotificationsPerPublish = 1 })
		s.monitor(id, want(speed))
		r.store(speed, 1.0)
		slow := make(chan struct{})
		s.Publish(&ua.PublishRequest{}, 0, always, func(*ua.PublishResponse, ua.StatusCode) { <-slow })
		time.Sleep(100 * ms)
		s.publish(1) // there is more to send, but the first response is still under way
		s.none()
		close(slow)
		assert.Equal(t, uint32(2), s.one().NotificationMessage.SequenceNumber)
	})
}
