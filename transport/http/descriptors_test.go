//go:build unix

package http_test

import (
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// A process that really has no descriptors left keeps what it holds and accepts again as soon
// as it has.
func TestDescriptorsExhausted(t *testing.T) {
	engine := newFakeEngine(nil)
	var log lockedBuffer
	r := serve(t, http.Options{Engine: engine, Logger: slog.New(slog.NewTextHandler(&log, nil))}, transaction("GET", "/x", node(t, core.NodeOptions{})))
	held := r.dial(t)
	held.send(get("/x"))
	b := engine.next(t)

	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	defer func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)) }()
	tight := limit
	tight.Cur = 64
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &tight))
	var files []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			require.ErrorIs(t, err, syscall.EMFILE)
			break
		}
		files = append(files, f)
	}
	require.NotEmpty(t, files)
	require.NoError(t, files[0].Close()) // the one that the client takes
	waiting := r.dial(t)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "too many open files") }, patience, time.Millisecond)
	require.True(t, engine.end(b.ID, answered("1")))
	require.Equal(t, "1", held.receive().Text)
	for _, f := range files[1:] {
		require.NoError(t, f.Close())
	}
	waiting.send(get("/x"))
	require.True(t, engine.end(engine.next(t).ID, answered("2")))
	require.Equal(t, "2", waiting.receive().Text)
}
