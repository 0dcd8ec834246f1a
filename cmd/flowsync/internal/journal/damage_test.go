package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// openFull is a journal with some records, and what its file has then.
func openFull(t *testing.T) (j *Journal, log *logText, path string, whole []byte) {
	t.Helper()
	dir := t.TempDir()
	j, log = openIn(t, dir)
	for i := range 3000 {
		j.Put(record(fmt.Sprint(i)), func(error) {})
	}
	require.NoError(t, put(t, j, record("last")))
	path = filepath.Join(dir, fileName)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	return j, log, path, whole
}

// requireTold: the error says what is wrong, what to do, and what is lost; in words that are meant
// for people, once each.
func requireTold(t *testing.T, err error, path, why string) {
	t.Helper()
	for _, words := range []string{
		path + " is damaged: " + why, "stop flowsync, then restore the file, or move it away",
		"all idempotency keys are forgotten, and requests that are sent again are carried out again",
	} {
		require.ErrorContains(t, err, words)
		require.Equal(t, 1, strings.Count(err.Error(), words), err)
	}
	require.Equal(t, 1, strings.Count(err.Error(), "journal:"), err)
	require.NotContains(t, err.Error(), "runtime error")
	require.NotContains(t, err.Error(), "nil pointer")
}

// TestCutWhileOpen: a file that is cut while it is open is said to be damaged, and nothing is written
// until it is whole again.
func TestCutWhileOpen(t *testing.T) {
	page := os.Getpagesize()
	for _, c := range []struct {
		size  int
		again string // what the next one is told
		stuck bool   // until a restart
	}{
		{0, "it is empty", false},
		{100, "invalid database", false},
		{page, "file size too small", false},
		{2 * page, "", true}, // a panic of bbolt, or a fault
	} {
		t.Run(fmt.Sprint(c.size), func(t *testing.T) {
			j, log, path, whole := openFull(t)
			require.NoError(t, os.Truncate(path, int64(c.size)))
			requireTold(t, put(t, j, record("a")), path, fmt.Sprintf("it has %d bytes, and should have ", c.size))
			for range 2 {
				requireTold(t, put(t, j, record("b")), path, c.again)
				info, err := os.Stat(path)
				require.NoError(t, err)
				require.EqualValues(t, c.size, info.Size(), "it has been written to")
			}
			require.Equal(t, 1, strings.Count(log.text(), "idempotency keys cannot be written, requests with new ones are refused\" error"))
			require.NoError(t, os.WriteFile(path, whole, 0o600))
			if c.stuck {
				requireTold(t, put(t, j, record("c")), path, c.again)
				requireTold(t, j.Close(), path, c.again)
				return
			}
			require.NoError(t, put(t, j, record("c")))
			require.Equal(t, 1, strings.Count(log.text(), "idempotency keys can be written again"))
			require.NoError(t, j.Close())
			require.Len(t, load(t, filepath.Dir(path)), 3002)
		})
	}
}

// TestCutBehind: what is cut off where nothing is does no harm, but the last page does.
func TestCutBehind(t *testing.T) {
	j, _, path, whole := openFull(t)
	require.Less(t, j.file.size, int64(len(whole)), "the file grows in steps")
	require.NoError(t, os.Truncate(path, j.file.size))
	require.NoError(t, put(t, j, record("a")))
	require.NoError(t, os.Truncate(path, j.file.size-1))
	requireTold(t, put(t, j, record("b")), path, fmt.Sprintf("it has %d bytes, and should have %d:", j.file.size-1, j.file.size))
}

// TestOlderStateWhileOpen: a copy of an hour ago is a whole file, and as long. What is written next would
// destroy it. It can be opened, so that what comes then is kept.
func TestOlderStateWhileOpen(t *testing.T) {
	for _, since := range []int{1, 2, 3, 50} {
		t.Run(fmt.Sprint(since), func(t *testing.T) {
			j, log, path, copied := openFull(t)
			for i := range since {
				j.Delete("line/order", "u", fmt.Sprint(i))
				require.NoError(t, put(t, j, record(fmt.Sprint("since", i))))
			}
			require.NoError(t, os.WriteFile(path, copied, 0o600))
			requireTold(t, put(t, j, record("refused")), path, "another state of it was written over it")
			for i := range 300 {
				require.NoError(t, put(t, j, record(fmt.Sprint("then", i))))
			}
			require.Equal(t, 1, strings.Count(log.text(), "idempotency keys can be written again"))
			require.NoError(t, j.Close())
			records := load(t, filepath.Dir(path))
			require.Len(t, records, 3001+300)
			require.NotContains(t, records, "refused")
			require.NotContains(t, records, "since0")
		})
	}
}

// TestOverwrittenWhileOpen: what bbolt meets there ends nothing but the writing.
func TestOverwrittenWhileOpen(t *testing.T) {
	j, _, path, whole := openFull(t)
	require.NoError(t, os.WriteFile(path, make([]byte, len(whole)), 0o600))
	requireTold(t, put(t, j, record("a")), path, "bolt.DB.meta(): invalid meta pages")
	requireTold(t, put(t, j, record("b")), path, "bolt.DB.meta(): invalid meta pages")
	require.Error(t, j.Close())
}

// TestFaults: a read that the operating system cannot make is told as such, and so is nonsense.
func TestFaults(t *testing.T) {
	j, _, path, _ := openFull(t)
	require.NoError(t, os.Truncate(path, 0))
	err := j.file.view(func(*bbolt.Tx) error { return nil })
	require.ErrorContains(t, err, path+" is damaged: a part of it cannot be read: it was cut, or its disk fails: stop flowsync, then restore the file")

	f := &file{path: "p"}
	var none []int
	err = f.guard(func() error { return fmt.Errorf("%d", none[len(path)]) })
	require.ErrorContains(t, err, "p is damaged: what is in it makes no sense (runtime error: index out of range")
	require.Equal(t, err, f.guard(nil))
}
