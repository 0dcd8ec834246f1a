package subscription

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type createRequest = ua.MonitoredItemCreateRequest

func TestItemsAreCheckedOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		id := s.subscribe()
		attribute := func(n *ua.NodeID, a ua.AttributeID) *createRequest {
			return want(n, func(r *createRequest) { r.ItemToMonitor.AttributeID = a })
		}
		tests := map[string]struct {
			item   *createRequest
			status ua.StatusCode
		}{
			"value":           {want(speed), ua.StatusOK},
			"live value":      {want(clock), ua.StatusOK},
			"attribute":       {attribute(plant, ua.AttributeIDDisplayName), ua.StatusOK},
			"unknown node":    {want(unknown), ua.StatusBadNodeIDUnknown},
			"no value":        {want(plant), ua.StatusBadAttributeIDInvalid},
			"no attribute":    {attribute(speed, 99), ua.StatusBadAttributeIDInvalid},
			"zero attribute":  {attribute(speed, 0), ua.StatusBadAttributeIDInvalid},
			"events":          {attribute(plant, ua.AttributeIDEventNotifier), ua.StatusBadMonitoredItemFilterUnsupported},
			"events of none":  {attribute(speed, ua.AttributeIDEventNotifier), ua.StatusBadAttributeIDInvalid},
			"range of a list": {want(list, func(r *createRequest) { r.ItemToMonitor.IndexRange = "1:2" }), ua.StatusOK},
			"bad range":       {want(list, func(r *createRequest) { r.ItemToMonitor.IndexRange = "2:1" }), ua.StatusBadIndexRangeInvalid},
			"encoding of a number": {want(speed, func(r *createRequest) { r.ItemToMonitor.DataEncoding.Name = "Default XML" }),
				ua.StatusBadDataEncodingInvalid},
			"unknown mode": {want(speed, func(r *createRequest) { r.MonitoringMode = 3 }), ua.StatusBadMonitoringModeInvalid},
			"filter of a text": {want(text, func(r *createRequest) {
				r.RequestedParameters.Filter = changeFilter(1, ua.DeadbandTypeAbsolute, 1)
			}), ua.StatusBadFilterNotAllowed},
			"nothing":       {nil, ua.StatusBadStructureMissing},
			"no parameters": {&createRequest{ItemToMonitor: &ua.ReadValueID{}}, ua.StatusBadStructureMissing},
			"no node id":    {want(nil), ua.StatusBadNodeIDInvalid},
		}
		for name, test := range tests {
			got := s.create(id, test.item)[0]
			assert.Equal(t, test.status, got.StatusCode, name)
			assert.Equal(t, test.status == ua.StatusOK, got.MonitoredItemID != 0, name)
			assert.NotNil(t, got.FilterResult, name)
		}
	})
}

func TestAValueThatIsBadForAReasonOfItsOwnIsMonitored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		r.space.Find(speed).Store(&ua.DataValue{Status: ua.StatusBadAttributeIDInvalid})
		s.monitor(s.subscribe(), want(speed))
		s.publish(1)
		time.Sleep(100 * ms)
		assert.Equal(t, []any{ua.StatusBadAttributeIDInvalid}, s.one().values())
	})
}

func TestItemServicesCheckTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		id := s.subscribe()
		services := map[string]func(subscription uint32, n int, ts ua.TimestampsToReturn) ua.StatusCode{
			"create": func(subscription uint32, n int, ts ua.TimestampsToReturn) ua.StatusCode {
				_, status := s.CreateItems(&ua.CreateMonitoredItemsRequest{
					SubscriptionID: subscription, TimestampsToReturn: ts, ItemsToCreate: make([]*createRequest, n)})
				return status
			},
			"modify": func(subscription uint32, n int, ts ua.TimestampsToReturn) ua.StatusCode {
				_, status := s.ModifyItems(&ua.ModifyMonitoredItemsRequest{
					SubscriptionID: subscription, TimestampsToReturn: ts, ItemsToModify: make([]*ua.MonitoredItemModifyRequest, n)})
				return status
			},
			"delete": func(subscription uint32, n int, _ ua.TimestampsToReturn) ua.StatusCode {
				_, status := s.DeleteItems(&ua.DeleteMonitoredItemsRequest{
					SubscriptionID: subscription, MonitoredItemIDs: make([]uint32, n)})
				return status
			},
			"mode": func(subscription uint32, n int, _ ua.TimestampsToReturn) ua.StatusCode {
				_, status := s.SetMonitoringMode(&ua.SetMonitoringModeRequest{
					SubscriptionID: subscription, MonitoredItemIDs: make([]uint32, n)})
				return status
			},
		}
		for name, call := range services {
			assert.Equal(t, ua.StatusBadNothingToDo, call(id, 0, 0), name)
			assert.Equal(t, ua.StatusBadTooManyOperations, call(id, 10_001, 0), name)
			assert.Equal(t, ua.StatusBadSubscriptionIDInvalid, call(id+1, 1, 0), name)
			assert.Equal(t, ua.StatusOK, call(id, 1, 0), name)
			if name == "create" || name == "modify" {
				assert.Equal(t, ua.StatusBadTimestampsToReturnInvalid, call(id, 1, 4), name)
			}
		}
		_, status := s.SetMonitoringMode(&ua.SetMonitoringModeRequest{SubscriptionID: id, MonitoringMode: 3, MonitoredItemIDs: []uint32{1}})
		assert.Equal(t, ua.StatusBadMonitoringModeInvalid, status)
	})
}

