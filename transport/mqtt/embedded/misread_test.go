package embedded

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// A wildcard at the first level is not for topics that begin with $, in a share group neither.
func TestSharedWildcardsAndDollar(t *testing.T) {
	for _, filter := range []string{"$share/g/+", "$share/g/#", "#"} {
		g := newGateway(t, Options{}, core.NodeOptions{})
		w := g.dial("reader", true)
		w.subscribe(filter, 1)
		require.NoError(t, g.broker.PublishMessage(mqtt.Message{Topic: "$x", QoS: 1}))
		require.NoError(t, g.broker.PublishMessage(mqtt.Message{Topic: "x", QoS: 1}))
		topic, _ := w.message()
		require.Equal(t, "x", topic, "%s", filter)
		require.False(t, g.broker.heard("$x"))
		require.True(t, g.broker.heard("x"))
	}
}

// What the broker does not give is told, with what to do.
func TestParentLevelIsNamed(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	w := g.dial("reader", true)
	w.subscribe("a/+/#", 0)
	g.until(func() bool { return strings.Contains(g.log.String(), "subscribe_too=a/+") })
	require.True(t, losesParent("$share/g/+/#"))
	for _, filter := range []string{"a/#", "a/+", "#", "a+/#", "+/a/#"} {
		require.False(t, losesParent(filter), filter)
	}
}
