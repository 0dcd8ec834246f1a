package opcua_test

import (
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

func TestCallIsAnswered(t *testing.T) {
	var method *opcua.Node
	h := build(t, func(h *house, o *opcua.Options) { method = echo(h, o) })
	h.respond(method, func(r *mem.Request) {
		require.JSONEq(t, `{"v":"4711"}`, string(r.Value))
		require.NoError(t, r.Answer([]byte(`{"v":"yes"}`)))
	})
	c := h.login(nil)
	response := ask[*ua.CallResponse](h, c, call("Press", "Press.Ask", "4711"))
	require.Len(t, response.Results, 1)
	require.Equal(t, ua.StatusOK, response.Results[0].StatusCode)
	require.Equal(t, "yes", response.Results[0].OutputArguments[0].Value())
}
