package logging

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stuckWriter is a pipe that nobody reads until the test does.
type stuckWriter struct {
	entered chan struct{}
	proceed chan struct{}
	bytes.Buffer
}

func (w *stuckWriter) Write(p []byte) (int, error) {
	select {
	case w.entered <- struct{}{}:
	default:
	}
	<-w.proceed
	return w.Buffer.Write(p)
}

func TestQueueKeepsOrder(t *testing.T) {
	var out bytes.Buffer
	q := NewQueue(&out)
	for _, word := range []string{"a", "b", "c"} {
		n, err := q.Write([]byte(word))
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
	require.True(t, q.Close(time.Minute))
	require.Equal(t, "abc", out.String())
	_, err := q.Write([]byte("late"))
	require.NoError(t, err)
	require.Equal(t, "abc", out.String())
}

// TestQueueNeverWaits: writing goes on beside a reader that does not read; what does not fit is
// counted, and Close gives up.
func TestQueueNeverWaits(t *testing.T) {
	w := &stuckWriter{entered: make(chan struct{}, 1), proceed: make(chan struct{})}
	q := NewQueue(w)
	_, _ = q.Write([]byte("first\n"))
	<-w.entered
	line := []byte(strings.Repeat("x", maxQueued/4) + "\n")
	for range 10 {
		_, _ = q.Write(line)
	}
	require.False(t, q.Close(time.Millisecond))
	close(w.proceed)
	require.True(t, q.Close(time.Minute))
	require.True(t, strings.HasPrefix(w.String(), "first\n"))
	require.Contains(t, w.String(), "7 lines of the log were dropped")
}

func TestQueueIsNotATerminal(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer file.Close()
	q := NewQueue(file)
	defer q.Close(time.Minute)
	require.Equal(t, file, q.Unwrap())
	require.False(t, terminal(q))
}
