//go:build peers

package broker

import (
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"
)

// Clients that are not ours understand this broker, in both versions of MQTT.
func TestMosquittoClients(t *testing.T) {
	for _, version := range []string{"mqttv311", "mqttv5"} {
		for _, qos := range []string{"0", "1", "2"} {
			t.Run(version+" qos "+qos, func(t *testing.T) {
				b := newBroker(t, Options{})
				host, port, err := net.SplitHostPort(b.Addr())
				require.NoError(t, err)
				common := []string{"-h", host, "-p", port, "-V", version, "-q", qos}
				sub := exec.Command("mosquitto_sub", append(common, "-i", "sub", "-t", "a/+/c", "-t", "x/#", "-C", "3", "-W", "10", "-F", "%t %q %p")...)
				var out strings.Builder
				sub.Stdout, sub.Stderr = &out, &out
				require.NoError(t, sub.Start(), "these tests need mosquitto_sub (Debian package mosquitto-clients)")
				b.untilSubscribed(t, "sub", 2)
				for _, m := range [][2]string{{"a/b/c", "one"}, {"a/b", "not for it"}, {"x/y/z", "two"}, {"x", "three"}} {
					pub := exec.Command("mosquitto_pub", append(common, "-i", "pub", "-t", m[0], "-m", m[1])...)
					text, err := pub.CombinedOutput()
					require.NoError(t, err, "%s", text)
				}
				require.NoError(t, sub.Wait(), out.String())
				granted := min(qos, "1")
				require.Equal(t, "a/b/c "+granted+" one\nx/y/z "+granted+" two\nx "+granted+" three\n", out.String())
			})
		}
	}
}

// A refusal is understood, too.
func TestMosquittoIsRefused(t *testing.T) {
	b := newBroker(t, Options{})
	host, port, err := net.SplitHostPort(b.Addr())
	require.NoError(t, err)
	b.Act(Rule{On: Publish, Do: Refuse, Reason: packets.PubackQuotaExceeded})
	text, err := exec.Command("mosquitto_pub", "-h", host, "-p", port, "-V", "mqttv5", "-q", "1", "-t", "a", "-m", "x", "-d").CombinedOutput()
	require.NoError(t, err, "these tests need mosquitto_pub (Debian package mosquitto-clients)")
	require.Contains(t, string(text), "RC:151", "%s", text)
	b.Act(Rule{On: Connect, Do: Refuse, Reason: packets.ConnackNotAuthorized})
	text, err = exec.Command("mosquitto_pub", "-h", host, "-p", port, "-V", "mqttv5", "-t", "a", "-m", "x").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, strings.ToLower(string(text)), "not authorized")
}
