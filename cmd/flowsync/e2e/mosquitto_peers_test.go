//go:build peers

package e2e

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mosquitto is a broker process.
type mosquitto struct {
	t       testing.TB
	config  string
	address string
	log     *tail
	process *exec.Cmd
}

func startMosquitto(t testing.TB) *mosquitto {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := &mosquitto{t: t, address: l.Addr().String(), config: filepath.Join(t.TempDir(), "mosquitto.conf"), log: new(tail)}
	require.NoError(t, l.Close())
	_, port, _ := net.SplitHostPort(m.address)
	text := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type error\nlog_type subscribe\n", port)
	require.NoError(t, os.WriteFile(m.config, []byte(text), 0o600))
	m.start()
	t.Cleanup(m.kill)
	return m
}

func (m *mosquitto) start() {
	m.t.Helper()
	program := "/usr/sbin/mosquitto"
	if found, err := exec.LookPath("mosquitto"); err == nil {
		program = found
	}
	m.process = exec.Command(program, "-c", m.config)
	m.process.Stdout, m.process.Stderr = m.log, m.log
	require.NoError(m.t, m.process.Start(), "these tests need mosquitto: scripts/peers install")
	require.Eventually(m.t, func() bool {
		c, err := net.Dial("tcp", m.address)
		if err == nil {
			c.Close()
		}
		return err == nil
	}, patience, time.Millisecond, "mosquitto does not listen: %s", m.log)
}

func (m *mosquitto) kill() {
	m.process.Process.Kill()
	m.process.Wait()
}

// client is a command of mosquitto's clients, in MQTT 3.1.1.
func (m *mosquitto) client(program string, args ...string) *exec.Cmd {
	host, port, _ := net.SplitHostPort(m.address)
	return exec.Command(program, append([]string{"-h", host, "-p", port, "-V", "mqttv311"}, args...)...)
}

// respond answers every request on a node with line(payload), in MQTT 3.1.1, with the clients
// of mosquitto: one reads requests line by line, one publishes lines as answers.
func (m *mosquitto) respond(node string, line func(payload []byte) string) {
	m.t.Helper()
	asked := m.client("mosquitto_sub", "-t", node+"/treq")
	stdout, err := asked.StdoutPipe()
	require.NoError(m.t, err)
	answers := m.client("mosquitto_pub", "-t", node+"/tres", "-l")
	stdin, err := answers.StdinPipe()
	require.NoError(m.t, err)
	require.NoError(m.t, asked.Start())
	require.NoError(m.t, answers.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			fmt.Fprintln(stdin, line(lines.Bytes()))
		}
	}()
	m.t.Cleanup(func() {
		asked.Process.Kill()
		<-ended
		stdin.Close()
		asked.Wait()
		answers.Process.Kill()
		answers.Wait()
	})
	require.Eventually(m.t, func() bool { return strings.Contains(m.log.String(), node+"/treq") }, patience, time.Millisecond, "mosquitto_sub does not subscribe")
}

// url is the broker's for --broker.
func (m *mosquitto) url() string { return "mqtt://" + m.address }
