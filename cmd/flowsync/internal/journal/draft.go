package journal

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"go.etcd.io/bbolt"
)

// A new file is made as a draft with a name of its own, and gets its name when it is whole. So an
// empty or half-made keys.db is never anything but a damaged one, and gateways that are started
// together on a new folder do not take each other's files away: one gives it the name, and all open
// that, which one can.

const draftName = "." + fileName + "-draft"

// create makes a file, unless there is one when it is made.
func (f *file) create() error {
	folder := filepath.Dir(f.path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	draft, err := newDraft(folder)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft) }() // that there is none any more is no error
	err = fill(draft)
	if err == nil {
		err = claim(draft, f.path)
	}
	if err != nil {
		if _, found := os.Stat(f.path); found == nil {
			return nil // another process has made it, and swept this one away
		}
		return err
	}
	return syncFolder(folder)
}

func newDraft(folder string) (path string, err error) {
	draft, err := os.CreateTemp(folder, draftName+"*") // with 0600
	if err != nil {
		return "", err
	}
	return draft.Name(), draft.Close()
}

// fill makes an empty journal of an empty file.
func fill(draft string) error {
	db, err := bbolt.Open(draft, 0o600, options())
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucket(bucketName); err != nil {
			return err
		}
		meta, err := tx.CreateBucket(metaName)
		if err != nil {
			return err
		}
		return meta.Put(formatName, []byte{version})
	})
	return errors.Join(err, db.Close())
}

// claim gives a draft its name, unless something has that name by now.
func claim(draft, path string) error {
	err := os.Link(draft, path)
	if err == nil || errors.Is(err, os.ErrExist) {
		return nil
	}
	// A file system without links, or somebody has swept. Here a few microseconds decide.
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(draft, path)
}

// sweep removes the drafts that crashes have left behind. There are no others worth keeping once
// the file is there: whoever still makes one would find that.
func (f *file) sweep() {
	folder := filepath.Dir(f.path)
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		number, ok := strings.CutPrefix(entry.Name(), draftName)
		if ok && number != "" && strings.Trim(number, "0123456789") == "" {
			_ = os.Remove(filepath.Join(folder, entry.Name())) // the next time
		}
	}
}

// syncFolder makes the new name of a file survive a power failure. Windows does not know how to.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
