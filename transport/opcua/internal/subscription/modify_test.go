package subscription

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQueuesTogetherAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{MaxQueued: 15})
		s := r.open("ann")
		id := s.subscribe()
		sizes := func() (out []uint32) {
			for _, c := range s.create(id, want(speed), want(speed), want(speed)) {
				out = append(out, c.RevisedQueueSize)
			}
			return out
		}
		assert.Equal(t, []uint32{10, 1, 1}, sizes())
		m, status := s.ModifyItems(&ua.ModifyMonitoredItemsRequest{SubscriptionID: id, ItemsToModify: []*ua.MonitoredItemModifyRequest{
			{MonitoredItemID: 1, RequestedParameters: &ua.MonitoringParameters{QueueSize: 2}},
			{MonitoredItemID: 2, RequestedParameters: &ua.MonitoringParameters{QueueSize: 15}},
		}})
		require.Equal(t, ua.StatusOK, status)
		assert.Equal(t, uint32(2), m.Results[0].RevisedQueueSize)
		assert.Equal(t, uint32(15), m.Results[1].RevisedQueueSize)
		assert.Equal(t, int64(15), r.m.queued.used.Load())
	})
}

func TestModifyChecksEachItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		id := s.subscribe()
		item := s.monitor(id, want(text))
		m, status := s.ModifyItems(&ua.ModifyMonitoredItemsRequest{SubscriptionID: id, ItemsToModify: []*ua.MonitoredItemModifyRequest{
			nil,
			{MonitoredItemID: item},
			{MonitoredItemID: item + 1, RequestedParameters: &ua.MonitoringParameters{}},
			{MonitoredItemID: item, RequestedParameters: &ua.MonitoringParameters{Filter: changeFilter(1, ua.DeadbandTypeAbsolute, 1)}},
			{MonitoredItemID: item, RequestedParameters: &ua.MonitoringParameters{SamplingInterval: 70, QueueSize: 4}},
		}})
		require.Equal(t, ua.StatusOK, status)
		var got []ua.StatusCode
		for _, r := range m.Results {
			got = append(got, r.StatusCode)
			assert.NotNil(t, r.FilterResult)
		}
		assert.Equal(t, []ua.StatusCode{ua.StatusBadStructureMissing, ua.StatusBadStructureMissing,
			ua.StatusBadMonitoredItemIDInvalid, ua.StatusBadFilterNotAllowed, ua.StatusOK}, got)
		assert.Equal(t, 70.0, m.Results[4].RevisedSamplingInterval)
		assert.Equal(t, uint32(4), m.Results[4].RevisedQueueSize)
	})
}

func TestModifyAppliesToWhatIsQueuedAndHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		item := s.monitor(id, want(speed, func(r *createRequest) { r.RequestedParameters.SamplingInterval = 5000 }))
		modify := func(p *ua.MonitoringParameters) {
			m, status := s.ModifyItems(&ua.ModifyMonitoredItemsRequest{
				SubscriptionID: id, TimestampsToReturn: ua.TimestampsToReturnNeither,
				ItemsToModify: []*ua.MonitoredItemModifyRequest{{MonitoredItemID: item, RequestedParameters: p}},
			})
			require.Equal(t, ua.StatusOK, status)
			require.Equal(t, ua.StatusOK, m.Results[0].StatusCode)
		}
		r.store(speed, 1.0)
		modify(&ua.MonitoringParameters{ClientHandle: 8, SamplingInterval: 50, QueueSize: 10})
		s.publish(2)
		time.Sleep(100 * ms)
		got := s.one()
		assert.Equal(t, []any{ua.StatusBadWaitingForInitialData, 1.0}, got.values(), "sampled at the new instant")
		assert.Equal(t, uint32(8), got.changes()[1].ClientHandle)
		assert.Zero(t, got.changes()[1].Value.ServerTimestamp)
		modify(&ua.MonitoringParameters{SamplingInterval: 5000, QueueSize: 1})
		r.store(speed, 2.0)
		modify(&ua.MonitoringParameters{SamplingInterval: 0, QueueSize: 1})
		time.Sleep(100 * ms)
		assert.Equal(t, []any{2.0}, s.one().values(), "each change, also the one that waited for its instant")
	})
}

func TestMonitoringModes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		r.store(speed, 1.0)
		item := s.monitor(id, want(speed, func(r *createRequest) { r.MonitoringMode = ua.MonitoringModeDisabled }))
		set := func(mode ua.MonitoringMode) {
			m, status := s.SetMonitoringMode(&ua.SetMonitoringModeRequest{
				SubscriptionID: id, MonitoringMode: mode, MonitoredItemIDs: []uint32{item, item + 1}})
			require.Equal(t, ua.StatusOK, status)
			require.Equal(t, []ua.StatusCode{ua.StatusOK, ua.StatusBadMonitoredItemIDInvalid}, m.Results)
		}
		next := func() []any {
			s.publish(1)
			time.Sleep(300 * ms) // at least a keep-alive
			return s.one().values()
		}
		assert.Empty(t, next(), "disabled: nothing is sampled")
		set(ua.MonitoringModeSampling)
		r.store(speed, 2.0)
		assert.Empty(t, next(), "sampled, but not reported")
		set(ua.MonitoringModeReporting)
		assert.Equal(t, []any{1.0, 2.0}, next(), "what was sampled is reported now")
		set(ua.MonitoringModeReporting)
		assert.Empty(t, next(), "no change of mode, no new sample")
		r.store(speed, 3.0)
		set(ua.MonitoringModeSampling)
		assert.Empty(t, next(), "what was to be reported waits")
		set(ua.MonitoringModeDisabled)
		r.store(speed, 4.0)
		set(ua.MonitoringModeReporting)
		assert.Equal(t, []any{4.0}, next(), "what waited is gone, the value that holds is sampled")
		set(ua.MonitoringModeDisabled)
		set(ua.MonitoringModeReporting)
		assert.Equal(t, []any{4.0}, next(), "sampled again, although it is the same")
	})
}