func TestItemParametersAreRevised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{MaxQueueSize: 20})
		s := r.open("ann")
		id := s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.RequestedPublishingInterval = 200 })
		tests := map[string]struct {
			node         *ua.NodeID
			sampling     float64
			queue        uint32
			wantSampling float64
			wantQueue    uint32
		}{
			"kept":                            {speed, 50, 5, 50, 5},
			"publishing interval":             {speed, -1, 1, 200, 1},
			"each change, default queue":      {speed, 0, 0, 0, 1},
			"node is slower, queue too large": {slow, 0, 1 << 31, 1000, 20},
			"live: at the publishing tick":    {clock, 0, 1, 200, 1},
			"live: not that fast":             {clock, 150, 1, 200, 1},
			"live: slower":                    {clock, 5000, 1, 5000, 1},
		}
		for name, test := range tests {
			got := s.create(id, want(test.node, func(r *createRequest) {
				r.RequestedParameters.SamplingInterval, r.RequestedParameters.QueueSize = test.sampling, test.queue
			}))[0]
			assert.Equal(t, ua.StatusOK, got.StatusCode, name)
			assert.Equal(t, test.wantSampling, got.RevisedSamplingInterval, name)
			assert.Equal(t, test.wantQueue, got.RevisedQueueSize, name)
		}
	})
}

func TestItemsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{MaxItems: 3, MaxItemsPerSubscription: 2})
		s := r.open("ann")
		one, other := s.subscribe(), s.subscribe()
		statuses := func(subscription uint32, n int) (out []ua.StatusCode) {
			for range n {
				out = append(out, s.create(subscription, want(speed))[0].StatusCode)
			}
			return out
		}
		full := ua.StatusBadTooManyMonitoredItems
		assert.Equal(t, []ua.StatusCode{ua.StatusOK, ua.StatusOK, full}, statuses(one, 3))
		assert.Equal(t, []ua.StatusCode{ua.StatusOK, full}, statuses(other, 2))
		m, status := s.DeleteItems(&ua.DeleteMonitoredItemsRequest{SubscriptionID: one, MonitoredItemIDs: []uint32{1, 1, 9}})
		require.Equal(t, ua.StatusOK, status)
		assert.Equal(t, []ua.StatusCode{ua.StatusOK, ua.StatusBadMonitoredItemIDInvalid, ua.StatusBadMonitoredItemIDInvalid}, m.Results)
		assert.Equal(t, []ua.StatusCode{ua.StatusOK, full}, statuses(other, 2))
		_, status = s.Delete(&ua.DeleteSubscriptionsRequest{SubscriptionIDs: []uint32{one, other}})
		require.Equal(t, ua.StatusOK, status)
		assert.Zero(t, r.m.items.used.Load())
		assert.Zero(t, r.m.queued.used.Load())
		assert.Zero(t, r.m.queuedBytes.used.Load())
	})
}

func TestItemIDsAreNotReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRig(t, Options{}).open("ann")
		id := s.subscribe()
		seen := map[uint32]bool{}
		for range 20 {
			item := s.monitor(id, want(speed))
			assert.False(t, seen[item])
			seen[item] = true
			_, status := s.DeleteItems(&ua.DeleteMonitoredItemsRequest{SubscriptionID: id, MonitoredItemIDs: []uint32{item}})
			require.Equal(t, ua.StatusOK, status)
		}
	})
}

// Ids decoded from a request share its memory. An item that kept one would keep the whole request,
// of which everything but the item may be garbage.
func TestItemsDoNotKeepTheirRequests(t *testing.T) {
	const requests, garbage, allowed = 40, 1 << 20, 8 << 20
	r := newRig(t, Options{})
	s := r.open("ann")
	id := s.subscribe()
	other := want(plant, func(r *createRequest) {
		r.ItemToMonitor.AttributeID, r.ItemToMonitor.IndexRange = ua.AttributeIDDisplayName, "0"
	})
	before := heap()
	for range requests {
		body, err := ua.Encode(&ua.CreateMonitoredItemsRequest{
			RequestHeader:  &ua.RequestHeader{AuthenticationToken: ua.NewTwoByteNodeID(0), AdditionalHeader: ua.NewExtensionObject(nil)},
			SubscriptionID: id,
			ItemsToCreate:  []*createRequest{want(speed), other, want(ua.NewStringNodeID(1, strings.Repeat("x", garbage)))},
		})
		require.NoError(t, err)
		var request ua.CreateMonitoredItemsRequest
		_, err = ua.Decode(body, &request)
		require.NoError(t, err)
		m, status := s.CreateItems(&request)
		require.Equal(t, ua.StatusOK, status)
		assert.Equal(t, ua.StatusOK, m.Results[0].StatusCode)
		assert.Equal(t, ua.StatusOK, m.Results[1].StatusCode)
		assert.Equal(t, ua.StatusBadNodeIDUnknown, m.Results[2].StatusCode)
	}
	assert.Less(t, heap()-before, int64(allowed))
	assert.EqualValues(t, 2*requests, r.m.items.used.Load())
}

// heap is how much memory is in use.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers and pools held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
