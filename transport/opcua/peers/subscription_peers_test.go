//go:build peers

package peers

import (
	"crypto/subtle"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua"
)

// node-opcua's own subscription, which publishes by itself: values first, changes by a Write and by what
// comes over MQTT, and keep-alives when nothing does.
func TestSubscriptionOfTheClient(t *testing.T) {
	p := newPlant(t)
	p.respond("speed", echo)
	c := p.connect(dial{})
	c.do("subscribe", map[string]any{"interval": 50, "keepAliveCount": 3, "nodes": []string{node("counter"), node("speed")}}, nil)
	next := func(path string, want any) {
		t.Helper()
		e := c.next("changed")
		require.Equal(t, node(path), e.Node)
		require.Equal(t, "Good", e.Value.StatusCode)
		require.EqualValues(t, want, e.Value.Value.Value)
	}
	first := map[string]any{}
	for range 2 {
		e := c.next("changed")
		first[e.Node] = e.Value.Value.Value
	}
	sameJSON(t, map[string]any{node("counter"): 7, node("speed"): 1.5}, first)
	require.Equal(t, "Good", c.write("speed", double(8)))
	next("speed", 8)
	p.provide("counter", "9")
	next("counter", 9)
	c.next("keepalive")
	c.next("keepalive")
	p.provide("counter", "10")
	next("counter", 10)
}

// What differs by no more than the deadband from what was last reported is not reported. A second
// item, without a deadband, tells that a value was seen at all.
func TestDeadband(t *testing.T) {
	p := newPlant(t)
	c := p.connect(dial{})
	s := c.subscribe(50*time.Millisecond, 1000)
	require.Equal(t, "Good", c.monitorAs(s, 1, absolute(10), "counter").StatusCode)
	require.Equal(t, "Good", c.monitorAs(s, 2, nil, "counter").StatusCode)
	var reported []any
	reported = append(reported, c.reports(2, 7)...)
	for _, value := range []string{"17", "18", "20", "28", "29", "19", "18", "100"} {
		p.provide("counter", value)
		reported = append(reported, c.reports(2, value)...)
	}
	if len(reported) < 5 { // the item's last report may come one interval after the other's
		c.reports(1, 100)
		reported = append(reported, 100)
	}
	require.Equal(t, "[7 18 29 18 100]", fmt.Sprint(reported))
	for _, wrong := range []struct {
		path   string
		filter map[string]any
		status []string
	}{
		{"fixed", absolute(1), []string{"BadFilterNotAllowed"}},
		{"counter", absolute(-1), []string{"BadDeadbandFilterInvalid", "BadMonitoredItemFilterInvalid"}},
		{"nowhere", nil, []string{"BadNodeIdUnknown"}},
	} {
		require.Contains(t, wrong.status, c.monitorAs(s, 3, wrong.filter, wrong.path).StatusCode, wrong.path)
	}
}

// A subscription with nothing to tell says so every few intervals, with the number that the next
// message will have (OPC 10000-4, 5.14.1.1).
func TestKeepAlive(t *testing.T) {
	p := newPlant(t)
	c := p.connect(dial{})
	s := c.subscribe(50*time.Millisecond, 4)
	began := time.Now()
	first := c.publish()
	require.Equal(t, s, first.SubscriptionID)
	require.Empty(t, first.NotificationMessage.NotificationData)
	require.EqualValues(t, 1, first.NotificationMessage.SequenceNumber)
	second := c.publish()
	require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
	require.EqualValues(t, 1, second.NotificationMessage.SequenceNumber)
	c.monitor(s, "counter")
	third := c.publish()
	require.EqualValues(t, 1, third.NotificationMessage.SequenceNumber)
	require.Len(t, third.NotificationMessage.values(), 1)
}

// What was not acknowledged can be had again, and what was cannot.
func TestRepublish(t *testing.T) {
	p := newPlant(t)
	c := p.connect(dial{})
	s := c.subscribe(50*time.Millisecond, 1000)
	c.monitor(s, "counter")
	first := c.publish()
	n := first.NotificationMessage.SequenceNumber
	require.Equal(t, []uint32{n}, first.AvailableSequenceNumbers)
	again := func() (string, notification) {
		var raw rawResponse
		c.send(request{Service: "Republish", Fields: map[string]any{"subscriptionId": s, "retransmitSequenceNumber": n}}).response(&raw)
		var got struct{ NotificationMessage notification }
		raw.into(t, &got)
		return raw.header(t).ServiceResult, got.NotificationMessage
	}
	status, message := again()
	require.Equal(t, "Good", status)
	require.Equal(t, first.NotificationMessage, message)

	p.provide("counter", "8")
	second := c.publish(acknowledgement{s, n}, acknowledgement{s, n + 77}, acknowledgement{s + 77, n})
	require.Equal(t, []string{"Good", "BadSequenceNumberUnknown", "BadSubscriptionIdInvalid"}, second.Results)
	require.Equal(t, n+1, second.NotificationMessage.SequenceNumber)
	require.Equal(t, []uint32{n + 1}, second.AvailableSequenceNumbers)
	status, _ = again()
	require.Equal(t, "BadMessageNotAvailable", status)
}

