//go:build peers

package embedded

import (
	"bufio"
	"context"
	"net"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// A responder made of mosquitto_sub and mosquitto_pub, in both versions of MQTT.
func TestMosquittoClients(t *testing.T) {
	for _, version := range []string{"mqttv311", "mqttv5"} {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			g := newGateway(t, Options{}, core.NodeOptions{QoS: 1})
			host, port, err := net.SplitHostPort(g.broker.Addr())
			require.NoError(t, err)
			where := []string{"-h", host, "-p", port, "-V", version, "-q", "1"}

			sub := exec.CommandContext(ctx, "mosquitto_sub", append(where, "-t", "a/treq")...)
			out, err := sub.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, sub.Start(), "this test needs mosquitto_sub (Debian package mosquitto-clients)")
			lines := bufio.NewScanner(out)
			g.until(func() bool { return len(g.broker.server.Topics.Subscribers("a/treq").Subscriptions) == 1 })

			_, done := g.begin(`{"n":1}`)
			require.True(t, lines.Scan(), "no request arrived: %v", lines.Err())
			answer := string(answerTo(lines.Bytes(), `{"n":2}`))
			said, err := exec.CommandContext(ctx, "mosquitto_pub", append(where, "-t", "a/tres", "-m", answer)...).CombinedOutput()
			require.NoError(t, err, "%s", said)
			require.Equal(t, `{"n":2}`, string(g.end(done, core.Answered).Value))

			require.NoError(t, sub.Process.Kill())
			require.Error(t, sub.Wait()) // killed
		})
	}
}
