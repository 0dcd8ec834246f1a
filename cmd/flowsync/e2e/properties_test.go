package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// eachDoor runs a test over both protocols, on a gateway of its own each time. The responder hears
// the requests of these nodes.
func eachDoor(t *testing.T, node string, test func(t *testing.T, g *gateway, d door, m *mes), args ...string) {
	for i, protocol := range []string{"HTTP", "OPC UA"} {
		t.Run(protocol, func(t *testing.T) {
			g := start(t, append([]string{"testdata/properties.yaml", "--log-level", "debug"}, args...)...)
			d := g.doors(t)[i]
			test(t, g, d, startMES(t, g.broker, "props", d.name(node)))
		})
	}
}

// asking asks in the background.
func (d door) asking(ctx context.Context, node, order, key string) <-chan told {
	got := make(chan told, 1)
	go func() { got <- d.ask(ctx, node, order, key) }()
	return got
}

// TestSerial: one at a time, in their order, also past one whose requester has gone.
func TestSerial(t *testing.T) {
	eachDoor(t, "serial", func(t *testing.T, g *gateway, d door, m *mes) {
		ctx := deadline(t)
		var got []<-chan told
		for i := range 3 {
			got = append(got, d.asking(ctx, "serial", fmt.Sprint(i), ""))
			require.Eventually(t, func() bool { return g.held() == i+1 }, patience, time.Millisecond)
		}
		for i := range got {
			r := m.next()
			require.Equal(t, fmt.Sprint(i), orderOf(r))
			require.Empty(t, m.requests, "the others wait for their turn")
			m.say(r, fmt.Sprintf(`,"value":"done %d"`, i))
			require.Equal(t, fmt.Sprintf("done %d", i), within(t, got[i], "no reply").value)
		}
		g.addsUp(3)
	})
}

// orderOf is the order in a request, of whichever door.
func orderOf(r request) string {
	var value struct{ Order string }
	if json.Unmarshal(r.Value, &value) == nil {
		return value.Order
	}
	return strings.Trim(string(r.Value), `"`)
}

// TestExtend: a responder that needs more time says so, and is waited for.
func TestExtend(t *testing.T) {
	eachDoor(t, "extend", func(t *testing.T, g *gateway, d door, m *mes) {
		began := time.Now()
		got := d.asking(deadline(t), "extend", "7", "")
		r := m.next()
		m.say(r, `,"extend":50000`)
		require.Eventually(t, func() bool { return g.answers("extended") == 1 }, patience, 10*time.Millisecond)
		<-time.After(time.Until(began.Add(400 * time.Millisecond))) // longer than the node's timeout
		require.Equal(t, 1, g.held())
		m.say(r, `,"value":"late, and in time"`)
		require.Equal(t, "late, and in time", within(t, got, "no reply").value)
		require.Zero(t, g.answers("late"))
		require.Contains(t, g.log.String(), "transaction prolonged")
		g.addsUp(1)
	})
}

// TestFallback: the requester has a value to go on with and can see that the responder did not say it;
// log and metric do not pretend.
func TestFallback(t *testing.T) {
	eachDoor(t, "fallback", func(t *testing.T, g *gateway, d door, m *mes) {
		a := d.ask(deadline(t), "fallback", "7", "")
		require.True(t, a.ok)
		require.Equal(t, "the usual", a.value)
		if a.http != 0 {
			require.Equal(t, "timeout", a.real)
		} else {
			require.Equal(t, ua.StatusUncertainSubstituteValue, a.ua)
		}
		require.Equal(t, "props/"+d.name("fallback"), g.lineOf(t, "props/"+d.name("fallback"), "timeout")["node"])
		require.Equal(t, 1, g.outcome("timeout"))
		m.say(m.next(), `,"value":"too late"`)
		require.Eventually(t, func() bool { return g.answers("late") == 1 }, patience, 10*time.Millisecond)
	})
}

// TestLateAnswersCanBeLookedAt: what came too late is in /api/late, with how late it was.
func TestLateAnswersCanBeLookedAt(t *testing.T) {
	g := start(t, "testdata/properties.yaml")
	m := startMES(t, g.broker, "props", "fallback")
	g.doors(t)[0].ask(deadline(t), "fallback", "7", "")
	r := m.next()
	m.say(r, `,"value":"too late"`)
	m.say(request{topic: r.topic, ID: "x"}, `,"value":1`)
	require.Eventually(t, func() bool { return g.answers("late") == 1 && g.answers("unknown") == 1 }, patience, 10*time.Millisecond)
	reply := ask(t, client(1), "GET", "http://"+g.admin+"/api/late?kind=late&node=props/fallback", "")
	var late struct {
		Total   int
		Answers []struct {
			Time                             time.Time
			Node, Kind, ID, Outcome, Payload string
			LatenessMs                       float64
		}
	}
	require.NoError(t, json.Unmarshal(reply.body, &late), "%s", reply.body)
	require.Equal(t, 2, late.Total)
	require.Len(t, late.Answers, 1)
	a := late.Answers[0]
	assert.Equal(t, []string{"props/fallback", "late", r.ID, "timeout"}, []string{a.Node, a.Kind, a.ID, a.Outcome})
	assert.Contains(t, a.Payload, "too late")
	assert.WithinDuration(t, time.Now(), a.Time, patience)
	assert.Positive(t, a.LatenessMs)
	assert.Equal(t, 400, ask(t, client(1), "GET", "http://"+g.admin+"/api/late?kind=lost", "").status)
	assert.Equal(t, 403, ask(t, client(1), "GET", "http://"+g.admin+"/api/late", "", "Origin", "https://elsewhere.example").status)
}

// TestWaitForTheBroker: a node with onDisconnect: wait holds what comes while there is no broker, until
// there is one; the others say at once that nothing left.
func TestWaitForTheBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	g := start(t, "testdata/properties.yaml", "--broker", "mqtt://"+address)
	doors := g.doors(t)
	got := []<-chan told{doors[0].asking(deadline(t), "wait", "7", ""), doors[1].asking(deadline(t), "wait", "7", "")}
	require.Eventually(t, func() bool { return g.count("flowsync_mqtt_requests_waiting", "") == 2 }, patience, 10*time.Millisecond)
	require.Equal(t, 503, doors[0].ask(deadline(t), "serial", "7", "").http)
	require.Equal(t, ua.StatusBadNotConnected, doors[1].ask(deadline(t), "serial", "7", "").ua)

	require.Equal(t, address, start(t, "testdata/answering.yaml", "--embedded", address).broker)
	for _, one := range got {
		require.Equal(t, "here I am", within(t, one, "no reply").value)
	}
	g.expect(t, map[string]int{"answered": 2, "not_published": 2})
}
