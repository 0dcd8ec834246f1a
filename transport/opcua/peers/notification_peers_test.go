//go:build peers

package peers

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"
)

// published is what a Publish brings.
type published struct {
	ResponseHeader           header
	SubscriptionID           uint32
	AvailableSequenceNumbers []uint32
	MoreNotifications        bool
	NotificationMessage      notification
	Results                  []string
}

type notification struct {
	SequenceNumber   uint32
	NotificationData []struct {
		MonitoredItems []struct {
			ClientHandle uint32
			Value        dataValue
		}
		Status string // of a StatusChangeNotification
	}
}

// values are the values of a message, in order.
func (n notification) values() (all []any) {
	for _, data := range n.NotificationData {
		for _, item := range data.MonitoredItems {
			all = append(all, item.Value.Value.Value)
		}
	}
	return all
}

type acknowledgement struct {
	SubscriptionID uint32 `json:"subscriptionId"`
	SequenceNumber uint32 `json:"sequenceNumber"`
}

func (c *client) startPublish(acks ...acknowledgement) *sent {
	c.t.Helper()
	if acks == nil {
		acks = []acknowledgement{}
	}
	return c.send(request{Service: "Publish", Fields: map[string]any{"subscriptionAcknowledgements": acks}})
}

func (s *sent) published() (got published) {
	s.c.t.Helper()
	s.response(&got)
	return got
}

// publish waits for what comes next.
func (c *client) publish(acks ...acknowledgement) published {
	c.t.Helper()
	got := c.startPublish(acks...).published()
	require.Equal(c.t, "Good", got.ResponseHeader.ServiceResult)
	return got
}

// collect publishes until a value comes, and returns all values up to it.
func (c *client) collect(last any) (all []any) {
	c.t.Helper()
	for range 200 {
		got := c.publish()
		all = append(all, got.NotificationMessage.values()...)
		if len(all) > 0 && fmt.Sprint(all[len(all)-1]) == fmt.Sprint(last) {
			return all
		}
	}
	require.Fail(c.t, "a value does not come", "%v in %v", last, all)
	return nil
}

// quiet publishes until a keep-alive comes, which must be the next thing.
func (c *client) quiet() {
	c.t.Helper()
	require.Empty(c.t, c.publish().NotificationMessage.NotificationData)
}

func (c *client) subscribe(interval time.Duration, keepAliveCount int) uint32 {
	c.t.Helper()
	var got struct {
		SubscriptionID                                 uint32
		RevisedPublishingInterval                      float64
		RevisedLifetimeCount, RevisedMaxKeepAliveCount int
	}
	c.ask("CreateSubscription", map[string]any{
		"requestedPublishingInterval": interval.Milliseconds(), "requestedLifetimeCount": 1000,
		"requestedMaxKeepAliveCount": keepAliveCount, "publishingEnabled": true,
	}, &got)
	require.NotZero(c.t, got.SubscriptionID)
	require.GreaterOrEqual(c.t, got.RevisedPublishingInterval, float64(interval.Milliseconds()))
	require.GreaterOrEqual(c.t, got.RevisedLifetimeCount, 3*got.RevisedMaxKeepAliveCount)
	return got.SubscriptionID
}

type monitored struct {
	StatusCode              string
	MonitoredItemID         uint32
	RevisedSamplingInterval float64
	RevisedQueueSize        uint32
}

// monitorAs creates a monitored item for the value of a node.
func (c *client) monitorAs(subscription, handle uint32, filter map[string]any, path string) monitored {
	c.t.Helper()
	parameters := map[string]any{"clientHandle": handle, "samplingInterval": 0, "queueSize": 20, "discardOldest": true}
	if filter != nil {
		parameters["filter"] = filter
	}
	item := map[string]any{"itemToMonitor": attribute(node(path), attributeValue), "monitoringMode": 2, "requestedParameters": parameters}
	var got struct{ Results []monitored }
	c.ask("CreateMonitoredItems", map[string]any{"subscriptionId": subscription, "timestampsToReturn": 2, "itemsToCreate": []any{item}}, &got)
	require.Len(c.t, got.Results, 1)
	return got.Results[0]
}

func (c *client) monitor(subscription uint32, path string) monitored {
	c.t.Helper()
	got := c.monitorAs(subscription, 1, nil, path)
	require.Equal(c.t, "Good", got.StatusCode)
	return got
}

func absolute(deadband float64) map[string]any {
	return map[string]any{"@struct": "DataChangeFilter", "trigger": 1, "deadbandType": 1, "deadbandValue": deadband}
}

func (p *plant) provide(path, text string) {
	p.t.Helper()
	require.NoError(p.t, p.server.Provide(p.nodes[path], []byte(text)))
}

// reports publishes until an item reports a value, and returns what others reported meanwhile.
func (c *client) reports(handle uint32, want any) (others []any) {
	c.t.Helper()
	for range 200 {
		found := false
		for _, data := range c.publish().NotificationMessage.NotificationData {
			for _, item := range data.MonitoredItems {
				got := item.Value.Value.Value
				if item.ClientHandle != handle {
					others = append(others, got)
				} else if fmt.Sprint(got) == fmt.Sprint(want) {
					found = true
				}
			}
		}
		if found {
			return others
		}
	}
	require.Fail(c.t, "a value is not reported", "%v by item %d", want, handle)
	return nil
}
