package subscription

import (
	"fmt"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

// BenchmarkItems makes and deletes as many items as one request may have, all of one node.
func BenchmarkItems(b *testing.B) {
	r := newRig(b, Options{})
	s := r.open("ann")
	id := s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.RequestedPublishingInterval = 3600e3 })
	for b.Loop() {
		items := make([]*createRequest, maxOperations)
		for i := range items {
			items[i] = want(speed)
		}
		var ids []uint32
		for _, c := range s.create(id, items...) {
			ids = append(ids, c.MonitoredItemID)
		}
		_, status := s.DeleteItems(&ua.DeleteMonitoredItemsRequest{SubscriptionID: id, MonitoredItemIDs: ids})
		require.Equal(b, ua.StatusOK, status)
	}
}

// BenchmarkStore is what a change costs, by the number of items that hear of it.
func BenchmarkStore(b *testing.B) {
	for _, n := range []int{0, 1, 100} {
		b.Run(fmt.Sprint("items=", n), func(b *testing.B) {
			r := newRig(b, Options{})
			s := r.open("ann")
			id := s.subscribe(func(r *ua.CreateSubscriptionRequest) { r.RequestedPublishingInterval = 3600e3 })
			for range n {
				s.monitor(id, want(speed))
			}
			node := r.space.Find(speed)
			values := [2]*ua.Variant{ua.MustVariant(1.0), ua.MustVariant(2.0)}
			now := time.Now()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				node.Store(&ua.DataValue{Value: values[i%2], SourceTimestamp: now})
			}
		})
	}
}
