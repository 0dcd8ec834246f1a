package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/flowsync-go/flowsync/core/idempotency"
)

func TestOpenFails(t *testing.T) {
	_, err := Open(Options{})
	require.ErrorContains(t, err, "Dir is required")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = Open(Options{Dir: file})
	require.ErrorIs(t, err, syscall.ENOTDIR)
	_, err = Open(Options{Dir: filepath.Join(file, "under")})
	require.ErrorIs(t, err, syscall.ENOTDIR)

	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, fileName), 0o700))
	_, err = Open(Options{Dir: dir})
	require.ErrorIs(t, err, syscall.EISDIR)
}

// TestNoRoomToMakeIt: what could not be made whole is not there.
func TestNoRoomToMakeIt(t *testing.T) {
	if runsElsewhere(t) {
		return
	}
	dir := t.TempDir()
	limitFiles(t, 0)
	_, err := Open(Options{Dir: dir})
	require.ErrorContains(t, err, "making "+dir)
	require.ErrorIs(t, err, syscall.EFBIG)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestLinkToNowhere: where the disk with the keys is not mounted they are not begun anew.
func TestLinkToNowhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), fileName)
	require.NoError(t, os.Symlink(filepath.Join(t.TempDir(), "gone", fileName), path))
	_, err := Open(Options{Dir: filepath.Dir(path)})
	require.ErrorContains(t, err, path+" leads to ")
	require.ErrorIs(t, err, os.ErrNotExist)
	now, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, os.ModeSymlink, now.Mode().Type(), "the link has been replaced")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink("/dev/null", path))
	_, err = Open(Options{Dir: filepath.Dir(path)})
	require.ErrorContains(t, err, path+" is no regular file")
}

// TestHalfMade: drafts that crashes have left behind do not matter, and go away. So does the second
// name of a file that was made; what others have there stays.
func TestHalfMade(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, fileName)
	for _, name := range []string{draftName + "4711", draftName + "s", "keys.db.new", "keys.db.old"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600))
	}
	for range 2 {
		j, _ := openIn(t, dir)
		require.NoError(t, put(t, j, record("k")))
		require.NoError(t, j.Close())
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, left, 4)
		require.NoFileExists(t, filepath.Join(dir, draftName+"4711"))
		require.NoError(t, os.Link(path, filepath.Join(dir, draftName+"4711")))
	}
}

// TestClaim: what has the name keeps it, also where there are no links, as for folders.
func TestClaim(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, fileName)
	content := func() string {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(text)
	}
	draft := func(text string) string {
		name, err := newDraft(dir)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	require.NoError(t, claim(draft("first"), path))
	require.NoError(t, claim(draft("second"), path))
	require.Equal(t, "first", content())
	folder := filepath.Join(dir, "folder")
	require.NoError(t, os.Mkdir(folder, 0o700))
	require.NoError(t, claim(folder, path))
	require.Equal(t, "first", content())
	require.NoError(t, claim(folder, path+"2"))
	require.DirExists(t, path+"2")
	require.ErrorIs(t, claim(folder, path+"3"), os.ErrNotExist)
}

// TestDamaged: a file that is damaged is named and never replaced, nor does it end the process.
func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	j, _ := openIn(t, dir)
	for i := range 2000 {
		r := record(fmt.Sprint(i))
		j.Put(r, func(err error) { require.NoError(t, err) })
	}
	require.NoError(t, j.Close())
	whole, err := os.ReadFile(filepath.Join(dir, fileName))
	require.NoError(t, err)
	page := os.Getpagesize()
	zeros := func(b []byte) []byte { clear(b[2*page:]); return b }
	for name, damage := range map[string]func([]byte) []byte{
		"empty":        func([]byte) []byte { return nil },
		"text":         func([]byte) []byte { return []byte(strings.Repeat("no database\n", 10000)) },
		"short":        func(b []byte) []byte { return b[:100] },
		"cut":          func(b []byte) []byte { return b[:len(b)/2/page*page] },
		"no metas":     func(b []byte) []byte { clear(b[:2*page]); return b },
		"zeros":        zeros,
		"flipped bits": func(b []byte) []byte { return flip(b, page) },
		"records":      func(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), "line/order", "lime/order")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, fileName)
			bad := damage(append([]byte{}, whole...))
			require.NoError(t, os.WriteFile(path, bad, 0o600))
			j, err := Open(Options{Dir: dir})
			if err == nil {
				err = j.Load(func(*idempotency.Record) {})
				j.Close()
			}
			require.ErrorContains(t, err, path+" is damaged")
			require.ErrorContains(t, err, "move it away")
			require.Equal(t, 1, strings.Count(err.Error(), "move it away"), err)
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(bad), string(after))
		})
	}
}

// flip changes each page but the first two in the midst of its header.
func flip(b []byte, page int) []byte {
	for at := 2 * page; at < len(b); at += page {
		b[at+8] ^= 0xff
	}
	return b
}

func TestOtherFormat(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*bbolt.Tx) error
		want   string
	}{
		"format": {func(tx *bbolt.Tx) error { return tx.Bucket(metaName).Put(formatName, []byte{7}) }, "has format [7], this flowsync knows format 1: run the version that wrote it"},
		"none":   {func(tx *bbolt.Tx) error { return tx.DeleteBucket(metaName) }, "it is no journal of flowsync"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j, _ := openIn(t, dir)
			require.NoError(t, j.file.update(c.change))
			require.NoError(t, j.Close())
			_, err := Open(Options{Dir: dir})
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "keys.db")
		})
	}
	dir := t.TempDir()
	j, _ := openIn(t, dir)
	require.NoError(t, j.file.update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketName).Put([]byte("k"), []byte("\x02a record")) }))
	require.ErrorContains(t, j.Load(nil), "a record: it has format 2, this flowsync knows format 1")
}
