package journal

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/core/idempotency"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

type logText struct {
	mu sync.Mutex
	strings.Builder
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Builder.Write(p)
}

func (l *logText) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.String()
}

func openIn(t testing.TB, dir string) (*Journal, *logText) {
	t.Helper()
	log := &logText{}
	j, err := Open(Options{Dir: dir, Logger: slog.New(slog.NewTextHandler(log, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { j.Close() })
	return j, log
}

func record(key string) *idempotency.Record {
	return &idempotency.Record{
		Node: "line/order", User: "u", Key: key, Identity: [32]byte{1, 2}, ID: core.ID{3},
		Until: time.Unix(0, 1795558762290797695),
	}
}

// put waits until it is written.
func put(t testing.TB, j *Journal, r *idempotency.Record) error {
	t.Helper()
	done := make(chan error, 1)
	j.Put(r, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-time.After(30 * time.Second):
		require.FailNow(t, "nothing is written")
		return nil
	}
}

func load(t testing.TB, dir string) map[string]*idempotency.Record {
	t.Helper()
	j, _ := openIn(t, dir)
	records := map[string]*idempotency.Record{}
	require.NoError(t, j.Load(func(r *idempotency.Record) { records[r.Key] = r }))
	require.NoError(t, j.Close())
	return records
}

func TestKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "state")
	j, _ := openIn(t, dir)
	intent, reply, empty := record("intent"), record("reply"), record("empty")
	reply.Message, empty.Message = []byte(`{"value":1}`), []byte{}
	for _, r := range []*idempotency.Record{intent, record("reply"), reply, empty, record("deleted")} {
		require.NoError(t, put(t, j, r))
	}
	j.Delete("line/order", "u", "deleted")
	j.Delete("line/order", "u", "never there")
	require.NoError(t, j.Close())
	require.NoError(t, j.Close(), "twice")
	require.Equal(t, map[string]*idempotency.Record{"intent": intent, "reply": reply, "empty": empty}, load(t, dir))

	stats := j.Stats()
	require.EqualValues(t, 7, stats.Records)
	require.LessOrEqual(t, stats.Commits, stats.Records)
	require.Zero(t, stats.Queue)
	require.Zero(t, stats.Failures)
	require.ErrorIs(t, put(t, j, intent), errClosed)
	j.Delete("line/order", "u", "intent")
	require.Len(t, load(t, dir), 3)

	for path, mode := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, fileName): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), path)
	}
}

// TestOrder: what is asked for happens in order, and so do the calls back.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	j, _ := openIn(t, dir)
	var order []int
	for i := range 1000 {
		r := record("k")
		r.Message = []byte(fmt.Sprint(i))
		j.Put(r, func(err error) {
			require.NoError(t, err)
			order = append(order, i) // on one goroutine
		})
		if i%2 == 0 {
			j.Delete("line/order", "u", "k")
		}
	}
	require.NoError(t, j.Close())
	require.Len(t, order, 1000)
	require.IsIncreasing(t, order)
	require.Equal(t, "999", string(load(t, dir)["k"].Message))
	stats := j.Stats()
	require.EqualValues(t, 1500, stats.Records)
	require.Less(t, stats.Commits, uint64(1000), "groups")
}

func TestInUse(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir)
	_, err := Open(Options{Dir: dir})
	require.ErrorContains(t, err, "keys.db is in use: is another flowsync running with this --state?")
}

// TestDiskFull: a group fails as a whole, and it goes on when there is space again. The limit on
// the size of files makes writes fail as a full disk does.
func TestDiskFull(t *testing.T) {
	if runsElsewhere(t) {
		return
	}
	dir := t.TempDir()
	j, log := openIn(t, dir)
	require.NoError(t, put(t, j, record("before")))
	for _, limit := range []uint64{0, 8192, 1 << 16} { // the bytes of the file that can be written
		unlimit := limitFiles(t, limit)
		full := record("full")
		full.Message = make([]byte, 1<<20)
		for range 3 {
			require.ErrorContains(t, put(t, j, full), "keys.db")
		}
		j.Delete("line/order", "u", "before")
		require.Error(t, put(t, j, full))
		unlimit()
		require.NoError(t, put(t, j, record("after")))
		require.NoError(t, put(t, j, record("before")))
	}
	require.Equal(t, 1, strings.Count(log.text(), "cannot be written"))
	require.Equal(t, 1, strings.Count(log.text(), "can be written again"))
	require.NoError(t, j.Close())
	require.GreaterOrEqual(t, j.Stats().Failures, uint64(12))
	records := load(t, dir)
	require.Len(t, records, 2)
	require.Contains(t, records, "before")
	require.Contains(t, records, "after")
}

// TestMovedAway: what would be written where no restart looks for it is not called written.
func TestMovedAway(t *testing.T) {
	dir := t.TempDir()
	j, _ := openIn(t, dir)
	path := filepath.Join(dir, fileName)
	require.NoError(t, os.Rename(path, path+".old"))
	require.ErrorIs(t, put(t, j, record("a")), os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte("another"), 0o600))
	require.Error(t, put(t, j, record("b")))
	require.NoError(t, os.Rename(path+".old", path))
	require.NoError(t, put(t, j, record("c")))
	require.NoError(t, os.Rename(path, path+".old"))
	require.NoError(t, os.WriteFile(path, []byte("another"), 0o600))
	require.ErrorContains(t, put(t, j, record("d")), "another file has taken its place")
	require.NoError(t, os.Rename(path+".old", path))
	require.NoError(t, j.Close())
	require.Len(t, load(t, dir), 1)
}
