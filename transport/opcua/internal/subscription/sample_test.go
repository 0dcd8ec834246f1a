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

// filtered sets the filter.
func filtered(trigger ua.DataChangeTrigger, kind ua.DeadbandType, deadband float64) func(*createRequest) {
	return func(r *createRequest) { r.RequestedParameters.Filter = changeFilter(trigger, kind, deadband) }
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
		revised := s.create(id, want(clock, every(250)))[0]
		require.Equal(t, ua.StatusOK, revised.StatusCode)
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
		if revised.RevisedSamplingInterval == 250 {
			assert.Equal(t, []time.Duration{0, 300 * ms, 500 * ms, 800 * ms, 1000 * ms}, got)
		} else { // the space gives it a slower pace
			assert.Equal(t, []time.Duration{0, 1000 * ms}, got)
		}
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

func TestPartsOfValuesAreMonitored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		r.store(list, []int32{1, 2, 3, 4})
		s.monitor(s.subscribe(), want(list, func(r *createRequest) { r.ItemToMonitor.IndexRange = "1:2" }))
		r.store(list, []int32{9, 2, 3, 9}) // the part is the same
		r.store(list, []int32{9, 2, 8, 9})
		r.store(list, []int32{9}) // there is no such part
		r.space.Find(list).Store(&ua.DataValue{Status: ua.StatusBadNoCommunication})
		s.publish(1)
		time.Sleep(100 * ms)
		got := s.one()
		got.assertEncodes(t)
		assert.Equal(t, []any{[]int32{2, 3}, []int32{2, 8}, ua.StatusBadIndexRangeNoData, ua.StatusBadNoCommunication}, got.values())
	})
}

func TestDeadbandsCompareWithTheLastQueuedValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		r.store(speed, 0.0)
		s.monitor(id, want(speed, filtered(ua.DataChangeTriggerStatusValue, ua.DeadbandTypePercent, 1))) // of 200: 2
		for _, v := range []float64{1, 2, 2.1, 1, 0.2, 0, 4} {
			r.store(speed, v)
		}
		s.publish(2)
		time.Sleep(100 * ms)
		assert.Equal(t, []any{0.0, 2.1, 0.0, 4.0}, s.one().values())
		r.store(list, []int32{0, 0})
		s.monitor(id, want(list, filtered(ua.DataChangeTriggerStatusValue, ua.DeadbandTypeAbsolute, 5)))
		r.store(list, []int32{5, 5})
		r.store(list, []int32{5, 6})
		time.Sleep(100 * ms)
		assert.Equal(t, []any{[]int32{0, 0}, []int32{5, 6}}, s.one().values())
	})
}

func TestFullQueueTellsOfWhatWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		r.store(speed, 0.0)
		queue := func(size uint32, oldest bool) func(*createRequest) {
			return func(r *createRequest) {
				r.RequestedParameters.QueueSize, r.RequestedParameters.DiscardOldest = size, oldest
			}
		}
		s.create(id, want(speed, queue(2, true)), want(speed, queue(2, false)), want(speed, queue(1, true)))
		for i := range 4 {
			r.store(speed, float64(i+1))
		}
		s.publish(1)
		time.Sleep(100 * ms)
		got := s.one()
		got.assertEncodes(t)
		assert.Equal(t, []any{3.0, 4.0, 0.0, 4.0, 4.0}, got.values())
		var statuses []ua.StatusCode
		for _, c := range got.changes() {
			statuses = append(statuses, c.Value.Status)
		}
		assert.Equal(t, []ua.StatusCode{0x480, 0, 0, 0x480, 0}, statuses)
		assert.True(t, got.changes()[0].Value.Has(ua.DataValueStatusCode))
	})
}

func TestTimestampsAreThoseAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		measured := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		r.space.Find(speed).Store(&ua.DataValue{Value: ua.MustVariant(1.0), SourceTimestamp: measured, SourcePicoseconds: 5})
		for _, ts := range []ua.TimestampsToReturn{0, 1, 2, 3} {
			_, status := s.CreateItems(&ua.CreateMonitoredItemsRequest{
				SubscriptionID: id, TimestampsToReturn: ts, ItemsToCreate: []*createRequest{want(speed)}})
			require.Equal(t, ua.StatusOK, status)
		}
		s.publish(1)
		time.Sleep(100 * ms)
		const source, server = ua.DataValueSourceTimestamp | ua.DataValueSourcePicoseconds, ua.DataValueServerTimestamp
		got := s.one().changes()
		require.Len(t, got, 4)
		for i, want := range []byte{source, server, source | server, 0} {
			v := got[i].Value
			assert.Equal(t, ua.DataValueValue|want, v.EncodingMask, i)
			if want&source != 0 {
				assert.True(t, measured.Equal(v.SourceTimestamp))
			}
			if want&server != 0 {
				assert.True(t, s.opened.Equal(v.ServerTimestamp))
			}
		}
	})
}

func TestADeletedItemSaysNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		gone := s.monitor(id, want(speed))
		s.monitor(id, want(level))
		_, status := s.DeleteItems(&ua.DeleteMonitoredItemsRequest{SubscriptionID: id, MonitoredItemIDs: []uint32{gone}})
		require.Equal(t, ua.StatusOK, status)
		r.store(speed, 1.0)
		r.store(level, int64(2))
		s.publish(1)
		time.Sleep(100 * ms)
		assert.Equal(t, []any{ua.StatusBadWaitingForInitialData, int64(2)}, s.one().values())
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

// An item that comes and goes while nothing is published must not stay in the lists.
func TestListsAreBoundedByTheItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.PublishingEnabled = false })
		s.monitor(id, want(level))
		for range 1000 {
			item := s.monitor(id, want(speed, every(50)))
			r.store(speed, 1.0)
			r.store(speed, 2.0)
			_, status := s.DeleteItems(&ua.DeleteMonitoredItemsRequest{SubscriptionID: id, MonitoredItemIDs: []uint32{item}})
			require.Equal(t, ua.StatusOK, status)
		}
		a := &r.m.find(id).samples
		assert.Less(t, cap(a.ready), 20)
		assert.Less(t, cap(a.held), 20)
	})
}
