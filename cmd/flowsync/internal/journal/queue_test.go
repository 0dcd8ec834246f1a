package journal

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// hold keeps the writer in a call back, until the test lets it go.
func hold(j *Journal) (free func()) {
	held, release := make(chan struct{}), make(chan struct{})
	j.Put(record("first"), func(error) { close(held); <-release })
	<-held
	return sync.OnceFunc(func() { close(release) })
}

func TestQueueIsBounded(t *testing.T) {
	dir := t.TempDir()
	j, err := open(Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)}, bounds{queue: 20, queueBytes: 45_000, group: 3, groupBytes: 20_000})
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

// TestDeletionsAreOwed: what could not be deleted is as soon as the disk can be written, and before
// what comes later; there are no more of them than the queue can take.
func TestDeletionsAreOwed(t *testing.T) {
	if runsElsewhere(t) {
		return
	}
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
	j.Delete("line/order", "u", "fails")
	j.Delete("line/order", "u", "45") // one too many
	close(free)
	require.Error(t, put(t, j, record("0")))
	require.Eventually(t, func() bool { return j.Stats().Queue == 40 }, 10*time.Second, time.Millisecond)
	unlimit()
	// What waits while the last write fails still fails with it.
	require.Eventually(t, func() bool { return put(t, j, record("0")) == nil }, 10*time.Second, time.Millisecond)
	require.NoError(t, put(t, j, record("1")))
	require.Zero(t, j.Stats().Queue)
	require.NoError(t, j.Close())
	records := load(t, dir)
	require.Len(t, records, 50-39+2)
	require.NotContains(t, records, "fails")
}
