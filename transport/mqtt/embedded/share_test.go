package embedded

import (
	"fmt"
	"testing"

	"github.com/flowsync-go/flowsync/core"
)

// The broker would give requests to members of a share group who are away.
func TestSharedRequestGoesToWhoIsThere(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	for i := range 8 {
		away := g.dial(fmt.Sprint("away", i), false)
		away.subscribe("$share/g/a/treq", 0)
		away.conn.Close()
	}
	g.until(func() bool { return g.broker.Stats().Clients == 0 })
	w := g.dial("here", true)
	w.subscribe("$share/g/a/treq", 0)
	for range 50 {
		_, done := g.begin(`1`)
		_, request := w.message()
		w.publish(0, "a/tres", answerTo(request, `2`))
		g.end(done, core.Answered)
	}
}

// If nobody of a group is there, the sessions that wait still get messages of QoS 1.
func TestSharedMessageWaitsForWhoIsAway(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{QoS: 1})
	w := g.dial("away", false)
	w.subscribe("$share/g/a/treq", 1)
	w.conn.Close()
	other := g.dial("of another group", true)
	other.subscribe("$share/other/a/treq", 0)
	g.until(func() bool { return g.broker.Stats().Clients == 1 })
	_, done := g.begin(`1`)
	other.message()
	w = g.dial("away", false)
	_, request := w.message()
	w.publish(0, "a/tres", answerTo(request, `2`))
	g.end(done, core.Answered)
}
