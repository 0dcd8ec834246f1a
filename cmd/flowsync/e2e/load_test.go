package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/responder"
)

// connections is how many requesters ask at a time.
const connections = 64

// Nothing is lost and nobody gets another's answer, whatever order the answers come in.
func TestDistinctBodies(t *testing.T) {
	distinctBodies(t, start(t, "testdata/order.yaml"))
}

func distinctBodies(t *testing.T, g *gateway) {
	o := responder.Options{
		Address: g.broker, Topics: []string{"services/e2e/order"},
		Shuffle: true, DelayMax: 50 * time.Millisecond, Seed: 1,
	}
	o.Shares[responder.Duplicate] = 10
	mes := respond(t, o)
	l := load{
		connections: connections, n: *requests, url: "http://" + g.http + "/data/order",
		body: func(n int) string { return fmt.Sprintf(`{"n": %d, "text": %q}`, n, strings.Repeat("x", n%100)) },
	}
	l.check = func(n int, r *reply) error {
		if r.status != 200 || string(r.body) != l.body(n) {
			return fmt.Errorf("status %d, %s", r.status, r.body)
		}
		return nil
	}
	began := time.Now()
	l.run(t)
	t.Logf("%d requests, %.0f a second", l.n, float64(l.n)/time.Since(began).Seconds())

	require.Eventually(t, func() bool { return mes.Report().Waiting == 0 }, patience, time.Millisecond, "the last duplicates are sent")
	report := mes.Report()
	require.Equal(t, uint64(l.n), report.Received)
	require.Zero(t, report.SeenTwice)
	duplicates := int(report.Sent[responder.Duplicate.String()] / 2)
	require.Positive(t, duplicates)
	require.Eventually(t, func() bool { return g.answers("duplicate") == duplicates }, patience, 10*time.Millisecond, "every duplicate is counted")
	require.Equal(t, l.n, g.outcome("answered"))
	require.Equal(t, l.n, g.answers("matched"))
	g.addsUp(l.n)
}

// JSONata functions that take their argument from the context do not mix up requests.
func TestMappingWithImplicitContext(t *testing.T) {
	implicitContext(t, start(t, "testdata/mapping.yaml"))
}

func implicitContext(t *testing.T, g *gateway) {
	l := load{
		connections: connections, n: *requests, url: "http://" + g.http + "/data/order",
		body: func(n int) string {
			return fmt.Sprintf(`{"n": %d, "text": %q}`, n, fmt.Sprintf("%s-%d", strings.Repeat("a", n%17), n))
		},
		check: func(n int, r *reply) error {
			text := strings.Repeat("a", n%17)
			want := mapped{n, strings.ToUpper(text) + fmt.Sprintf("-%d", n), len(text) + len(fmt.Sprintf("-%d", n)), text, n}
			var got mapped
			if err := json.Unmarshal(r.body, &got); err != nil || r.status != 200 || got != want {
				return fmt.Errorf("status %d, %s, want %+v", r.status, r.body, want)
			}
			return nil
		},
	}
	l.run(t)
	require.Equal(t, l.n, g.outcome("answered"))
	g.addsUp(l.n)
}

// mapped is what testdata/mapping.yaml makes of a request.
type mapped struct {
	N      int
	Upper  string
	Length int
	Before string
	Number int
}
