//go:build unix

package e2e

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/responder"
)

// With all descriptors in use, those who are connected are served, and later everybody is again.
func TestDescriptorsExhausted(t *testing.T) {
	const limit, down = "128", 5 * time.Second
	g := startCommand(t, "/bin/sh", "-c", `ulimit -n `+limit+`; exec "$0" "$@"`, binary, "run", "testdata/order.yaml")
	respond(t, responder.Options{Address: g.broker, Topics: []string{"services/e2e/order"}})
	n := newNeighbour(t, g)
	var idle []net.Conn
	for range 300 { // what is not accepted waits in the kernel
		c, err := net.DialTimeout("tcp", g.http, time.Second)
		if err == nil {
			idle = append(idle, c)
		}
	}
	<-time.After(down)
	for _, c := range idle {
		c.Close()
	}
	require.Greater(t, len(idle), 128)
	require.Eventually(t, func() bool {
		r, err := try(client(1), "POST", "http://"+g.http+"/data/order", "1")
		return err == nil && r.status == 200
	}, patience, 10*time.Millisecond)
	t.Logf("meanwhile a neighbour was answered %d times", n.stop())
	require.Zero(t, g.held())
}
