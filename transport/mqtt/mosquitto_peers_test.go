//go:build peers

package mqtt

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// mosquitto is a broker process of this test.
type mosquitto struct {
	t       testing.TB
	config  string
	address string
	process *exec.Cmd
	exited  chan struct{}
	output  *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startMosquitto runs a broker on a free port, with Nagle's algorithm on, as it comes. extra is added to its configuration.
func startMosquitto(t testing.TB, extra string) *mosquitto {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	m := &mosquitto{t: t, config: filepath.Join(t.TempDir(), "mosquitto.conf"), address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	me, err := user.Current() // as root it would become somebody who cannot read our files
	require.NoError(t, err)
	text := fmt.Sprintf("user %s\nlistener %d 127.0.0.1\nlog_type all\n%s\n", me.Username, port, extra)
	require.NoError(t, os.WriteFile(m.config, []byte(text), 0o600))
	m.start()
	t.Cleanup(m.stop)
	return m
}

func (m *mosquitto) url() string { return "mqtt://" + m.address }

func (m *mosquitto) start() {
	m.t.Helper()
	program := "/usr/sbin/mosquitto"
	if found, err := exec.LookPath("mosquitto"); err == nil {
		program = found
	}
	m.output = new(lockedBuffer)
	m.process = exec.Command(program, "-c", m.config)
	m.process.Stdout, m.process.Stderr = m.output, m.output
	require.NoError(m.t, m.process.Start(), "these tests need mosquitto (Debian package mosquitto)")
	exited := make(chan struct{})
	m.exited = exited
	process := m.process
	go func() {
		process.Wait()
		close(exited)
	}()
	require.Eventually(m.t, func() bool {
		c, err := net.Dial("tcp", m.address)
		if err != nil {
			return false
		}
		c.Close()
		return true
	}, patience, 5*time.Millisecond, "mosquitto does not listen")
}

func (m *mosquitto) stop() {
	m.process.Process.Kill()
	<-m.exited
}

// client runs mosquitto_pub and the like, with the broker's address, until it ends.
func (m *mosquitto) client(program string, args ...string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	host, port, _ := net.SplitHostPort(m.address)
	out, err := exec.CommandContext(ctx, program, append([]string{"-h", host, "-p", port}, args...)...).CombinedOutput()
	require.NoError(m.t, err, "%s", out)
	return string(out)
}

const openToAll = "allow_anonymous true\npersistence false\n"

func TestMosquittoOverlappingHandlers(t *testing.T) {
	m := startMosquitto(t, openToAll)
	g := newGateway(t, Options{URL: m.url()}, core.NodeOptions{Topic: "a"})
	got := make(chan string, 100)
	for _, filter := range []string{"x/#", "x/+", "x/1", "$share/g/x/1"} {
		require.NoError(t, g.bus.Subscribe(filter, 1, func(m Message) { got <- filter }))
	}
	g.start()
	require.NoError(t, g.bus.PublishMessage(Message{Topic: "x/1", QoS: 1}))
	require.NoError(t, g.bus.PublishMessage(Message{Topic: "x/1/end"}))
	seen := map[string]int{}
	for range 5 {
		seen[receive(t, got)]++
	}
	require.Equal(t, map[string]int{"x/#": 2, "x/+": 1, "x/1": 1, "$share/g/x/1": 1}, seen)
}
