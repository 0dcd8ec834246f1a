package main

import (
	"bytes"
	"context"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write golden files anew")

func TestMain(m *testing.M) {
	for _, variable := range os.Environ() { // what the machine sets is not what is tested
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "FLOWSYNC_") {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

// golden compares with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// world is a process for tests.
type world struct {
	process
	stdout, stderr page
	caught         chan os.Signal
	got            *settings // what the gateway was opened with
	files          []string
	service        service
	openErr        error
	findings       []finding
}

// page can be read while it is written.
type page struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.String()
}

func newWorld() *world {
	w := &world{caught: make(chan os.Signal, 4)}
	w.process = process{
		stdout:  &w.stdout,
		stderr:  &w.stderr,
		signals: func() <-chan os.Signal { return w.caught },
		read: func(files []string, _ modelSettings) []finding {
			w.files = files
			return w.findings
		},
		open: func(_ context.Context, _ *process, files []string, s *settings, _ *slog.Logger) (service, error) {
			w.files, w.got = files, s
			return w.service, w.openErr
		},
	}
	return w
}

func (w *world) run(args ...string) int { return execute(args, w.process) }

func TestHelp(t *testing.T) {
	for _, command := range []string{"", "run", "check", "respond", "load"} {
		w := newWorld()
		assert.Equal(t, exitDone, w.run(strings.Fields(command+" --help")...))
		assert.Empty(t, w.stderr.String())
		golden(t, "help_"+command+".txt", w.stdout.String())
	}
	bare, help := newWorld(), newWorld()
	assert.Equal(t, exitDone, bare.run())
	help.run("--help")
	assert.Equal(t, help.stdout.String(), bare.stdout.String())
}

func TestUsageErrors(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"runn x", `unexpected argument runn, did you mean "run"?`},
		{"run", `expected "<file> ..."`},
		{"run x --htpt 1", `unknown flag --htpt, did you mean "--http"?`},
		{"run x --broker-password hunter2", "unknown flag --broker-password"},
		{"run x --drain", "--drain: expected string value"},
		{"check", `expected "<file> ..."`},
		{"check x --drain 1s", "unknown flag --drain"},
		{"load", `expected "<url>"`},
	} {
		w := newWorld()
		assert.Equal(t, exitUsage, w.run(strings.Fields(c.args)...), c.args)
		assert.Contains(t, w.stderr.String(), c.want)
		assert.Contains(t, w.stderr.String(), "--help\" for what there is.\n")
		assert.NotContains(t, w.stderr.String(), "hunter2")
		assert.Empty(t, w.stdout.String())
		assert.Nil(t, w.got)
	}
}
