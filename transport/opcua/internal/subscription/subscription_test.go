package subscription

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCreateRevisesAndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{MaxSubscriptions: 3, MaxPerOwner: 2})
		ann, bob := r.open("ann"), r.open("bob")
		m, status := ann.Create(&ua.CreateSubscriptionRequest{})
		require.Equal(t, ua.StatusOK, status)
		assert.NotZero(t, m.SubscriptionID)
		assert.Equal(t, 10.0, m.RevisedPublishingInterval)
		assert.Equal(t, uint32(30), m.RevisedLifetimeCount)
		assert.Equal(t, uint32(10), m.RevisedMaxKeepAliveCount)
		other := ann.subscribe()
		assert.NotEqual(t, m.SubscriptionID, other)
		_, status = ann.Create(&ua.CreateSubscriptionRequest{})
		assert.Equal(t, ua.StatusBadTooManySubscriptions, status, "of one owner")
		bob.subscribe()
		_, status = bob.Create(&ua.CreateSubscriptionRequest{})
		assert.Equal(t, ua.StatusBadTooManySubscriptions, status, "in all")
		_, status = ann.Delete(&ua.DeleteSubscriptionsRequest{SubscriptionIDs: []uint32{other}})
		require.Equal(t, ua.StatusOK, status)
		assert.NotEqual(t, other, bob.subscribe(), "ids are not used again")
	})
}

func TestIDsAreNeverZeroNorInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		r.m.lastID = 0
		assert.Equal(t, uint32(1), s.subscribe())
		r.m.lastID = math.MaxUint32 - 1
		assert.Equal(t, uint32(math.MaxUint32), s.subscribe())
		assert.Equal(t, uint32(2), s.subscribe())
	})
}

func TestModifyBeginsANewCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		s.monitor(id, want(speed))
		s.publish(9)
		time.Sleep(100 * ms)
		s.one()
		time.Sleep(50 * ms)
		r.store(speed, 1.0)
		m, status := s.Modify(&ua.ModifySubscriptionRequest{SubscriptionID: id, RequestedPublishingInterval: 500, RequestedMaxKeepAliveCount: 2})
		require.Equal(t, ua.StatusOK, status)
		assert.Equal(t, 500.0, m.RevisedPublishingInterval)
		assert.Equal(t, uint32(6), m.RevisedLifetimeCount)
		assert.Equal(t, uint32(2), m.RevisedMaxKeepAliveCount)
		time.Sleep(499 * ms)
		s.none()
		time.Sleep(1 * ms)
		assert.Equal(t, []any{1.0}, s.one().values())
		time.Sleep(time.Second)
		assert.Equal(t, 1650*ms, s.one().at, "a keep-alive after two of the new cycles")
		_, status = s.Modify(&ua.ModifySubscriptionRequest{SubscriptionID: id + 1})
		assert.Equal(t, ua.StatusBadSubscriptionIDInvalid, status)
	})
}

func TestModifyWithTheSameIntervalKeepsTheCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		id := s.subscribe()
		s.publish(1)
		time.Sleep(50 * ms)
		_, status := s.Modify(&ua.ModifySubscriptionRequest{SubscriptionID: id, RequestedPublishingInterval: 100, RequestedMaxKeepAliveCount: 2})
		require.Equal(t, ua.StatusOK, status)
		time.Sleep(50 * ms)
		assert.Equal(t, 100*ms, s.one().at)
	})
}

// The timer has fired, but the interval was changed before its function had the lock.
func TestATickThatIsNotDueDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		s.publish(1)
		time.Sleep(30 * ms)
		r.m.find(id).tick()
		s.none()
		time.Sleep(70 * ms)
		assert.Equal(t, 100*ms, s.one().at)
	})
}

func TestMissedTicksAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		sub := r.m.find(s.subscribe())
		sub.mu.Lock()
		sub.timer.Reset(250 * ms) // as if the ticks of 100 and 200 had to wait
		sub.mu.Unlock()
		time.Sleep(251 * ms)
		sub.mu.Lock()
		defer sub.mu.Unlock()
		assert.Equal(t, uint32(8), sub.life, "one cycle has passed")
		assert.Equal(t, 300*ms, sub.next.Sub(s.opened), "the next is where it would have been")
	})
}

