package subscription

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// every sets the sampling interval, in ms.
func every(interval float64) func(*createRequest) {
	return func(r *createRequest) { r.RequestedParameters.SamplingInterval = interval }
}

func TestEachChangeIsSampledWithIntervalZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		r.store(speed, 0.0)
		s.monitor(s.subscribe(), want(speed))
		for i := range 4 {
			r.store(speed, float64(i+1))
		}
		r.store(speed, 4.0)
		s.publish(1)
		time.Sleep(100 * ms)
		assert.Equal(t, []any{0.0, 1.0, 2.0, 3.0, 4.0}, s.one().values())
	})
}

func TestWhatHeldAtAnInstantIsSampledAlthoughNothingPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		r.store(speed, 0.0)
		s.monitor(s.subscribe(), want(speed, every(20)))
		s.publish(3)
		store := func(at time.Duration, v float64) {
			time.Sleep(time.Until(s.opened.Add(at)))
			r.store(speed, v)
		}
		store(1*ms, 1) // replaced before its instant
		store(2*ms, 2) // holds at 20
		store(25*ms, 3)
		store(26*ms, 4)  // holds at 40
		store(61*ms, 5)  // holds at 80
		store(99*ms, 6)  // holds at 100
		store(101*ms, 7) // its instant is 120, its message that of 200
		got := s.one()
		assert.Equal(t, []any{0.0, 2.0, 4.0, 5.0, 6.0}, got.values())
		var sampled []time.Duration
		for _, c := range got.changes() {
			sampled = append(sampled, c.Value.ServerTimestamp.Sub(s.opened))
		}
		assert.Equal(t, []time.Duration{0, 20 * ms, 40 * ms, 80 * ms, 100 * ms}, sampled)
		assert.Equal(t, 99*ms, got.changes()[4].Value.SourceTimestamp.Sub(s.opened))
		time.Sleep(100 * ms)
		assert.Equal(t, []any{7.0}, s.one().values())
	})
}

func TestALateMessageHasWhatWasSampledSinceTheTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		r.store(speed, 0.0)
		s.monitor(s.subscribe(), want(speed, every(20)))
		time.Sleep(110 * ms)
		r.store(speed, 1.0)
		time.Sleep(20 * ms)
		s.publish(1)
		assert.Equal(t, []any{0.0, 1.0}, s.one().values())
	})
}

func TestSlowSamplingSpansPublishingCycles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		r.store(slow, 0.0)
		s.monitor(s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.RequestedMaxKeepAliveCount = 100 }), want(slow))
		s.publish(3)
		time.Sleep(100 * ms)
		assert.Equal(t, []any{0.0}, s.one().values())
		r.store(slow, 1.0)
		time.Sleep(899 * ms)
		s.none()
		time.Sleep(1 * ms)
		assert.Equal(t, []any{1.0}, s.one().values())
	})
}

func TestLiveValuesAreSampledAtThePublishingTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		s.monitor(id, want(clock, every(250)))
		s.publish(9)
		start := s.opened
		var got []time.Duration
		for range 10 {
			time.Sleep(100 * ms)
			for _, m := range s.take() {
				for _, v := range m.values() {
					got = append(got, v.(time.Time).Sub(start))
				}
			}
		}
		assert.Equal(t, []time.Duration{0, 300 * ms, 500 * ms, 800 * ms, 1000 * ms}, got)
	})
}

func TestDisabledLiveValuesAreNotSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		item := s.monitor(id, want(clock))
		_, status := s.SetMonitoringMode(&ua.SetMonitoringModeRequest{SubscriptionID: id, MonitoredItemIDs: []uint32{item}})
		require.Equal(t, ua.StatusOK, status)
		s.publish(9)
		time.Sleep(time.Second)
		for _, m := range s.take() {
			assert.Empty(t, m.values())
		}
	})
}

func TestAttributesAreSampledOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		s.monitor(s.subscribe(), want(speed, func(r *createRequest) { r.ItemToMonitor.AttributeID = ua.AttributeIDValueRank }))
		s.publish(5)
		time.Sleep(100 * ms)
		got := s.one()
		got.assertEncodes(t)
		assert.Equal(t, []any{int32(-1)}, got.values())
		time.Sleep(time.Second)
		for _, m := range s.take() {
			assert.Empty(t, m.values())
		}
	})
}

// The race of enable, step by step; TestAnItemNeverGoesBackwards runs it.
func TestWhatWatchReturnedIsDroppedIfAChangeCameFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		r.store(speed, 1.0)
		item := s.monitor(id, want(speed, func(r *createRequest) { r.MonitoringMode = ua.MonitoringModeDisabled }))
		it := r.m.find(id).items[item]
		w := it.listen(ua.MonitoringModeReporting)
		old := it.node.Watch(w)
		r.store(speed, 2.0)
		it.begin(old, time.Now())
		s.publish(1)
		time.Sleep(100 * ms)
		assert.Equal(t, []any{2.0}, s.one().values())
	})
}

// What an earlier watch hears after the item was enabled again must not be taken for new.
func TestAChangeForAnEarlierWatchIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		r.store(speed, 1.0)
		item := s.monitor(id, want(speed))
		sub := r.m.find(id)
		early := sub.items[item].watch
		for _, mode := range []ua.MonitoringMode{ua.MonitoringModeDisabled, ua.MonitoringModeReporting} {
			_, status := s.SetMonitoringMode(&ua.SetMonitoringModeRequest{
				SubscriptionID: id, MonitoringMode: mode, MonitoredItemIDs: []uint32{item}})
			require.Equal(t, ua.StatusOK, status)
		}
		early.Changed(&ua.DataValue{Value: ua.MustVariant(0.5)})
		s.publish(1)
		time.Sleep(100 * ms)
		assert.Equal(t, []any{1.0}, s.one().values())
	})
}
