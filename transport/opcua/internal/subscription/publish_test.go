package subscription

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFirstMessageComesWithTheFirstCycleEvenIfEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		id := s.subscribe()
		s.publish(2)
		time.Sleep(99 * ms)
		s.none()
		time.Sleep(1 * ms)
		first := s.one()
		first.assertEncodes(t)
		assert.Equal(t, id, first.SubscriptionID)
		assert.Empty(t, first.NotificationMessage.NotificationData)
		assert.Equal(t, uint32(1), first.NotificationMessage.SequenceNumber)
		assert.Empty(t, first.AvailableSequenceNumbers)
	})
}

func TestKeepAlivesCarryTheNextSequenceNumberWithoutUsingIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		s.monitor(s.subscribe(), want(speed))
		s.publish(5)
		time.Sleep(100 * ms)
		assert.Equal(t, uint32(1), s.one().NotificationMessage.SequenceNumber)
		time.Sleep(299 * ms)
		s.none()
		time.Sleep(1 * ms)
		alive := s.one()
		assert.Empty(t, alive.changes())
		assert.Equal(t, uint32(2), alive.NotificationMessage.SequenceNumber)
		assert.Equal(t, []uint32{1}, alive.AvailableSequenceNumbers)
		r.store(speed, 1.0)
		time.Sleep(100 * ms)
		change := s.one()
		assert.Equal(t, []any{1.0}, change.values())
		assert.Equal(t, uint32(2), change.NotificationMessage.SequenceNumber)
		assert.Equal(t, []uint32{1, 2}, change.AvailableSequenceNumbers)
		time.Sleep(300 * ms)
		assert.Equal(t, uint32(3), s.one().NotificationMessage.SequenceNumber)
	})
}

func TestLateMessageIsSentAsSoonAsARequestComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		s.monitor(s.subscribe(), want(speed))
		time.Sleep(150 * ms)
		s.publish(1)
		assert.Equal(t, 150*ms, s.one().at)
		r.store(speed, 2.0)
		s.publish(1)
		s.none()
		time.Sleep(50 * ms)
		assert.Equal(t, []any{2.0}, s.one().values())
	})
}

// The lifetime counts the cycles at whose end no request waits, since the last message or service.
func TestWhatKeepsASubscriptionAlive(t *testing.T) {
	lives := func(s *session, id uint32) bool {
		synctest.Wait()
		return s.rig.m.find(id) != nil
	}
	steps := map[string]func(s *session, id uint32){
		"late messages":   func(s *session, _ uint32) { s.publish(1) },
		"an item service": func(s *session, id uint32) { s.create(id, want(speed)) },
		"publishing mode": func(s *session, id uint32) {
			_, _ = s.SetPublishingMode(&ua.SetPublishingModeRequest{SubscriptionIDs: []uint32{id}})
		},
		"its modification": func(s *session, id uint32) {
			_, _ = s.Modify(&ua.ModifySubscriptionRequest{SubscriptionID: id, RequestedPublishingInterval: 100})
		},
		"a transfer": func(s *session, id uint32) { s.transferTo(false, id) },
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newRig(t, Options{}).open("ann")
				id := s.subscribe()
				for range 5 {
					time.Sleep(650 * ms)
					step(s, id)
				}
				assert.True(t, lives(s, id))
			})
		})
	}
	t.Run("a request that waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newRig(t, Options{}).open("ann")
			id := s.subscribe()
			s.publish(1)
			time.Sleep(250 * ms)
			s.publish(1) // it waits at 300, and goes
			time.Sleep(100 * ms)
			require.Equal(t, 1, s.CancelPublish(0))
			time.Sleep(800 * ms)
			assert.True(t, lives(s, id), "at 1150")
			time.Sleep(100 * ms)
			assert.False(t, lives(s, id), "at 1250, nine cycles after 300")
		})
	})
}

func TestLifetimeEndsWithoutPublishRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		id := s.subscribe()
		time.Sleep(899 * ms)
		_, status := s.SetPublishingMode(&ua.SetPublishingModeRequest{SubscriptionIDs: []uint32{id}, PublishingEnabled: true})
		require.Equal(t, ua.StatusOK, status)
		time.Sleep(900 * ms)
		synctest.Wait()
		m, _ := s.SetPublishingMode(&ua.SetPublishingModeRequest{SubscriptionIDs: []uint32{id}})
		assert.Equal(t, []ua.StatusCode{ua.StatusBadSubscriptionIDInvalid}, m.Results)
		s.publish(2)
		got := s.take()
		require.Len(t, got, 2)
		assert.Equal(t, id, got[0].SubscriptionID)
		assert.Equal(t, ua.StatusBadTimeout, got[0].became())
		got[0].assertEncodes(t)
		assert.Equal(t, ua.StatusBadNoSubscription, got[1].status)
	})
}

// A request of a channel that has lost the session meanwhile is refused, before it waits and when it
// goes back to wait, because what it was taken for has nothing to send after all.
func TestRequestsOfAnotherChannelDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		s.subscribe()
		var got []ua.StatusCode
		asked := 0
		ask := func(boundFor int) *publish {
			return &publish{bound: func() bool { asked++; return asked <= boundFor }, respond: func(_ *ua.PublishResponse, status ua.StatusCode) { got = append(got, status) }}
		}
		never := ask(0)
		s.Publish(&ua.PublishRequest{}, 0, never.bound, never.respond)
		assert.Equal(t, []ua.StatusCode{ua.StatusBadSecureChannelClosed}, got)

		asked = 0
		_, status := s.enqueue(ask(1))
		require.Equal(t, ua.StatusOK, status)
		s.Owner.mu.Lock()
		p := s.pop()
		s.Owner.mu.Unlock()
		s.EndPublish(ua.StatusBadSecureChannelClosed) // does not find it
		s.serve(&subscription{manager: s.manager, closed: true}, p)
		assert.Equal(t, []ua.StatusCode{ua.StatusBadSecureChannelClosed, ua.StatusBadSecureChannelClosed}, got)
		assert.False(t, s.hasWaiting())
	})
}
