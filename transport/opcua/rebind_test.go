package opcua_test

import (
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// A session moves from one channel to another while Publish requests arrive over the first. None of
// them waits on, to be answered later over a channel that is not the session's any more: by then all
// have their fault.
func TestPublishWhileItsSessionMoves(t *testing.T) {
	h := build(t, func(h *house, o *opcua.Options) { echo(h, o) })
	const burst, moves = 8, 300
	faults := make(chan struct{}, burst*moves)
	deliver := func(rawclient.Response) { faults <- struct{}{} }
	from, to := h.client(deliver), h.client(deliver)
	session, err := from.Login(h.ctx, rawclient.Identity{}, time.Minute)
	require.NoError(t, err)
	ask[*ua.CreateSubscriptionResponse](h, from, &ua.CreateSubscriptionRequest{
		RequestedPublishingInterval: 3_600_000, RequestedLifetimeCount: 10_000, RequestedMaxKeepAliveCount: 1000, PublishingEnabled: true,
	})
	for move := range moves {
		sent := make(chan error, 1)
		go func() {
			var err error
			for i := 0; i < burst && err == nil; i++ {
				_, err = from.Send(&ua.PublishRequest{})
			}
			sent <- err
		}()
		require.NoError(t, to.Activate(h.ctx, session, rawclient.Identity{}))
		require.NoError(t, <-sent)
		// What is answered to this was asked behind all of them.
		_, err := from.Do(h.ctx, &ua.ReadRequest{})
		require.ErrorIs(t, err, ua.StatusBadSecureChannelIDInvalid)
		require.Len(t, faults, (move+1)*burst)
		from, to = to, from
	}
}
