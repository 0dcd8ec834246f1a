//go:build linux

package process_test

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/fuzz/chaos/process"
)

// start starts the dummy, see TestMain.
func start(t *testing.T, what string, change func(*process.Spec)) (*process.Process, error) {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	spec := process.Spec{
		Name: "dummy", Path: program, Env: []string{"PROCESS_TEST=" + what}, Patience: 20 * time.Second,
		Ready: func(line string) bool { return line == "ready" },
	}
	if change != nil {
		change(&spec)
	}
	p, err := process.Start(t.Context(), spec)
	if p != nil {
		t.Cleanup(func() { require.NoError(t, p.Kill()) })
	}
	return p, err
}

func TestKill(t *testing.T) {
	var log bytes.Buffer
	p, err := start(t, "wait", func(s *process.Spec) { s.Log = &log })
	require.NoError(t, err)
	require.NoError(t, p.Err())
	require.NoError(t, p.Kill())
	<-p.Done()
	require.ErrorContains(t, p.Err(), "killed")
	require.Equal(t, "starting\nready\n", log.String())
	require.ErrorIs(t, p.Signal(syscall.SIGKILL), process.ErrGone)
	_, err = p.LimitFiles(10)
	require.ErrorIs(t, err, process.ErrGone)
	require.NoError(t, p.Kill(), "as often as one likes")
	require.ErrorContains(t, p.End(time.Second), "had ended by itself")
}

func TestStopAndContinue(t *testing.T) {
	p, err := start(t, "good", nil)
	require.NoError(t, err)
	require.NoError(t, p.Stop())
	require.Contains(t, status(t, p), "State:\tT")
	require.NoError(t, p.Continue())
	require.Eventually(t, func() bool { return !strings.Contains(status(t, p), "State:\tT") }, 10*time.Second, time.Millisecond)
	require.NoError(t, p.Stop())
	require.NoError(t, p.End(10*time.Second), "it ends though it stands still")
}

func status(t *testing.T, p *process.Process) string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID()) + "/status")
	require.NoError(t, err)
	return string(text)
}

func TestEnd(t *testing.T) {
	p, err := start(t, "wait", nil)
	require.NoError(t, err)
	require.ErrorContains(t, p.End(10*time.Second), "terminated")
	p, err = start(t, "deaf", nil)
	require.NoError(t, err)
	require.ErrorContains(t, p.End(50*time.Millisecond), "did not end within")
	<-p.Done()
}

func TestNotReady(t *testing.T) {
	_, err := start(t, "fail", nil)
	require.ErrorContains(t, err, "exit status 5\nno luck today")
	p, err := start(t, "wait", func(s *process.Spec) {
		s.Patience, s.Ready = 50*time.Millisecond, func(string) bool { return false }
	})
	require.ErrorContains(t, err, "not ready after 50ms")
	<-p.Done()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	program, err := os.Executable()
	require.NoError(t, err)
	p, err = process.Start(ctx, process.Spec{
		Name: "dummy", Path: program, Env: []string{"PROCESS_TEST=wait"}, Patience: time.Minute,
		Ready: func(string) bool { return false },
	})
	require.ErrorIs(t, err, context.Canceled)
	<-p.Done()
	_, err = process.Start(t.Context(), process.Spec{Name: "nobody", Path: "/does/not/exist"})
	require.ErrorContains(t, err, "starting nobody")
}

func TestLimitFiles(t *testing.T) {
	refused := make(chan struct{})
	p, err := start(t, "wait", nil)
	require.NoError(t, err)
	before, err := p.LimitFiles(64)
	require.NoError(t, err)
	require.Greater(t, before, uint64(64))
	was, err := p.LimitFiles(before)
	require.NoError(t, err)
	require.Equal(t, uint64(64), was)

	p, err = start(t, "files", func(s *process.Spec) {
		s.Env = append(s.Env, "PROCESS_TEST_FILE=/dev/null")
		s.Log = writer(func(b []byte) {
			if strings.HasPrefix(string(b), "refused:") {
				close(refused)
			}
		})
	})
	require.NoError(t, err)
	_, err = p.LimitFiles(64)
	require.NoError(t, err)
	<-refused
	require.Contains(t, p.Tail(), "too many open files")
	u, err := p.Usage()
	require.NoError(t, err)
	require.Greater(t, u.RSS, int64(1<<20))
	require.Positive(t, u.Files)
	require.NoError(t, p.Kill())
	_, err = p.Usage()
	require.Error(t, err)
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }

func TestWaited(t *testing.T) {
	p, err := start(t, "wait", nil)
	require.NoError(t, err)
	require.Contains(t, process.Waited(p.PID()), strconv.Itoa(p.PID()))
	require.NoError(t, p.Kill())
	require.Empty(t, process.Waited(p.PID()))
}
