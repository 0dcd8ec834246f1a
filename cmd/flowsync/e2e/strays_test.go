package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/responder"
	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// An answer that is incomplete never looks like success.
func TestIncompleteAnswers(t *testing.T) {
	for act, want := range map[responder.Act]struct {
		status  int
		outcome string
	}{
		responder.IDOnly:  {502, "bad_response"},
		responder.Garbage: {500, "timeout"},
		responder.WrongID: {500, "timeout"},
		responder.Silence: {500, "timeout"},
		responder.Late:    {500, "timeout"},
	} {
		t.Run(act.String(), func(t *testing.T) {
			g := start(t, "testdata/order.yaml", "--param", "timeout=200")
			o := responder.Options{Address: g.broker, Topics: []string{"services/e2e/order"}, LateBy: 50 * time.Millisecond}
			o.Shares[act] = 100
			respond(t, o)
			l := load{
				connections: 16, n: 100, url: "http://" + g.http + "/data/order",
				body: func(n int) string { return fmt.Sprint(n) },
				check: func(_ int, r *reply) error {
					if r.status != want.status || r.outcome() != want.outcome {
						return fmt.Errorf("status %d, %s", r.status, r.body)
					}
					return nil
				},
			}
			l.run(t)
			g.addsUp(100)
		})
	}
}

// flood is what somebody may publish on an answer topic, and how it must be counted. An empty
// kind: it must do no harm, however it is counted.
var flood = []struct {
	name, payload, kind string
	times               int
}{
	{"not JSON", "nothing", "malformed", 5000},
	{"empty", "", "malformed", 5000},
	{"no object", "[1]", "malformed", 5000},
	{"no id", `{"value":1}`, "malformed", 5000},
	{"deep", `{"id":"x","value":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}", "malformed", 500},
	{"huge", `{"id":"x","value":"` + strings.Repeat("y", 900_000), "malformed", 20},
	{"unknown id", `{"id":"0198c8a2-7d1e-4abc-9def-0123456789ab","value":1}`, "", 5000},
	{"not a UUID", `{"id":"x","value":1}`, "unknown", 5000},
}

// Whoever floods the answer topic is counted, and harms nobody.
func TestStrayAnswers(t *testing.T) {
	g := start(t, "testdata/order.yaml")
	respond(t, responder.Options{Address: g.broker, Topics: []string{"services/e2e/order"}})
	warm(t, g)
	before := g.memory()
	n := newNeighbour(t, g)
	bus, err := mqtt.Dial(mqtt.Options{URL: "mqtt://" + g.broker, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	require.NoError(t, bus.Start(deadline(t)))
	strays := 0
	want := map[string]int{}
	for _, f := range flood {
		for i := range f.times {
			m := mqtt.Message{Topic: "services/e2e/order/tres", Payload: []byte(f.payload), Retain: i == 0}
			publish(t, bus, m)
		}
		strays += f.times
		want[f.kind] += f.times
	}
	require.NoError(t, bus.Close(deadline(t)))
	asked := n.stop() // the two metrics are read one after the other
	counted := func() int { return g.count("flowsync_answers_total", "") - g.answers("matched") }
	require.Eventually(t, func() bool { return counted() == strays }, patience, 10*time.Millisecond, "every one is counted")
	t.Logf("%d strays, meanwhile a neighbour was answered %d times", strays, asked)
	assert.Equal(t, want["malformed"], g.answers("malformed"))
	assert.GreaterOrEqual(t, g.answers("unknown"), want["unknown"])
	g.requireMemory(before)
	require.Zero(t, g.held())
}

// publish waits while too much waits.
func publish(t testing.TB, bus *mqtt.Bus, m mqtt.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := bus.PublishMessage(m)
		if err == nil {
			return
		}
		require.True(t, errors.Is(err, core.ErrShed) && ctx.Err() == nil, "%v", err)
		<-time.After(time.Millisecond)
	}
}
