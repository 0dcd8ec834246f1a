package opcua_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// Values that change while a client's connection is lost are told when its session is taken up
// over another one: none goes to the Publish requests that waited on the lost one.
func TestNothingIsToldToALostConnection(t *testing.T) {
	counter := &opcua.Node{Class: opcua.Variable, BrowseName: "Counter", DataType: typeOf(t, "Int32"), Initial: []byte("0")}
	var method *opcua.Node
	h := build(t, func(h *house, o *opcua.Options) {
		method = echo(h, o)
		o.Root.Children = append(o.Root.Children, counter)
	})
	requests := h.held(method)

	old, witness := h.client(nil), h.login(nil)
	session, err := old.Login(h.ctx, rawclient.Identity{}, time.Minute)
	require.NoError(t, err)
	for _, c := range []*rawclient.Client{old, witness} {
		id := ask[*ua.CreateSubscriptionResponse](h, c, &ua.CreateSubscriptionRequest{
			RequestedPublishingInterval: 20, RequestedLifetimeCount: 10_000, RequestedMaxKeepAliveCount: 1000, PublishingEnabled: true,
		}).SubscriptionID
		ask[*ua.CreateMonitoredItemsResponse](h, c, &ua.CreateMonitoredItemsRequest{
			SubscriptionID: id, ItemsToCreate: []*ua.MonitoredItemCreateRequest{monitored(ua.NewStringNodeID(1, "Press.Counter"), 0)},
		})
		require.Equal(t, []int32{0}, told(h, c))
	}
	for range 3 {
		_, err = old.Send(&ua.PublishRequest{})
		require.NoError(t, err)
	}
	_, err = old.Send(call("Press", "Press.Ask", "4711")) // tells us when the loss was noticed
	require.NoError(t, err)
	next(h, requests, "the Call")
	old.Abort()
	require.Eventually(t, func() bool { return h.engine.Held() == 0 }, patience, time.Millisecond)
	for _, v := range []int32{1, 2} { // the second tells the witness that a whole interval has passed
		require.NoError(t, h.server.Provide(counter, fmt.Append(nil, v)))
		require.Equal(t, []int32{v}, told(h, witness))
	}

	fresh := h.client(nil)
	require.NoError(t, fresh.Activate(h.ctx, session, rawclient.Identity{}))
	require.Equal(t, []int32{1, 2}, told(h, fresh))
}

// told is what the next Publish tells of Int32 values.
func told(h *house, c *rawclient.Client) (values []int32) {
	h.t.Helper()
	message := ask[*ua.PublishResponse](h, c, &ua.PublishRequest{}).NotificationMessage
	for _, data := range message.NotificationData {
		for _, item := range data.Value.(*ua.DataChangeNotification).MonitoredItems {
			values = append(values, item.Value.Value.Value().(int32))
		}
	}
	return values
}
