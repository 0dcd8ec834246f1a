package journal

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
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

// hold keeps the writer in a call back, until the test lets it go.
func hold(j *Journal) (free func()) {
	held, release := make(chan struct{}), make(chan struct{})
	j.Put(record("first"), func(error) { close(held); <-release })
	<-held
	return sync.OnceFunc(func() { close(release) })
}

func TestQueueIsBounded(t *testing.T) {
	dir := t.TempDir()
	j, err := open(Options{Dir: dir}, bounds{queue: 20, queueBytes: 45_000, group: 3, groupBytes: 20_000})
	require.NoError(t, err)
	free := hold(j)
	defer free()
	big := record("big")
	big.Message = make([]byte, 9900)
	var results []error
	for range 5 {
		j.Put(big, func(err error) { results = append(results, err) })
	}
	require.Len(t, results, 1)
	require.ErrorIs(t, results[0], core.ErrShed)
	j.Delete("line/order", "u", "big") // has room of its own
	for range 16 {
		j.Put(record("k"), func(error) {})
	}
	require.Len(t, results, 1)
	require.Equal(t, 21, j.Stats().Queue)
	j.Put(record("k"), func(err error) { results = append(results, err) })
	require.Len(t, results, 2)
	require.ErrorIs(t, results[1], core.ErrShed)
	j.Delete("line/order", "u", "k")
	for range 4*20 - 22 + 1 {
		j.Delete("line/order", "u", "many")
	}
	free()
	require.NoError(t, j.Close())
	require.Equal(t, []error{results[0], results[1], nil, nil, nil, nil}, results)
	stats := j.Stats()
	require.Equal(t, Stats{Commits: 1 + 2 + 25, Records: 1 + 80, Failures: 3}, stats)
	require.Zero(t, j.bytes)
	require.Len(t, load(t, dir), 1)
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

func limitFiles(t *testing.T, limit uint64) (unlimit func()) {
	t.Helper()
	var before syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: before.Max}))
	unlimit = sync.OnceFunc(func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before)) })
	t.Cleanup(unlimit)
	return unlimit
}

// TestDeletionsAreOwed: what could not be deleted is as soon as the disk can be written, and before
// what comes later; there are no more of them than the queue can take.
func TestDeletionsAreOwed(t *testing.T) {
	dir := t.TempDir()
	j, err := open(Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)}, bounds{queue: 40, queueBytes: 1 << 20, group: 30, groupBytes: 1 << 20})
	require.NoError(t, err)
	for i := range 50 {
		require.NoError(t, put(t, j, record(fmt.Sprint(i))))
	}
	unlimit := limitFiles(t, 0)
	free := make(chan struct{})
	j.Put(record("fails"), func(error) { <-free })
	for range 2 {
		for i := range 39 {
			j.Delete("line/order", "u", fmt.Sprint(i))
		}
	}
	var results []error
	j.Delete("line/order", "u", "fails")
	j.Delete("line/order", "u", "45") // one too many
	close(free)
	require.Error(t, put(t, j, record("0")))
	require.Eventually(t, func() bool { return j.Stats().Queue == 40 }, 10*time.Second, time.Millisecond)
	unlimit()
	j.Put(record("0"), func(err error) { results = append(results, err) })
	require.NoError(t, put(t, j, record("1")))
	require.Equal(t, []error{nil}, results)
	require.Zero(t, j.Stats().Queue)
	require.NoError(t, j.Close())
	records := load(t, dir)
	require.Len(t, records, 50-39+2)
	require.NotContains(t, records, "fails")
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
