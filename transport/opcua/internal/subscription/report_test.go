package subscription

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// filtered sets the filter.
func filtered(trigger ua.DataChangeTrigger, kind ua.DeadbandType, deadband float64) func(*createRequest) {
	return func(r *createRequest) { r.RequestedParameters.Filter = changeFilter(trigger, kind, deadband) }
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
