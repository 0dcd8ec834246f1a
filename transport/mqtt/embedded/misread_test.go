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

// The broker would take a share of a share, and never give it anything. It is refused by itself, in
// both versions of MQTT, and stands in nobody's session.
func TestShareOfAShareIsRefused(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	twice := func(properties ...byte) []byte {
		body := append([]byte{0, 9}, properties...)
		for _, filter := range []string{"$share/g/$share/h/a", "$share/g/a", "$SHARE/g/$Share/h/#"} {
			body = append(append(body, text(filter)...), 1)
		}
		return body
	}
	w := g.dial("3.1.1", true)
	w.send(0x82, twice())
	kind, body := w.next()
	require.Equal(t, []byte{0x90, 0, 9, 0x80, 1, 0x80}, append([]byte{kind}, body...))

	w, _ = g.dialWindowSession("5", true, 10)
	w.send(0x82, twice(0))
	kind, body = w.next()
	require.Equal(t, []byte{0x90, 0, 9, 0, 0x8f, 1, 0x8f}, append([]byte{kind}, body...))
	for _, id := range []string{"3.1.1", "5"} {
		cl, ok := g.broker.server.Clients.Get(id)
		require.True(t, ok)
		require.Len(t, cl.State.Subscriptions.GetAll(), 1)
	}
}
