package subscription

import (
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEverythingAtOnce is for the race detector, and for locks that wait for each other: values
// change, cycles end, and clients do all they can, at the same time.
func TestEverythingAtOnce(t *testing.T) {
	r := newRig(t, Options{MinInterval: time.Millisecond, MaxPublishRequests: 5})
	var open atomic.Int64 // requests without answer
	var wg sync.WaitGroup
	stop := time.Now().Add(700 * time.Millisecond)
	loop := func(step func(random *rand.Rand)) {
		random := rand.New(rand.NewPCG(rand.Uint64(), 0))
		wg.Go(func() {
			for i := 0; i < 100_000 && time.Now().Before(stop); i++ {
				step(random)
			}
		})
	}
	for _, n := range []*ua.NodeID{speed, level, list} {
		loop(func(random *rand.Rand) {
			switch n {
			case speed:
				r.store(n, random.Float64())
			case level:
				r.store(n, random.Int64())
			default:
				r.store(n, []int32{random.Int32()})
			}
		})
	}
	var shared sync.Map // ids of subscriptions
	for range 3 {
		c := &chaos{t: t, rig: r, open: &open, shared: &shared}
		c.login()
		loop(c.step)
	}
	wg.Wait()
	r.m.mu.Lock()
	owners := maps.Clone(r.m.owners)
	r.m.mu.Unlock()
	for o := range owners {
		o.Close(true)
	}
	require.Eventually(t, func() bool { return open.Load() == 0 }, 5*time.Second, time.Millisecond,
		"each request is answered exactly once")
	r.m.Close()
	assert.Zero(t, r.m.items.used.Load())
	assert.Zero(t, r.m.queued.used.Load())
	assert.Zero(t, r.m.queuedBytes.used.Load())
	assert.Zero(t, r.m.retained.used.Load())
	assert.Zero(t, r.m.retainedBytes.used.Load())
}

// TestAnItemNeverGoesBackwards: what Watch returns must not come after a change that it missed.
func TestAnItemNeverGoesBackwards(t *testing.T) {
	r := newRig(t, Options{})
	s := r.open("ann")
	id := s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.RequestedPublishingInterval = 3600e3 })
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	wg.Go(func() {
		for i := 0.0; ; i++ {
			select {
			case <-stop:
				return
			default:
				r.store(speed, i)
			}
		}
	})
	for range 2000 {
		item := s.monitor(id, want(speed, func(r *createRequest) { r.RequestedParameters.QueueSize = 3 }))
		it := r.m.find(id).items[item]
		it.all.mu.Lock()
		for i := 1; i < it.queue.len; i++ {
			before, after := it.queue.at(i-1).value, it.queue.at(i).value
			if before.Status == ua.StatusOK && !assert.Less(t, before.Value.Float(), after.Value.Float()) {
				break
			}
		}
		it.all.mu.Unlock()
		_, status := s.DeleteItems(&ua.DeleteMonitoredItemsRequest{SubscriptionID: id, MonitoredItemIDs: []uint32{item}})
		require.Equal(t, ua.StatusOK, status)
	}
}

// chaos is a client that does anything at any time.
type chaos struct {
	t      *testing.T
	rig    *rig
	owner  atomic.Pointer[Owner]
	open   *atomic.Int64
	shared *sync.Map
}

func (c *chaos) login() { c.owner.Store(c.rig.m.NewOwner("ann")) }

func (c *chaos) any() []uint32 {
	ids := []uint32{0}
	c.shared.Range(func(id, _ any) bool {
		ids[0] = id.(uint32)
		return false
	})
	return ids
}

func (c *chaos) step(random *rand.Rand) {
	o := c.owner.Load()
	nodes := []*ua.NodeID{speed, level, list, clock}
	switch random.IntN(14) {
	case 0:
		m, status := o.Create(&ua.CreateSubscriptionRequest{
			RequestedPublishingInterval: 1 + random.Float64(), RequestedLifetimeCount: 20, RequestedMaxKeepAliveCount: 3,
			MaxNotificationsPerPublish: random.Uint32N(4), PublishingEnabled: true, Priority: uint8(random.Uint32()),
		})
		if status == ua.StatusOK {
			c.shared.Store(m.SubscriptionID, true)
		}
	case 1:
		ids := c.any()
		c.shared.Delete(ids[0])
		_, _ = o.Delete(&ua.DeleteSubscriptionsRequest{SubscriptionIDs: ids})
	case 2, 3:
		for range 5 {
			_, _ = o.CreateItems(&ua.CreateMonitoredItemsRequest{SubscriptionID: c.any()[0], ItemsToCreate: []*createRequest{
				want(nodes[random.IntN(4)], every(random.Float64()*4-1))}})
		}
	case 4:
		_, _ = o.DeleteItems(&ua.DeleteMonitoredItemsRequest{SubscriptionID: c.any()[0], MonitoredItemIDs: []uint32{random.Uint32N(40)}})
	case 5:
		_, _ = o.SetMonitoringMode(&ua.SetMonitoringModeRequest{SubscriptionID: c.any()[0],
			MonitoringMode: ua.MonitoringMode(random.IntN(3)), MonitoredItemIDs: []uint32{random.Uint32N(40)}})
	case 6:
		_, _ = o.ModifyItems(&ua.ModifyMonitoredItemsRequest{SubscriptionID: c.any()[0], ItemsToModify: []*ua.MonitoredItemModifyRequest{
			{MonitoredItemID: random.Uint32N(40), RequestedParameters: &ua.MonitoringParameters{
				SamplingInterval: random.Float64() * 3, QueueSize: random.Uint32N(20)}}}})
	case 7:
		_, _ = o.Transfer(&ua.TransferSubscriptionsRequest{SubscriptionIDs: c.any(), SendInitialValues: random.IntN(2) == 0})
	case 8:
		_, _ = o.Modify(&ua.ModifySubscriptionRequest{SubscriptionID: c.any()[0], RequestedPublishingInterval: 1 + random.Float64()})
	case 9:
		_, _ = o.SetPublishingMode(&ua.SetPublishingModeRequest{SubscriptionIDs: c.any(), PublishingEnabled: random.IntN(4) > 0})
	case 10:
		if random.IntN(10) == 0 {
			o.Close(random.IntN(2) == 0)
			c.login()
		}
	case 11:
		o.CancelPublish(random.Uint32N(10))
	default:
		c.publish(o, random)
	}
}

func (c *chaos) publish(o *Owner, random *rand.Rand) {
	c.open.Add(1)
	var answered atomic.Bool
	acks := []*ua.SubscriptionAcknowledgement{{SubscriptionID: c.any()[0], SequenceNumber: random.Uint32N(20)}}
	r := &ua.PublishRequest{RequestHeader: &ua.RequestHeader{RequestHandle: random.Uint32N(10)}, SubscriptionAcknowledgements: acks}
	o.Publish(r, time.Duration(random.IntN(3))*time.Millisecond, always, func(m *ua.PublishResponse, status ua.StatusCode) {
		c.open.Add(-1)
		assert.False(c.t, answered.Swap(true))
		assert.Equal(c.t, status == ua.StatusOK, m != nil)
	})
}
