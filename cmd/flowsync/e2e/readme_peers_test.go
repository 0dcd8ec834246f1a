//go:build peers

package e2e

import (
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The responder in bash that the README shows, with its broker on another port.
func TestReadmeResponder(t *testing.T) {
	m := startMosquitto(t)
	g := start(t, readmeFile(t), "--broker", m.url())
	_, port, _ := net.SplitHostPort(m.address)
	script := "mosquitto_sub() { command mosquitto_sub -p " + port + ` "$@"; }` + "\n" +
		"mosquitto_pub() { command mosquitto_pub -p " + port + ` "$@"; }` + "\n" +
		readme(t, "bash", "mosquitto_sub")
	shell := exec.Command("bash", "-c", script)
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it starts ends with it
	log := new(tail)
	shell.Stdout, shell.Stderr = log, log
	require.NoError(t, shell.Start())
	t.Cleanup(func() {
		syscall.Kill(-shell.Process.Pid, syscall.SIGKILL)
		shell.Wait()
	})
	require.Eventually(t, func() bool { return strings.Contains(m.log.String(), "mayStart/treq") }, patience, time.Millisecond, "%s", log)
	for range 3 {
		r := ask(t, client(1), "POST", "http://"+g.http+"/data/press/7/mayStart", `{"order":4711}`)
		require.Equal(t, 200, r.status, "%s %s", r.body, log)
		assert.Equal(t, `{"mayStart":true}`, string(r.body))
	}
}

// A broker keeps from us what is larger than we said to take.
func TestOversizedAnswerOnMosquitto(t *testing.T) {
	m := startMosquitto(t)
	g := start(t, "testdata/order.yaml", "--broker", m.url())
	huge := m.client("mosquitto_pub", "-t", "services/e2e/order/tres", "-s")
	huge.Stdin = strings.NewReader(`{"id":"x","value":"` + strings.Repeat("y", 2<<20) + `"}`)
	out, err := huge.CombinedOutput()
	require.NoError(t, err, "%s", out)
	small := m.client("mosquitto_pub", "-t", "services/e2e/order/tres", "-m", "nothing")
	out, err = small.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Eventually(t, func() bool { return g.answers("malformed") == 1 }, patience, 10*time.Millisecond)
	assert.Equal(t, 1, g.count("flowsync_answers_total", ""), "the huge one did not come")
	assert.Zero(t, g.count("flowsync_mqtt_reconnects_total", ""))
}
