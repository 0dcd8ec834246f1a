package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// login connects to the gateway's OPC UA server, nameless.
func (g *gateway) login(ctx context.Context, deliver func(rawclient.Response)) *rawclient.Client {
	g.t.Helper()
	c, err := rawclient.Dial(ctx, rawclient.Options{Endpoint: "opc.tcp://" + g.opcua, Deliver: deliver})
	require.NoError(g.t, err)
	g.t.Cleanup(c.Close)
	_, err = c.Login(ctx, rawclient.Identity{}, time.Minute)
	require.NoError(g.t, err)
	return c
}

func call(method string, arguments ...any) *ua.CallRequest {
	m := &ua.CallMethodRequest{ObjectID: ua.NewStringNodeID(1, "Press"), MethodID: ua.NewStringNodeID(1, method)}
	for _, a := range arguments {
		m.InputArguments = append(m.InputArguments, ua.MustVariant(a))
	}
	return &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{m}}
}

// The quickstart answers a Call and a Write as it answers a POST.
func TestQuickstartOverOPCUA(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	g := start(t, examples+"quickstart.yaml")
	c := g.login(ctx, nil)
	for order, may := range map[int32]bool{4711: true, 666: false} {
		response, err := c.Do(ctx, call("Press.MayStart", order))
		require.NoError(t, err)
		result := response.(*ua.CallResponse).Results[0]
		require.Equal(t, ua.StatusOK, result.StatusCode)
		assert.Equal(t, order, result.OutputArguments[0].Value())
		assert.Equal(t, may, result.OutputArguments[1].Value())
	}
	recipe := ua.NewStringNodeID(1, "Press.Recipe")
	response, err := c.Do(ctx, &ua.WriteRequest{NodesToWrite: []*ua.WriteValue{{
		NodeID: recipe, AttributeID: ua.AttributeIDValue,
		Value: &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant("steel")},
	}}})
	require.NoError(t, err)
	require.Equal(t, []ua.StatusCode{ua.StatusOK}, response.(*ua.WriteResponse).Results)
	response, err = c.Do(ctx, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{
		NodeID: recipe, AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{},
	}}})
	require.NoError(t, err)
	assert.Equal(t, "steel", response.(*ua.ReadResponse).Results[0].Value.Value())
}