func TestPublishingDisabledLeavesOnlyKeepAlives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.PublishingEnabled = false })
		s.monitor(id, want(speed))
		s.publish(9)
		time.Sleep(400 * ms)
		for _, m := range s.take() {
			assert.Empty(t, m.values())
			assert.Equal(t, uint32(1), m.NotificationMessage.SequenceNumber)
			assert.False(t, m.MoreNotifications)
		}
		r.store(speed, 1.0)
		m, status := s.SetPublishingMode(&ua.SetPublishingModeRequest{SubscriptionIDs: []uint32{id, id + 1}, PublishingEnabled: true})
		require.Equal(t, ua.StatusOK, status)
		assert.Equal(t, []ua.StatusCode{ua.StatusOK, ua.StatusBadSubscriptionIDInvalid}, m.Results)
		time.Sleep(100 * ms)
		assert.Equal(t, []any{ua.StatusBadWaitingForInitialData, 1.0}, s.one().values(), "what was queued meanwhile")
	})
}

func TestListsOfSubscriptionsAreChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		services := map[string]func(ids []uint32) ua.StatusCode{
			"delete": func(ids []uint32) ua.StatusCode {
				_, status := s.Delete(&ua.DeleteSubscriptionsRequest{SubscriptionIDs: ids})
				return status
			},
			"mode": func(ids []uint32) ua.StatusCode {
				_, status := s.SetPublishingMode(&ua.SetPublishingModeRequest{SubscriptionIDs: ids})
				return status
			},
			"transfer": func(ids []uint32) ua.StatusCode {
				_, status := s.Transfer(&ua.TransferSubscriptionsRequest{SubscriptionIDs: ids})
				return status
			},
		}
		for name, call := range services {
			assert.Equal(t, ua.StatusBadNothingToDo, call(nil), name)
			assert.Equal(t, ua.StatusBadTooManyOperations, call(make([]uint32, 10_001)), name)
			assert.Equal(t, ua.StatusOK, call([]uint32{1}), name)
		}
	})
}

func TestMessagesAreKeptUntilAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		s.monitor(id, want(speed))
		s.publish(3)
		var sent []reply
		for i := range 3 {
			r.store(speed, float64(i))
			time.Sleep(100 * ms)
			sent = append(sent, s.one())
		}
		assert.Equal(t, []uint32{1, 2, 3}, sent[2].AvailableSequenceNumbers)
		again := func(subscription, sequence uint32) (*ua.RepublishResponse, ua.StatusCode) {
			return s.Republish(&ua.RepublishRequest{SubscriptionID: subscription, RetransmitSequenceNumber: sequence})
		}
		m, status := again(id, 2)
		require.Equal(t, ua.StatusOK, status)
		assert.Equal(t, sent[1].NotificationMessage, m.NotificationMessage)
		_, status = again(id+1, 2)
		assert.Equal(t, ua.StatusBadSubscriptionIDInvalid, status)

		ack := func(subscription, sequence uint32) *ua.SubscriptionAcknowledgement {
			return &ua.SubscriptionAcknowledgement{SubscriptionID: subscription, SequenceNumber: sequence}
		}
		s.request(&ua.PublishRequest{SubscriptionAcknowledgements: []*ua.SubscriptionAcknowledgement{
			ack(id, 2), ack(id, 2), ack(id, 4), ack(id+1, 1), nil, ack(id, 1)}}, 0)
		r.store(speed, 9.0)
		time.Sleep(100 * ms)
		got := s.one()
		assert.Equal(t, []ua.StatusCode{ua.StatusOK, ua.StatusBadSequenceNumberUnknown, ua.StatusBadSequenceNumberUnknown,
			ua.StatusBadSubscriptionIDInvalid, ua.StatusBadSubscriptionIDInvalid, ua.StatusOK}, got.Results)
		assert.Equal(t, []uint32{3, 4}, got.AvailableSequenceNumbers)
		_, status = again(id, 2)
		assert.Equal(t, ua.StatusBadMessageNotAvailable, status)
	})
}

func TestRepublishKeepsTheSubscriptionAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		id := s.subscribe()
		for range 5 {
			time.Sleep(750 * ms)
			_, status := s.Republish(&ua.RepublishRequest{SubscriptionID: id, RetransmitSequenceNumber: 1})
			require.Equal(t, ua.StatusBadMessageNotAvailable, status)
		}
	})
}
