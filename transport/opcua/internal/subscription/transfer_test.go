package subscription

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// transferTo moves subscriptions and returns what became of each.
func (s *session) transferTo(initial bool, ids ...uint32) []*ua.TransferResult {
	s.rig.t.Helper()
	m, status := s.Transfer(&ua.TransferSubscriptionsRequest{SubscriptionIDs: ids, SendInitialValues: initial})
	require.Equal(s.rig.t, ua.StatusOK, status)
	require.Len(s.rig.t, m.Results, len(ids))
	return m.Results
}

func TestTransferTakesOverAndTellsTheOldOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		old, heir := r.open("ann"), r.open("ann")
		id := old.subscribe()
		r.store(speed, 1.0)
		old.monitor(id, want(speed))
		old.publish(3)
		time.Sleep(100 * ms)
		assert.Equal(t, []any{1.0}, old.one().values())

		got := heir.transferTo(false, id, id+1)
		assert.Equal(t, &ua.TransferResult{StatusCode: ua.StatusOK, AvailableSequenceNumbers: []uint32{1}}, got[0])
		assert.Equal(t, ua.StatusBadSubscriptionIDInvalid, got[1].StatusCode)
		last := old.take()
		require.Len(t, last, 2)
		assert.Equal(t, ua.StatusGoodSubscriptionTransferred, last[0].became())
		assert.Equal(t, id, last[0].SubscriptionID)
		last[0].assertEncodes(t)
		assert.Equal(t, ua.StatusBadNoSubscription, last[1].status, "it was the only one")

		r.store(speed, 2.0)
		heir.publish(1)
		time.Sleep(100 * ms)
		next := heir.one()
		assert.Equal(t, []any{2.0}, next.values())
		assert.Equal(t, []uint32{1, 2}, next.AvailableSequenceNumbers)
		_, status := heir.Republish(&ua.RepublishRequest{SubscriptionID: id, RetransmitSequenceNumber: 1})
		assert.Equal(t, ua.StatusOK, status)
		_, status = old.Republish(&ua.RepublishRequest{SubscriptionID: id, RetransmitSequenceNumber: 1})
		assert.Equal(t, ua.StatusBadSubscriptionIDInvalid, status)
	})
}

func TestTheOldOwnerIsToldWithItsNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		old, heir := r.open("ann"), r.open("ann")
		id := old.subscribe()
		heir.transferTo(false, id)
		old.publish(1)
		assert.Equal(t, ua.StatusGoodSubscriptionTransferred, old.one().became())
	})
}

func TestTransferIsForTheSameUserOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		ann, bob := r.open("ann"), r.open("bob")
		id := ann.subscribe()
		assert.Equal(t, ua.StatusBadUserAccessDenied, bob.transferTo(false, id)[0].StatusCode)
		ann.Close(false)
		assert.Equal(t, ua.StatusBadUserAccessDenied, bob.transferTo(false, id)[0].StatusCode)
	})
}

func TestTransferToItselfIsAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{MaxPerOwner: 1})
		s := r.open("ann")
		id := s.subscribe()
		s.publish(1)
		assert.Equal(t, ua.StatusOK, s.transferTo(false, id)[0].StatusCode)
		time.Sleep(100 * ms)
		assert.Empty(t, s.one().NotificationMessage.NotificationData, "nothing became of it")
	})
}

func TestTransferCountsAgainstTheNewOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{MaxPerOwner: 1})
		ann, other := r.open("ann"), r.open("ann")
		id := ann.subscribe()
		other.subscribe()
		assert.Equal(t, ua.StatusBadTooManySubscriptions, other.transferTo(false, id)[0].StatusCode)
		ann.publish(1)
		time.Sleep(100 * ms)
		assert.Equal(t, id, ann.one().SubscriptionID, "it stays where it was")
	})
}

func TestTransferSendsInitialValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		old, heir := r.open("ann"), r.open("ann")
		id := old.subscribe()
		r.store(speed, 1.0)
		r.store(list, []int32{1, 2})
		disabled := want(text, func(r *createRequest) { r.MonitoringMode = ua.MonitoringModeDisabled })
		old.create(id, want(speed), want(list, func(r *createRequest) { r.ItemToMonitor.IndexRange = "0" }), disabled,
			want(plant, func(r *createRequest) { r.ItemToMonitor.AttributeID = ua.AttributeIDNodeClass }))
		old.publish(1)
		time.Sleep(100 * ms)
		assert.Len(t, old.one().values(), 3)
		r.store(speed, 2.0)
		assert.Equal(t, ua.StatusOK, heir.transferTo(true, id)[0].StatusCode)
		heir.publish(1)
		time.Sleep(100 * ms)
		got := heir.one().values()
		assert.ElementsMatch(t, []any{2.0, []int32{1}, int32(ua.NodeClassObject)}, got, "what waited is not sent twice")
	})
}

func TestWithoutOwnerASubscriptionLivesOnForItsLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		old := r.open("ann")
		saved, lost := old.subscribe(), old.subscribe()
		r.store(speed, 1.0)
		old.monitor(saved, want(speed))
		old.publish(1)
		old.Close(false)
		got := old.take()
		require.Len(t, got, 1)
		assert.Equal(t, ua.StatusBadSessionClosed, got[0].status)
		time.Sleep(850 * ms)
		heir := r.open("ann")
		assert.Equal(t, ua.StatusOK, heir.transferTo(false, saved)[0].StatusCode)
		heir.publish(1)
		assert.Equal(t, []any{1.0}, heir.one().values(), "late, so it is sent at once")
		time.Sleep(100 * ms)
		assert.Equal(t, ua.StatusBadSubscriptionIDInvalid, heir.transferTo(false, lost)[0].StatusCode)
	})
}

func TestCloseDeletesWhatItIsAskedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		s.monitor(id, want(speed))
		s.publish(1)
		s.Close(true)
		got := s.take()
		require.Len(t, got, 1)
		assert.Equal(t, ua.StatusBadSessionClosed, got[0].status)
		assert.Nil(t, r.m.find(id))
		assert.Zero(t, r.m.items.used.Load())
		s.publish(1)
		assert.Equal(t, ua.StatusBadSessionClosed, s.take()[0].status)
		_, status := s.Create(&ua.CreateSubscriptionRequest{})
		assert.Equal(t, ua.StatusBadSessionClosed, status)
		s.Close(true)
		assert.Empty(t, r.m.owners)
	})
}

func TestManagerCloseDropsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s, gone := r.open("ann"), r.open("ann")
		s.monitor(s.subscribe(), want(speed))
		gone.subscribe()
		gone.Close(false)
		s.request(&ua.PublishRequest{}, 50*ms)
		r.m.Close()
		time.Sleep(time.Hour)
		s.none()
		assert.Zero(t, r.m.items.used.Load())
		late := r.open("ann")
		_, status := late.Create(&ua.CreateSubscriptionRequest{})
		assert.Equal(t, ua.StatusBadSessionClosed, status)
	})
}