// A subscription can go to another session of the same user, and to no other.
func TestTransfer(t *testing.T) {
	p := newPlant(t, func(o *opcua.Options) {
		o.Anonymous = false
		o.Login = func(u, pw string) bool { return subtle.ConstantTimeCompare([]byte(pw), []byte(password)) == 1 }
	})
	connect := func(name string) *client { return p.connect(dial{User: name, Password: password}) }
	first, second, stranger := connect(user), connect(user), connect("somebody else")
	s := first.subscribe(50*time.Millisecond, 1000)
	first.monitor(s, "counter")
	require.Equal(t, []any{7.0}, first.publish().NotificationMessage.values())

	transfer := func(c *client, id uint32) (got []struct{ StatusCode string }) {
		var response struct{ Results []struct{ StatusCode string } }
		c.ask("TransferSubscriptions", map[string]any{"subscriptionIds": []uint32{id}, "sendInitialValues": true}, &response)
		return response.Results
	}
	require.Equal(t, "BadUserAccessDenied", transfer(stranger, s)[0].StatusCode)
	require.Equal(t, "BadSubscriptionIdInvalid", transfer(stranger, s+77)[0].StatusCode)
	left := first.startPublish()
	require.Equal(t, "Good", transfer(second, s)[0].StatusCode)
	require.Equal(t, []any{7.0}, second.collect(7), "the initial value")
	p.provide("counter", "8")
	require.Equal(t, []any{8.0}, second.collect(8))
	told := left.published()
	require.Equal(t, "Good", told.ResponseHeader.ServiceResult)
	require.Equal(t, "GoodSubscriptionTransferred", told.NotificationMessage.NotificationData[0].Status)
	require.Equal(t, "BadNoSubscription", first.startPublish().published().ResponseHeader.ServiceResult)
}

func TestModifySubscription(t *testing.T) {
	p := newPlant(t)
	c := p.connect(dial{})
	s := c.subscribe(50*time.Millisecond, 2)
	item := c.monitor(s, "counter")
	require.Equal(t, []any{7.0}, c.collect(7))

	set := func(mode int) {
		t.Helper()
		var got struct{ Results []string }
		c.ask("SetMonitoringMode", map[string]any{"subscriptionId": s, "monitoringMode": mode, "monitoredItemIds": []uint32{item.MonitoredItemID, 1 << 30}}, &got)
		require.Equal(t, []string{"Good", "BadMonitoredItemIdInvalid"}, got.Results)
	}
	set(0) // disabled
	p.provide("counter", "8")
	c.quiet()
	set(2) // reporting
	require.Equal(t, []any{8.0}, c.collect(8))

	publishing := func(on bool) {
		t.Helper()
		var got struct{ Results []string }
		c.ask("SetPublishingMode", map[string]any{"publishingEnabled": on, "subscriptionIds": []uint32{s, s + 77}}, &got)
		require.Equal(t, []string{"Good", "BadSubscriptionIdInvalid"}, got.Results)
	}
	publishing(false)
	p.provide("counter", "9")
	c.quiet()
	publishing(true)
	require.Equal(t, []any{9.0}, c.collect(9))

	var revised struct{ RevisedPublishingInterval float64 }
	c.ask("ModifySubscription", map[string]any{"subscriptionId": s, "requestedPublishingInterval": 100, "requestedLifetimeCount": 300, "requestedMaxKeepAliveCount": 2}, &revised)
	require.EqualValues(t, 100, revised.RevisedPublishingInterval)

	// A queue of two keeps the newest two.
	var modified struct{ Results []monitored }
	c.ask("ModifyMonitoredItems", map[string]any{"subscriptionId": s, "timestampsToReturn": 2, "itemsToModify": []any{map[string]any{
		"monitoredItemId": item.MonitoredItemID, "requestedParameters": map[string]any{"clientHandle": 1, "samplingInterval": 0, "queueSize": 2, "discardOldest": true},
	}}}, &modified)
	require.Equal(t, "Good", modified.Results[0].StatusCode)
	require.EqualValues(t, 2, modified.Results[0].RevisedQueueSize)
	c.quiet()
	second := c.monitorAs(s, 2, nil, "counter") // tells when a value was seen
	set(1)                                      // sampling: values queue, and are not reported
	require.Empty(t, c.reports(2, 9))
	for _, value := range []string{"10", "11", "12"} {
		p.provide("counter", value)
		require.Empty(t, c.reports(2, value))
	}
	set(2)
	require.Equal(t, []any{11.0, 12.0}, c.collect(12))

	var deleted struct{ Results []string }
	c.ask("DeleteMonitoredItems", map[string]any{"subscriptionId": s, "monitoredItemIds": []uint32{item.MonitoredItemID, second.MonitoredItemID, item.MonitoredItemID}}, &deleted)
	require.Equal(t, []string{"Good", "Good", "BadMonitoredItemIdInvalid"}, deleted.Results)
	p.provide("counter", "13")
	c.quiet()
	c.ask("DeleteSubscriptions", map[string]any{"subscriptionIds": []uint32{s, s}}, &deleted)
	require.Equal(t, []string{"Good", "BadSubscriptionIdInvalid"}, deleted.Results)
	require.Equal(t, "BadNoSubscription", c.startPublish().published().ResponseHeader.ServiceResult)
}
