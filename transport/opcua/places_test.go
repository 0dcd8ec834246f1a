package opcua_test

import (
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// When all connections are taken, the oldest one that nobody has logged in on makes place; when
// somebody has on each, a new client is told that the server is busy.
func TestPlaces(t *testing.T) {
	h := build(t, func(h *house, o *opcua.Options) {
		echo(h, o)
		o.MaxChannels = 3
	})
	first := h.client(nil)
	used := h.login(nil)
	second := h.client(nil)
	third := h.login(nil) // first goes
	next(h, first.Done(), "the end of the first")
	last := h.login(nil) // second goes
	next(h, second.Done(), "the end of the second")
	_, err := rawclient.Dial(h.ctx, rawclient.Options{Endpoint: h.address})
	require.ErrorIs(t, err, ua.StatusBadTCPServerTooBusy)
	for _, c := range []*rawclient.Client{used, third, last} {
		ask[*ua.ReadResponse](h, c, readState())
	}
}
