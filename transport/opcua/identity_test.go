package opcua_test

import (
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// A subscription may be transferred to another session of the same user; a nameless client
// without security cannot prove that it is the same as another.
func TestWhoMayTransfer(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to rawclient.Identity
		want     ua.StatusCode
	}{
		{"same user", rawclient.Identity{User: "bob", Password: "secret"}, rawclient.Identity{User: "bob", Password: "secret"}, ua.StatusOK},
		{"another user", rawclient.Identity{User: "bob", Password: "secret"}, rawclient.Identity{User: "eve", Password: "secret"}, ua.StatusBadUserAccessDenied},
		{"nobody", rawclient.Identity{User: "bob", Password: "secret"}, rawclient.Identity{}, ua.StatusBadUserAccessDenied},
		{"both nobody", rawclient.Identity{}, rawclient.Identity{}, ua.StatusBadUserAccessDenied},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := build(t, func(h *house, o *opcua.Options) {
				echo(h, o)
				o.Login = func(_, password string) bool { return password == "secret" }
			})
			from, id := h.subscriber(c.from)
			to := h.client(nil)
			_, err := to.Login(h.ctx, c.to, time.Minute)
			require.NoError(t, err)
			results := ask[*ua.TransferSubscriptionsResponse](h, to, &ua.TransferSubscriptionsRequest{SubscriptionIDs: []uint32{id}}).Results
			require.Equal(t, c.want, results[0].StatusCode)
			require.NoError(t, from.CloseSession(h.ctx, true))
		})
	}
}

// When another user logs in on a session, the subscriptions of the one before are gone.
func TestAnotherUserOnASession(t *testing.T) {
	h := build(t, func(h *house, o *opcua.Options) {
		echo(h, o)
		o.Login = func(_, password string) bool { return password == "secret" }
	})
	c := h.client(nil)
	session, err := c.CreateSession(h.ctx, time.Minute)
	require.NoError(t, err)
	require.NoError(t, c.Activate(h.ctx, session, rawclient.Identity{User: "bob", Password: "secret"}))
	id := subscribe(h, c)
	require.NoError(t, c.Activate(h.ctx, session, rawclient.Identity{User: "bob", Password: "secret"}))
	modify := &ua.SetPublishingModeRequest{PublishingEnabled: true, SubscriptionIDs: []uint32{id}}
	require.Equal(t, []ua.StatusCode{ua.StatusOK}, ask[*ua.SetPublishingModeResponse](h, c, modify).Results)
	require.NoError(t, c.Activate(h.ctx, session, rawclient.Identity{}))
	require.Equal(t, []ua.StatusCode{ua.StatusBadSubscriptionIDInvalid}, ask[*ua.SetPublishingModeResponse](h, c, modify).Results)
}

func (h *house) subscriber(who rawclient.Identity) (*rawclient.Client, uint32) {
	h.t.Helper()
	c := h.client(nil)
	_, err := c.Login(h.ctx, who, time.Minute)
	require.NoError(h.t, err)
	return c, subscribe(h, c)
}

func subscribe(h *house, c *rawclient.Client) uint32 {
	h.t.Helper()
	return ask[*ua.CreateSubscriptionResponse](h, c, &ua.CreateSubscriptionRequest{
		RequestedPublishingInterval: 1000, RequestedLifetimeCount: 100, RequestedMaxKeepAliveCount: 10,
	}).SubscriptionID
}
